"""Telemetry read many at once gives what it gives one by one, whatever is between and however wrong it is."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.readings import Quality
from domain.records import REDELIVERED, RETAINED, TICK, Record, RecordBatch
from domain.slots import SlotTable
from emberwatch.snapshots import encode
from ingest import decoding
from ingest.clocks import LATE_MS
from ingest.codecs import native
from ingest.decoding import Decoded, Decoder
from ingest.draft import MOST

NOW = 1_763_900_000_000
NEVER = 10**9


def record(body: Any, device: str = "d1", at: int = NOW, flags: int = 0, kind: str = "telemetry") -> Record:
    payload = body if isinstance(body, bytes) else native.encode(body)
    return Record(at, f"safety/v1/a/s/{device}/{kind}", payload, flags)


def decoded(records: Sequence[Record], shortest_run: int) -> tuple[list[Decoded], Decoder]:
    """Decode after each device has spoken once, with runs from this length on read at once."""
    slots = SlotTable()
    reader = Decoder(slots, is_registered=lambda _device: True)
    known = [record({"v": {}}, device) for device in ("d1", "d2", "d3")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "_FEW", shortest_run)
        return list(reader.decode(RecordBatch(0, (*known, *records)))), reader


def plain(parts: list[Decoded]) -> list[Any]:
    """Return everything that was decoded as plain values."""
    return [
        (
            [getattr(part.segment.readings, name).tolist() for name in part.segment.readings.__slots__],
            [getattr(part.segment.contacts, name).tolist() for name in part.segment.contacts.__slots__],
            part.segment.signals,
            part.segment.tick_ms,
            part.dead_letters,
            part.receipts,
            part.counts,
        )
        for part in parts
    ]


def state(reader: Decoder) -> dict[str, Any]:
    """Return the state without the spare rows of growing arrays."""
    kept = reader.snapshot()
    rows = kept["duplicates"].pop("rows").tolist()
    kept["duplicates"]["rows"] = [row for row in rows if row[0] >= 0]
    kept["duplicates"] = {name: sorted(part) for name, part in kept["duplicates"].items()}
    return kept


TIMES = st.integers(NOW - 2 * LATE_MS, NOW + 20_000) | st.integers(0, 5)
NAMES = st.sampled_from(["ch4_lel", "co_ppm", "temp_c", "nonsense"])
BODIES = st.fixed_dictionaries(
    {"v": st.dictionaries(NAMES, st.floats(-1e6, 1e6), max_size=3)},
    optional={
        "seq": st.integers(0, 4),
        "boot": st.integers(0, 1),
        "ts": TIMES,
        "bat": st.floats(0, 100),
        "device": st.sampled_from(["d1", "d2"]),
        "device_id": st.sampled_from(["d1"]),
        "more": st.recursive(st.none(), lambda inner: st.fixed_dictionaries({"x": inner}), max_leaves=20),
    },
)
DEVICES = st.sampled_from(["d1", "d2", "d3"])
AFTER = st.integers(0, 3 * LATE_MS)
RECORDS = st.lists(
    st.one_of(
        st.builds(record, BODIES, DEVICES),
        st.builds(record, BODIES, DEVICES),
        st.builds(
            record, BODIES | st.lists(BODIES, max_size=3), DEVICES, flags=st.sampled_from([RETAINED, REDELIVERED])
        ),
        st.builds(record, st.just(b'{"v":{}}{"v":{}}') | st.binary(max_size=4), DEVICES),
        st.builds(record, st.just({"online": True}), DEVICES, kind=st.just("status")),
        st.builds(record, st.just({"v": {"temp_c": 1}}), st.just("new")),
        st.just(Record(NOW, TICK, b"")),
    ),
    max_size=30,
)


@given(RECORDS, st.lists(AFTER, min_size=30, max_size=30).map(sorted), st.integers(1, 4))
def test_many_at_once_give_the_same_as_one_by_one(records: list[Record], after: list[int], shortest_run: int) -> None:
    """Readings, contacts, dead letters, counts, and what is remembered are equal."""
    timed = [Record(NOW + ms, r.topic, r.payload, r.flags) for r, ms in zip(records, after, strict=False)]
    (at_once, reader), (singly, other) = decoded(timed, shortest_run), decoded(timed, NEVER)
    assert plain(at_once) == plain(singly)
    assert encode(state(reader)) == encode(state(other))


def _numbered(count: int) -> list[Record]:
    return [
        record({"v": {"co_ppm": i}, "seq": i // 3, "boot": 1, "ts": NOW - 5}, f"d{i % 3 + 1}") for i in range(count)
    ]


def test_a_run_leaves_out_its_repeats() -> None:
    """Repeats within a run and of what came before it are counted, not stored."""
    records = _numbered(90)
    (part,), _ = decoded([*records, *records[30:60]], 24)
    assert part.counts.duplicate == 30
    assert part.segment.readings.value.tolist() == list(range(90))


def test_what_is_nested_too_deep_ends_a_run() -> None:
    """Among ordinary messages, one that is nested beyond the limit is a dead letter and the rest is read."""
    deep = b'{"v":{},"x":' + b'{"x":' * 20 + b"1" + b"}" * 21
    (part,), _ = decoded([*_numbered(60), record(deep), *_numbered(90)[60:]], 24)
    assert [letter.reason for letter in part.dead_letters] == ["too_deep"]
    assert len(part.segment.readings) == 90


def test_no_payload_can_shift_what_others_said() -> None:
    """Halves of messages that would fit together, and two messages in one, are dead letters of their senders alone."""
    halves = [record(b'{"v":{},"x":'), record(b'{"v":{}}}'), record(b'{"v":{"co_ppm":1}} {"v":{"co_ppm":2}}')]
    honest = _numbered(90)
    (part,), _ = decoded([*honest[:60], halves[0], halves[1], *honest[60:], halves[2]], 24)
    assert part.counts.dead == 3
    assert part.segment.readings.value.tolist() == list(range(90))


def test_clocks_are_judged_in_turn() -> None:
    """In one run, a clock that runs ahead is clamped and its lead is kept, and a late message is marked."""
    said = [
        *_numbered(60),
        record({"v": {"co_ppm": 1}, "ts": NOW + 60_000}),
        record({"v": {"co_ppm": 1}, "ts": NOW - 400_000}),
    ]
    (part,), _ = decoded(said, 24)
    assert part.segment.readings.quality[-2:].tolist() == [Quality.CLAMPED, Quality.LATE]
    assert part.segment.contacts.skew_ms[-2:].tolist() == [60_000, 0]


def test_no_value_is_too_large_to_calculate_with() -> None:
    """What a broken device says may be finite and yet ruin every sum: it is held at a bound, and nothing of it is lost."""
    (part,), _ = decoded([record({"v": {"co_ppm": 1.7e308, "temp_c": -1e300, "ch4_lel": 3.0}})], NEVER)
    assert part.segment.readings.value.tolist() == [MOST, -MOST, 3.0]
