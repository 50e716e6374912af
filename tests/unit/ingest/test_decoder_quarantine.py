"""A bug of ours in reading one record: that record is put aside for us to look at, and everything else goes on."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from domain.records import Record, RecordBatch
from domain.slots import SlotTable
from ingest.clocks import Clocks
from ingest.codecs import native
from ingest.decoding import Decoded, Decoder
from ingest.draft import Draft
from ingest.telemetry import Reader
from ledger.books import Counts

NOW = 1_763_900_000_000
BAD = 3
SECRET = "Zhang San"


def record(seq: int, kind: str = "telemetry") -> Record:
    """Return an honest message; the fourth is the one that a bug cannot read."""
    said: dict[str, Any] = {"v": {"ch4_lel": 1.0}} if kind == "telemetry" else {"type": "fire.alarm", "data": {}}
    body = {"ts": NOW - 50, "seq": seq, "boot": 1, "note": SECRET, **said}
    return Record(NOW, f"safety/v1/a/s/d1/{kind}", json.dumps(body).encode())


def decode(records: list[Record]) -> Decoded:
    (decoded,) = Decoder(SlotTable(), is_registered=lambda _name: True).decode(RecordBatch(10, records))
    return decoded


def breaking(read: Callable[..., Any]) -> Callable[..., Any]:
    """Return a reader like this one with a bug that only the fourth message meets."""

    def reader(payload: bytes, *arguments: Any) -> Any:
        if b'"seq": %d,' % BAD in payload:
            raise ZeroDivisionError(payload)
        return read(payload, *arguments)

    return reader


@pytest.mark.parametrize("kind", ["telemetry", "event"])
def test_a_record_that_a_bug_cannot_read_is_a_dead_letter(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Its bytes are kept whole under the reason `bug`; those before and after are read, and the accounts balance."""
    monkeypatch.setattr(native, kind, breaking(getattr(native, kind)))
    records = [record(seq, kind) for seq in range(6)]
    decoded = decode(records)
    (letter,) = decoded.dead_letters
    assert (letter.offset, letter.reason, letter.payload) == (10 + BAD, "bug", records[BAD].payload)
    assert decoded.counts == Counts(decoded=5, dead=1)
    assert decoded.segment.contacts.seq.tolist() == [0, 1, 2, 4, 5]


def test_nothing_of_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is read whole or not at all, however far the bug let it come."""
    judge = Clocks.judge

    def failing(self: Clocks, slot: int, ts: int | None, received_ms: int) -> tuple[int, int]:
        if ts == NOW - 777:
            raise KeyError(ts)
        return judge(self, slot, ts, received_ms)

    monkeypatch.setattr(Clocks, "judge", failing)
    bad = Record(NOW, record(1).topic, json.dumps({"ts": NOW - 777, "seq": 1, "v": {"ch4_lel": 9.0, "rh": 1}}).encode())
    decoded = decode([record(0), bad, record(2)])
    assert decoded.segment.readings.value.tolist() == [1.0, 1.0]
    assert decoded.segment.contacts.offset.tolist() == [10, 12]
    assert [letter.reason for letter in decoded.dead_letters] == ["bug"]


def test_the_log_says_where_and_not_what(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody must mend it, so the record is named; what a device said is nobody's business in a log."""
    monkeypatch.setattr(native, "event", breaking(native.event))
    with caplog.at_level(logging.DEBUG):
        decoded = decode([record(seq, "event") for seq in range(6)])
    assert f"record {10 + BAD}" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert SECRET not in caplog.text + decoded.dead_letters[0].detail


def test_one_among_many_is_put_aside_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a bug ends the reading of many at once, each is read again by itself, and only the odd one is a dead letter."""
    values = Reader._values

    def failing(self: Reader, draft: Draft, message: native.Telemetry) -> int:
        if message.seq == BAD + 40:
            raise KeyError(message)
        return values(self, draft, message)

    monkeypatch.setattr(Reader, "_values", failing)
    decoded = decode([record(seq) for seq in range(100)])
    assert [letter.offset for letter in decoded.dead_letters] == [10 + BAD + 40]
    assert decoded.counts == Counts(decoded=99, dead=1)
    assert len(decoded.segment.readings) == 99
