"""Telemetry into a draft: what a message's names come to, one message at a time and, the rule under load, many at once.

Many at once give the same as one after another, with the state of clocks and duplicates judged in arrays: a third of the cost.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from domain.measurands import INDEX
from domain.readings import UNNUMBERED, Int32, Int64
from domain.records import Record
from ingest.clocks import SYNCED_MS, Clocks
from ingest.codecs.native import Telemetry
from ingest.draft import Draft
from ingest.duplicates import Duplicates

_BATTERY = np.array([INDEX["battery_pct"]], np.int16).tobytes()
_MAX_SHAPES = 4096  # sets of measurand names remembered: far more than makes of devices
_MAX_UNKNOWN = 256
_MAX_NAME = 64  # longer names are not remembered, so that what is remembered is bounded whatever devices send
_OTHER = "(other)"


class _Shape(NamedTuple):
    """What a set of measurand names comes to: the columns of the `known` ones (int16 as bytes), and the other names."""

    columns: bytes
    known: int
    unknown: tuple[str, ...]


class Run(NamedTuple):
    """Consecutive records of one ordinary message each, from devices with slots."""

    slots: list[int]
    records: Sequence[Record]
    messages: list[Telemetry]


class Reader:
    """Judges telemetry by `duplicates` and `clocks` and adds it to drafts.

    `unknown_measurands` counts readings by names that are in no table, since this object was made; they are not stored.
    """

    def __init__(self, duplicates: Duplicates, clocks: Clocks) -> None:
        self.unknown_measurands: dict[str, int] = {}
        self._duplicates = duplicates
        self._clocks = clocks
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def one(
        self, draft: Draft, offset: int, record: Record, slot: int, messages: Sequence[Telemetry], retained: int
    ) -> bool:
        """Add the messages of one record, but repeats; return whether it was no repeat."""
        received_ms = record.received_ms
        fresh = messages if retained else self._duplicates.fresh(slot, messages, record.payload, received_ms)
        self.add(draft, offset, received_ms, slot, fresh, retained)
        return bool(fresh) or not messages

    def add(
        self, draft: Draft, offset: int, received_ms: int, slot: int, messages: Sequence[Telemetry], retained: int = 0
    ) -> None:
        """Add the messages of one record, whether or not they came before."""
        for message in messages:
            size = self._values(draft, message)
            event_ms, quality = self._clocks.judge(slot, message.ts, received_ms)
            draft.message(offset, slot, received_ms, event_ms, quality | retained, size, message)

    def many(self, draft: Draft, first_offset: int, run: Run) -> int:
        """Add the run's messages, but repeats; return how many were none."""
        slot = np.array(run.slots, np.int32)
        received_ms = np.array([record.received_ms for record in run.records], np.int64)
        ts, boot, seq = _heads(run.messages)
        offset = np.arange(first_offset, first_offset + len(slot))
        messages = run.messages
        columns: list[Any] = [offset, slot, received_ms, ts, boot, seq]
        repeats = self._repeats(run, slot, ts, boot, seq, received_ms)
        if repeats:
            kept = np.delete(offset - first_offset, repeats)
            columns = [column[kept] for column in columns]
            messages = [messages[i] for i in kept.tolist()]
        offset, slot, received_ms, ts, boot, seq = columns
        sizes = [self._values(draft, message) for message in messages]
        event_ms, quality = self._clocks.judge_all(slot, ts, received_ms)
        draft.messages(offset, slot, received_ms, event_ms, quality, sizes, ts, boot, seq)
        return len(messages)

    def _repeats(self, run: Run, slot: Int32, ts: Int64, boot: Int64, seq: Int64, received_ms: Int64) -> list[int]:
        """Remember the run's messages; return which are repeats."""
        at_ms = np.where((ts >= SYNCED_MS) & (ts < received_ms), ts, received_ms)
        others = np.flatnonzero(~self._duplicates.in_order(slot, boot, seq, at_ms)).tolist()
        return [i for i in others if not self._is_fresh(run, i)]

    def _is_fresh(self, run: Run, i: int) -> bool:
        record = run.records[i]
        return bool(self._duplicates.fresh(run.slots[i], (run.messages[i],), record.payload, record.received_ms))

    def _values(self, draft: Draft, message: Telemetry) -> int:
        """Add the readings of a message; return how many."""
        values = message.v
        names = tuple(values)
        shape = self._shapes.get(names) or self._shape(names)
        if shape.unknown:
            self._count_unknown(shape.unknown)
            values = {name: value for name, value in values.items() if name in INDEX}
        draft.value += values.values()
        draft.measurand += shape.columns
        if message.bat is None:
            return shape.known
        draft.measurand += _BATTERY
        draft.value.append(message.bat)
        return shape.known + 1

    def _shape(self, names: tuple[str, ...]) -> _Shape:
        known = [INDEX[name] for name in names if name in INDEX]
        unknown = tuple(name for name in names if name not in INDEX)
        shape = _Shape(np.array(known, np.int16).tobytes(), len(known), unknown)
        if len(self._shapes) < _MAX_SHAPES and all(len(name) <= _MAX_NAME for name in unknown):
            self._shapes[names] = shape
        return shape

    def _count_unknown(self, names: tuple[str, ...]) -> None:
        counts = self.unknown_measurands
        for name in names:
            fits = name in counts or (len(counts) < _MAX_UNKNOWN and len(name) <= _MAX_NAME)
            counted = name if fits else _OTHER
            counts[counted] = counts.get(counted, 0) + 1


def _heads(messages: Sequence[Telemetry]) -> tuple[Int64, Int64, Int64]:
    """Return ts, boot and seq of each, UNNUMBERED where absent."""
    columns = ([m.ts for m in messages], [m.boot for m in messages], [m.seq for m in messages])
    ts, boot, seq = (
        np.array(column if None not in column else [UNNUMBERED if x is None else x for x in column], np.int64)
        for column in columns
    )
    return ts, boot, seq
