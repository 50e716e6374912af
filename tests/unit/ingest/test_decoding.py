"""Decoding: what becomes of each record, and that nothing depends on how the journal is cut or when we restart."""

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.changes import RegisterChange
from domain.errors import CorruptionError
from domain.measurands import INDEX
from domain.readings import Quality
from domain.records import REDELIVERED, REGISTER, RETAINED, START, TICK, Record, RecordBatch
from domain.slots import SlotTable
from emberwatch import snapshots
from ingest.decoding import Decoded, Decoder, Receipt
from ledger.books import Counts

NOW = 1_763_900_000_000


def record(kind: str, body: Any, device: str = "d1", at: int = NOW, flags: int = 0) -> Record:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Record(at, f"safety/v1/a/s/{device}/{kind}", payload, flags)


def telemetry(seq: int | None = None, device: str = "d1", at: int = NOW, **values: float) -> Record:
    body = {"ts": at - 50, "v": values or {"ch4_lel": 3.2}}
    return record("telemetry", body if seq is None else {**body, "seq": seq, "boot": 1}, device, at)


def decoder(slots: SlotTable | None = None, registered: Iterable[str] = ("d1", "d2"), allowance: int = 3) -> Decoder:
    known = set(registered)
    return Decoder(
        SlotTable() if slots is None else slots, is_registered=known.__contains__, unknown_allowance=allowance
    )


def decode(records: Sequence[Record], reader: Decoder | None = None, first: int = 0) -> list[Decoded]:
    return list((reader or decoder()).decode(RecordBatch(first, records)))


def only(records: Sequence[Record], reader: Decoder | None = None) -> Decoded:
    (decoded,) = decode(records, reader)
    return decoded


def test_telemetry_becomes_one_row_a_reading() -> None:
    """Offset, slot, measurand, value and both times of every reading, in journal order, and one contact a message."""
    decoded = only([telemetry(1, ch4_lel=3.2, temp_c=21.5), telemetry(1, "d2", rh=40.0)])
    rows = decoded.segment.readings
    assert rows.offset.tolist() == [0, 0, 1]
    assert rows.slot.tolist() == [0, 0, 1]
    assert rows.measurand.tolist() == [INDEX["ch4_lel"], INDEX["temp_c"], INDEX["rh"]]
    assert rows.value.tolist() == [3.2, 21.5, 40.0]
    assert rows.event_ms.tolist() == [NOW - 50] * 3
    assert rows.received_ms.tolist() == [NOW] * 3
    assert rows.quality.tolist() == [0, 0, 0]
    contacts = decoded.segment.contacts
    assert (contacts.offset.tolist(), contacts.slot.tolist(), contacts.received_ms.tolist()) == (
        [0, 1],
        [0, 1],
        [NOW] * 2,
    )
    assert decoded.counts == Counts(decoded=2)


def test_an_event_becomes_a_signal_and_a_receipt() -> None:
    """Type, data, times and numbers of an event, and word to the device that it arrived."""
    decoded = only(
        [record("event", {"ts": NOW - 9, "seq": 5, "boot": 2, "type": "scan.in", "data": {"credential": "C-1"}})]
    )
    (signal,) = decoded.segment.signals
    assert signal == (0, 0, "scan.in", {"credential": "C-1"}, NOW - 9, NOW, 0, 2, 5)
    assert decoded.receipts == [Receipt("a/s/d1", 2, 5)]
    assert len(decoded.segment.contacts) == 1


def test_a_repeated_event_is_dropped_but_answered() -> None:
    """The device goes on repeating until it sees a receipt, so a repeat gets one too."""
    event = record("event", {"seq": 5, "boot": 2, "type": "fire.alarm"})
    decoded = only([event, msgspec.structs.replace(event, flags=REDELIVERED)])
    assert len(decoded.segment.signals) == 1
    assert len(decoded.receipts) == 2
    assert decoded.counts == Counts(decoded=1, duplicate=1)


def test_status_and_replies_become_signals() -> None:
    """Online, offline and command replies; the broker's `offline` is no contact with the device."""
    decoded = only(
        [
            record("status", {"online": True}),
            record("status", {"online": False}),
            record("reply", {"id": "01J", "ok": True, "state": "locked"}),
        ]
    )
    assert [s.type for s in decoded.segment.signals] == ["status.online", "status.offline", "reply"]
    assert decoded.segment.signals[2].data == {"id": "01J", "ok": True, "state": "locked"}
    assert decoded.segment.contacts.offset.tolist() == [0, 2]


def test_retained_messages_are_marked_and_never_remembered() -> None:
    """A stored copy is flagged everywhere, and the fresh message it copies is still new."""
    fresh = telemetry(1)
    decoded = only([msgspec.structs.replace(fresh, flags=RETAINED), fresh, fresh])
    assert [Quality.RETAINED in Quality(q) for q in decoded.segment.readings.quality.tolist()] == [True, False]
    assert decoded.segment.contacts.retained.tolist() == [True, False]
    assert decoded.counts == Counts(decoded=2, duplicate=1)
    (signal,) = only([record("status", {"online": True}, flags=RETAINED)]).segment.signals
    assert Quality.RETAINED in Quality(signal.quality)


def test_quality_says_what_the_time_is_worth() -> None:
    """Late, clamped and untimed readings carry their flag."""
    bodies: list[dict[str, Any]] = [{"ts": NOW - 400_000}, {"ts": NOW + 60_000}, {}]
    rows = only([record("telemetry", {**body, "v": {"rh": 1}}) for body in bodies]).segment.readings
    assert rows.quality.tolist() == [Quality.LATE, Quality.CLAMPED, Quality.UNTIMED]
    assert rows.event_ms.tolist() == [NOW - 400_000, NOW, NOW]


def test_an_array_is_one_record() -> None:
    """New messages of an array are kept, repeats left out; only an array of nothing but repeats is a duplicate."""
    one, two, three = ({"seq": i, "boot": 1, "v": {"rh": i}} for i in (1, 2, 3))
    decoded = only([record("telemetry", body) for body in ([one, two], [two, three], [one, three], [])])
    assert decoded.segment.readings.value.tolist() == [1, 2, 3]
    assert decoded.segment.contacts.offset.tolist() == [0, 0, 1]
    assert decoded.counts == Counts(decoded=3, duplicate=1)


def test_unknown_measurands_are_counted_and_not_stored() -> None:
    """A name in no table is counted, its known neighbours are stored, and the memory of names is bounded."""
    reader = decoder()
    rows = only([telemetry(1, ch4_lel=1.0, charm=2.0, rh=3.0), telemetry(2, charm=1.0)], reader).segment.readings
    assert rows.value.tolist() == [1.0, 3.0]
    assert reader.unknown_measurands == {"charm": 2}
    for start in range(0, 6000, 60):
        names = [*(f"x{i}" for i in range(start, start + 60)), "y" * 5000]
        only([record("telemetry", {"v": dict.fromkeys(names, 1.0)})], reader)
    assert len(reader.unknown_measurands) <= 257
    assert sum(reader.unknown_measurands.values()) == 2 + 6000 + 100


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Record(NOW, "safety/v1/a/s/d1/gossip", b"{}"), "topic"),
        (Record(NOW, "safety/v1/a/s/d1/command", b"{}"), "topic"),
        (Record(NOW, "", b"{}"), "topic"),
        (record("telemetry", b"\x00\xff"), "json"),
        (record("telemetry", {"ts": 1}), "schema"),
        (record("telemetry", [{"v": {"rh": 1}}, {"v": {"rh": "x"}}]), "schema"),
        (record("telemetry", {"v": {}, "device": "d2"}), "identity"),
        (record("event", {"type": "love.letter", "seq": 1, "boot": 1}), "schema"),
        (record("status", {"online": 1}), "schema"),
    ],
)
def test_what_cannot_be_read_is_a_dead_letter(bad: Record, reason: str) -> None:
    """The record is kept whole with its reason; nothing else comes of it, and its neighbours are read."""
    slots = SlotTable()
    decoded = only([bad, telemetry(1, "d2")], decoder(slots))
    (letter,) = decoded.dead_letters
    assert (letter.offset, letter.received_ms, letter.topic, letter.payload) == (
        0,
        bad.received_ms,
        bad.topic,
        bad.payload,
    )
    assert letter.reason == reason
    assert slots.paths() == ("a/s/d2",)
    assert decoded.receipts == []
    assert decoded.counts == Counts(decoded=1, dead=1)


def test_strangers_have_a_limit_and_the_registered_do_not() -> None:
    """Unregistered devices take slots up to the allowance; those who have one go on, the rest are dead letters."""
    reader = decoder(allowance=2)
    decoded = only([telemetry(1, name) for name in ("x1", "x2", "x3", "d1", "x1x", "d2")], reader)
    assert [letter.reason for letter in decoded.dead_letters] == ["unknown_device_limit"] * 2
    assert [letter.offset for letter in decoded.dead_letters] == [2, 4]
    assert only([telemetry(2, "x1")], reader).counts == Counts(decoded=1)


def test_registering_a_stranger_makes_room_for_another() -> None:
    """A register change that the caller applied between two segments of one batch counts for the next records."""
    known: set[str] = set()
    reader = Decoder(SlotTable(), is_registered=known.__contains__, unknown_allowance=1)
    change = [RegisterChange(1, "device", "x1", {"code": "x1"})]
    batch = [
        telemetry(1, "x1"),
        telemetry(1, "x2"),
        Record(NOW, REGISTER, msgspec.json.encode(change)),
        telemetry(1, "x2"),
    ]
    counts = []
    for decoded in reader.decode(RecordBatch(0, batch)):
        counts.append(decoded.counts)
        known.update(str(change.key) for change in decoded.segment.changes)
    assert counts == [Counts(decoded=1, dead=1, control=1), Counts(decoded=1)]


def test_controls_end_segments() -> None:
    """A tick, a start and a register change end their segment and say what happened; an unknown `$` topic is only counted."""
    change = RegisterChange(7, "device", "d1", None)
    records = [
        telemetry(1),
        Record(NOW + 1, TICK, b""),
        Record(NOW + 2, START, b""),
        telemetry(2),
        Record(NOW + 3, REGISTER, msgspec.json.encode([change])),
        Record(NOW + 4, "$later", b""),
        telemetry(3),
    ]
    segments = [decoded.segment for decoded in decode(records, first=100)]
    assert [(s.first_offset, s.end_offset) for s in segments] == [
        (100, 102),
        (102, 103),
        (103, 105),
        (105, 106),
        (106, 107),
    ]
    assert [s.tick_ms for s in segments] == [NOW + 1, None, None, None, None]
    assert [s.started_ms for s in segments] == [None, NOW + 2, None, None, None]
    assert [s.changed_ms for s in segments] == [None, None, NOW + 3, None, None]
    assert segments[2].changes == (change,)
    assert [len(s.readings) for s in segments] == [1, 0, 1, 0, 1]


def test_a_broken_register_record_stops_everything() -> None:
    """Deciding on with wrong registers would be worse than stopping, so it is a CorruptionError that names the record."""
    with pytest.raises(CorruptionError, match="record 3"):
        decode([Record(NOW, REGISTER, b"[{")], first=3)


def test_decoding_is_lazy() -> None:
    """The decoder does not look past a control record before it is asked to."""
    reader = decoder()
    segments = reader.decode(RecordBatch(0, [Record(NOW, TICK, b""), telemetry(1, charm=1.0)]))
    next(segments)
    assert reader.unknown_measurands == {}
    next(segments)
    assert reader.unknown_measurands == {"charm": 1}


def test_an_empty_batch_has_no_segment() -> None:
    """Nothing read, nothing said."""
    assert decode([]) == []


DEVICES = st.sampled_from(["d1", "d2", "x1", "x2", "x3", "x4"])
VALUES = st.dictionaries(st.sampled_from(["ch4_lel", "temp_c", "charm"]), st.floats(-100, 100), max_size=3)
NUMBERS = st.fixed_dictionaries(
    {"v": VALUES},
    optional={"seq": st.integers(0, 5), "boot": st.integers(0, 2), "ts": st.integers(NOW - 10**6, NOW + 10**6)},
)
RECORDS = st.one_of(
    st.builds(record, st.just("telemetry"), NUMBERS | st.lists(NUMBERS, max_size=3), DEVICES, flags=st.integers(0, 3)),
    st.builds(
        record, st.just("event"), NUMBERS.map(lambda body: {**body, "type": "fault"}), DEVICES, flags=st.integers(0, 3)
    ),
    st.builds(record, st.just("status"), st.fixed_dictionaries({"online": st.booleans()}), DEVICES),
    st.builds(record, st.sampled_from(["telemetry", "event", "receipt"]), st.binary(max_size=5), DEVICES),
    st.sampled_from([Record(NOW, TICK, b""), Record(NOW, START, b""), Record(NOW, REGISTER, b"[]")]),
)


def flat(decoded: Iterable[Decoded]) -> tuple[Any, ...]:
    """Everything that was said, without the cuts between segments."""
    parts = list(decoded)
    readings = [
        np.concatenate([getattr(part.segment.readings, name) for part in parts]).tolist() if parts else []
        for name in ("offset", "slot", "measurand", "value", "event_ms", "received_ms", "quality")
    ]
    contacts = [
        row
        for part in parts
        for row in zip(
            part.segment.contacts.offset, part.segment.contacts.slot, part.segment.contacts.retained, strict=True
        )
    ]
    controls = [
        (part.segment.end_offset, part.segment.tick_ms, part.segment.started_ms, part.segment.changed_ms)
        for part in parts
        if part.counts.control
    ]
    return (
        readings,
        contacts,
        controls,
        [signal for part in parts for signal in part.segment.signals],
        [letter for part in parts for letter in part.dead_letters],
        [receipt for part in parts for receipt in part.receipts],
        sum((part.counts for part in parts), Counts()),
    )


@given(records=st.lists(RECORDS, max_size=25), cuts=st.lists(st.integers(0, 25), max_size=4), restart=st.booleans())
def test_cuts_and_restarts_change_nothing(records: list[Record], cuts: list[int], *, restart: bool) -> None:
    """However the records are cut into batches, and with a restart at each cut, the same is decoded."""
    whole = flat(decode(records))
    slots = SlotTable()
    reader = decoder(slots)
    pieces: list[Decoded] = []
    edges = sorted({0, len(records), *(cut for cut in cuts if cut < len(records))})
    for start, end in itertools.pairwise(edges):
        pieces += decode(records[start:end], reader, start)
        if restart:
            state = snapshots.decode(snapshots.encode(reader.snapshot()))
            reader = decoder(slots := SlotTable(slots.paths()))
            reader.restore(state)
    assert flat(pieces) == whole


@given(st.lists(RECORDS, max_size=25))
def test_every_record_is_counted_once(records: list[Record]) -> None:
    """Received = decoded + dead + duplicate, and our own records are counted apart."""
    counts = flat(decode(records))[-1]
    own = sum(record.topic.startswith("$") for record in records)
    assert counts.control == own
    assert counts.decoded + counts.dead + counts.duplicate == len(records) - own
