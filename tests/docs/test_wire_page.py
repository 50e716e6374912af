"""The wire page, the JSON Schema and the codec say the same."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.measurands import MEASURANDS
from ingest.codecs import native
from ingest.codecs.describe import render, schema
from ingest.duplicates import RECENT, WINDOW
from ingest.topics import Kind, alarm_topic, topic

_ROOT = Path(__file__).parents[2]
_PAGE = (_ROOT / "docs" / "reference" / "wire.md").read_text(encoding="utf-8")
_SCHEMA = _ROOT / "ingest" / "schema" / "native.schema.json"
_EXAMPLES = [(Kind(kind), body) for kind, body in re.findall(r"```json (\w+)\n(.*?)\n```", _PAGE, re.DOTALL)]
_READ: dict[Kind, Any] = {
    Kind.TELEMETRY: lambda payload: native.telemetry(payload, "d"),
    Kind.EVENT: lambda payload: native.event(payload, "d"),
    Kind.STATUS: lambda payload: native.status(payload, "d"),
    Kind.REPLY: lambda payload: native.reply(payload, "d"),
    Kind.RECEIPT: lambda payload: msgspec.json.decode(payload, type=native.Receipt),
    Kind.COMMAND: lambda payload: msgspec.json.decode(payload, type=native.Command),
}


def rows(section: str) -> list[list[str]]:
    """Return the cells of the table rows of one section, code quotes taken off, headings left out."""
    text = _PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    cells = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    assert cells
    return cells


def test_the_schema_is_what_the_types_say() -> None:
    """A changed type without a changed schema fails; `python -m ingest.codecs.describe` writes the new one."""
    assert _SCHEMA.read_text(encoding="utf-8") == render()


def test_every_reference_of_the_schema_is_defined() -> None:
    """The schema stands on its own."""
    names = set(re.findall(r'"#/\$defs/(\w+)"', render()))
    assert names <= set(schema()["$defs"])


@pytest.mark.parametrize(("kind", "body"), _EXAMPLES)
def test_every_example_on_the_page_is_read(kind: Kind, body: str) -> None:
    """Each block of the page is a payload the codec accepts, and none of its fields is ignored."""
    decoded = msgspec.to_builtins(_READ[kind](body.encode()))
    expected = json.loads(body)
    for got, wanted in zip(
        decoded if isinstance(decoded, list) else [decoded],
        expected if isinstance(expected, list) else [expected],
        strict=True,
    ):
        assert {name: got[name] for name in wanted} == wanted


def test_every_kind_of_message_has_an_example_and_a_schema() -> None:
    """No kind of topic is left undescribed."""
    assert {kind for kind, _ in _EXAMPLES} == set(Kind)
    assert set(Kind) <= set(schema()["$defs"])


def test_the_topics_on_the_page_are_ours() -> None:
    """The table of topics is exactly what the program builds."""
    assert {row[0] for row in rows("Topics")} == {
        *(topic("{area}/{site}/{device}", kind) for kind in Kind),
        alarm_topic("{area}", "{site}"),
    }


def test_the_event_types_agree() -> None:
    """Page, schema and codec know the same events, and the page's data of each is read whole."""
    defs = schema()["$defs"]
    in_schema = [
        defs[one["$ref"].rpartition("/")[2]]["properties"]["type"]["enum"][0] for one in defs["event"]["anyOf"]
    ]
    assert in_schema == list(native.EVENTS)
    assert [row[0] for row in rows("event")] == list(native.EVENTS)
    for kind, _, data, _ in rows("event"):
        event = native.event(json.dumps({"type": kind, "data": json.loads(data)}).encode(), "d")
        assert event.data == json.loads(data)


def test_the_measurands_agree() -> None:
    """Page and table list the same names, units and titles, in one order."""
    assert rows("telemetry") == [[m.name, m.unit, m.title] for m in MEASURANDS]


def test_the_command_types_agree() -> None:
    """Each command type is named on the page."""
    section = _PAGE.split("\n## command and reply\n")[1].split("\n## ")[0]
    assert all(f"`{kind}`" in section for kind in native.CommandType)


def test_the_limits_agree() -> None:
    """The figures on the page are the program's."""
    reasons = {row[0]: row[1] for row in rows("Limits and refusals")}
    assert f"{native.MAX_BYTES // 1024} KiB" in reasons["too_large"]
    assert f"deeper than {native.MAX_DEPTH}" in reasons["too_deep"]
    assert f"the last {WINDOW:,} messages" in _PAGE
    assert f"the device's last {RECENT}." in _PAGE
    assert f"{native.MAX_MEASURANDS} measurands or {native.MAX_MESSAGES:,} messages" in reasons["schema"]
