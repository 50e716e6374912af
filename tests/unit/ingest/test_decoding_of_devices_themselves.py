"""What a message says of the device that sent it, and what we said to a device, reach the detectors too."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from domain.errors import CorruptionError
from domain.measurands import INDEX
from domain.readings import UNNUMBERED, Segment
from domain.records import COMMAND, Record, RecordBatch
from domain.slots import SlotTable
from ingest.decoding import COMMANDED, Decoder

NOW = 1_763_900_000_000
MINUTE = 60_000


def said(body: dict[str, Any], at: int = NOW) -> Record:
    return Record(at, "safety/v1/a/s/d1/telemetry", json.dumps({"v": {"ch4_lel": 1.0}, **body}).encode())


def decode(records: Sequence[Record]) -> list[Segment]:
    decoder = Decoder(SlotTable(), is_registered=lambda _: True)
    return [decoded.segment for decoded in decoder.decode(RecordBatch(0, records))]


def test_a_contact_carries_boot_and_seq() -> None:
    """As sent; what a message does not say is marked so."""
    (segment,) = decode([said({"boot": 7, "seq": 9}), said({"seq": 10, "ts": NOW}), said({})])
    assert segment.contacts.boot.tolist() == [7, UNNUMBERED, UNNUMBERED]
    assert segment.contacts.seq.tolist() == [9, 10, UNNUMBERED]


@pytest.mark.parametrize(
    ("ts", "skew_ms"),
    [(NOW - 50, -50), (NOW + 20 * MINUTE, 20 * MINUTE), (NOW - 60 * MINUTE, 0), (None, 0), (0, 0)],
    ids=["right", "fast", "late", "without time", "never set"],
)
def test_a_contact_says_how_wrong_the_clock_is(ts: int | None, skew_ms: int) -> None:
    """A clamped time keeps its lead; old news and a missing time say nothing of the clock."""
    (segment,) = decode([said({} if ts is None else {"ts": ts})])
    assert segment.contacts.skew_ms.tolist() == [skew_ms]
    assert segment.contacts.event_ms.tolist()[0] <= NOW


def test_a_clock_that_is_always_slow_is_seen() -> None:
    """Once everything a device says is an hour old, its clock is wrong rather than its news late."""
    (segment,) = decode([said({"ts": NOW + i * MINUTE - 60 * MINUTE}, NOW + i * MINUTE) for i in range(7)])
    assert segment.contacts.skew_ms.tolist() == [0] * 5 + [-60 * MINUTE] * 2


def test_the_battery_is_a_reading() -> None:
    """`bat` beside the measurands becomes `battery_pct`, so that it has a history and a rule."""
    (segment,) = decode([said({"bat": 88})])
    assert segment.readings.measurand.tolist() == [INDEX["ch4_lel"], INDEX["battery_pct"]]
    assert segment.readings.value.tolist() == [1.0, 88.0]


def test_a_command_of_ours_is_a_signal_in_its_place() -> None:
    """It ends a segment, so that a reply always comes after it, and it is no sign of life of the device."""
    told = {"id": "01J", "type": "lock", "by": "rule:W101", "expires": NOW + MINUTE}
    reply = Record(NOW, "safety/v1/a/s/d1/reply", b'{"id": "01J", "ok": true}')
    first, second = decode([Record(NOW, COMMAND + "a/s/d1", json.dumps(told).encode()), reply])
    assert [(signal.type, signal.data) for signal in first.signals] == [(COMMANDED, told)]
    assert len(first.contacts) == 0
    assert [signal.slot for signal in (*first.signals, *second.signals)] == [0, 0]


@pytest.mark.parametrize(("topic", "payload"), [("a/s", b"{}"), ("a/s/d1", b"{}"), ("a/s/d1", b"not json")])
def test_a_broken_command_record_is_corruption(topic: str, payload: bytes) -> None:
    """We wrote it, so that it cannot be read is no device's fault."""
    with pytest.raises(CorruptionError, match="record 0 is no command"):
        decode([Record(NOW, COMMAND + topic, payload)])
