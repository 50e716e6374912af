"""The file channel: durable lines without personal data."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from alerting.notifier import DeliveryError, Message
from alerting.notifiers.file import FileNotifier
from registers.inspector import Inspector

_MESSAGE = Message(
    notice=7,
    kind="alarm.raise",
    subject="alarm/3",
    at_ms=1,
    severity=1,
    title="【紧急】火警",
    text="某火锅店",
    reason="area=weidong kind=fire",
    recipient=Inspector(code="gas", name="张某一", phone="13800000001"),
)


async def test_message_is_a_line_that_names_the_recipient_by_code_only(tmp_path: Path) -> None:
    """The folder is made; the line has every field, and neither the name nor the telephone."""
    path = tmp_path / "new" / "notices.jsonl"
    await FileNotifier(path).send(_MESSAGE)
    line = path.read_text()
    assert json.loads(line) == {**msgspec.to_builtins(_MESSAGE), "recipient": "gas"}
    assert "张某一" not in line
    assert "13800000001" not in line


async def test_many_at_once_are_whole_lines(tmp_path: Path) -> None:
    """Messages sent together do not mix; a second notifier appends."""
    path = tmp_path / "notices.jsonl"
    notifier = FileNotifier(path)
    await asyncio.gather(*(notifier.send(msgspec.structs.replace(_MESSAGE, notice=n)) for n in range(20)))
    await FileNotifier(path).send(_MESSAGE)
    assert sorted(json.loads(line)["notice"] for line in path.read_text().splitlines()) == sorted([*range(20), 7])


async def test_unwritable_file_is_a_passing_failure(tmp_path: Path) -> None:
    """A path that cannot be written is reported, not raised as the system's error, and may be tried again."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DeliveryError) as caught:
        await FileNotifier(tmp_path / "file" / "notices.jsonl").send(_MESSAGE)
    assert not caught.value.permanent
