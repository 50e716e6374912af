"""A segment in the making: plain lists and bytes while records are read, arrays once at its end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, NamedTuple

import numpy as np

from domain.changes import RegisterChange
from domain.errors import MalformedPayloadError
from domain.readings import UNNUMBERED, Contacts, Int32, Int64, Quality, Readings, Segment, Signal, UInt8
from domain.records import Record
from ingest.codecs.native import Message
from ledger.books import Counts, DeadLetter

MOST = 1e12
"""No quantity is larger, either way; beyond it, sums and squares of what a broken device says would be no numbers any more."""
_CLAMPED = int(Quality.CLAMPED)
_LATE = int(Quality.LATE)


class Receipt(NamedTuple):
    """The event (boot, seq) of the device is in the journal; also for repeats, or the device would go on repeating."""

    path: str
    boot: int | None
    seq: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """One segment, what could not be read of its records, what became of each, and whom to tell that it arrived."""

    segment: Segment
    dead_letters: list[DeadLetter]
    counts: Counts
    receipts: list[Receipt]


class Control(NamedTuple):
    """What the record of ours that ends a segment says; empty for a segment that just ends."""

    tick_ms: int | None = None
    started_ms: int | None = None
    changes: tuple[RegisterChange, ...] = ()
    changed_ms: int | None = None


_ROW = np.dtype(
    [
        ("offset", "<i8"),
        ("received_ms", "<i8"),
        ("event_ms", "<i8"),
        ("boot", "<i8"),
        ("seq", "<i8"),
        ("slot", "<i4"),
        ("size", "<u2"),
        ("quality", "<u2"),
    ]
)
"""A message; `size`: how many readings it has."""
_row = Struct("<qqqqqiHH").pack  # one call and one copy a message, where a list a column costs three times as much


@dataclass(slots=True)
class Draft:
    """`rows`: messages as bytes of _ROW; `measurand` (int16, as bytes) and `value` have one entry a reading.

    `measurand` is bytes because a device sends the same ones each time: they are added as one string.
    `ahead`: (message, ms) of those whose clocks ran ahead and whose times were clamped.
    """

    first_offset: int
    decoded: int = 0
    duplicate: int = 0
    thinned: int = 0
    control: int = 0
    rows: bytearray = field(default_factory=bytearray)
    ahead: list[tuple[int, int]] = field(default_factory=list)
    measurand: bytearray = field(default_factory=bytearray)
    value: list[float] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)

    def message(
        self,
        offset: int,
        slot: int,
        received_ms: int,
        event_ms: int,
        quality: int,
        size: int = 0,
        head: Message = Message(),  # noqa: B008  frozen: what a message that says nothing of itself has
    ) -> None:
        """Add a message with `size` readings, which must be added to `measurand` and `value`."""
        boot, seq = head.boot, head.seq
        if quality & _CLAMPED and head.ts is not None:
            self.ahead.append((len(self.rows) // _ROW.itemsize, head.ts - received_ms))
        self.rows += _row(
            offset,
            received_ms,
            event_ms,
            UNNUMBERED if boot is None else boot,
            UNNUMBERED if seq is None else seq,
            slot,
            size,
            quality,
        )

    def messages(
        self,
        offset: Int64,
        slot: Int32,
        received_ms: Int64,
        event_ms: Int64,
        quality: UInt8,
        size: Sequence[int],
        ts: Int64,
        boot: Int64,
        seq: Int64,
    ) -> None:
        """As `message` for many, all of shape (n,); UNNUMBERED where a `ts`, `boot` or `seq` is absent."""
        begin, rows = len(self.rows) // _ROW.itemsize, np.empty(len(offset), _ROW)
        rows["offset"], rows["slot"], rows["received_ms"], rows["event_ms"] = offset, slot, received_ms, event_ms
        rows["quality"], rows["size"], rows["boot"], rows["seq"] = quality, size, boot, seq
        self.rows += rows.tobytes()
        clamped = np.flatnonzero(quality & _CLAMPED)
        leads = (ts - received_ms)[clamped].tolist()
        self.ahead += zip((begin + clamped).tolist(), leads, strict=True)

    def mark(self) -> tuple[int, ...]:
        """Return where `undo` has to go back to."""
        return tuple(len(part) for part in self._parts())

    def undo(self, mark: tuple[int, ...]) -> None:
        """Take away what was added since the mark."""
        for part, length in zip(self._parts(), mark, strict=True):
            del part[length:]

    def _parts(self) -> tuple[Any, ...]:
        return self.rows, self.ahead, self.measurand, self.value, self.signals, self.receipts

    def dead(self, offset: int, record: Record, error: MalformedPayloadError) -> None:
        """Add a record that nobody can read."""
        self.dead_letters.append(
            DeadLetter(
                offset=offset,
                received_ms=record.received_ms,
                topic=record.topic,
                payload=record.payload,
                reason=error.reason,
                detail=error.detail,
            )
        )

    def _skew_ms(self, skew_ms: Int64, quality: UInt8) -> Int64:
        """Return the lead of each message's clock, given that of its clamped time; a late message says nothing of it."""
        skew_ms[(quality & _LATE) != 0] = 0
        for message, ahead_ms in self.ahead:
            skew_ms[message] = ahead_ms
        return skew_ms

    def finish(self, end_offset: int, control: Control | None) -> Decoded:
        """Return what came of the records `[first_offset, end_offset)`."""
        counts = Counts(
            self.decoded,
            len(self.dead_letters),
            self.duplicate,
            self.control + (control is not None),
            self.thinned,
        )
        rows = np.frombuffer(self.rows, _ROW)
        offset, slot, received_ms, event_ms, boot, seq = (
            rows[name].copy() for name in ("offset", "slot", "received_ms", "event_ms", "boot", "seq")
        )
        quality, size = rows["quality"].astype(np.uint8), rows["size"]
        readings = Readings(
            np.repeat(offset, size),
            np.repeat(slot, size),
            np.frombuffer(self.measurand, np.int16),
            np.clip(np.array(self.value, np.float64), -MOST, MOST),
            np.repeat(event_ms, size),
            np.repeat(received_ms, size),
            np.repeat(quality, size),
        )
        retained = (quality & Quality.RETAINED) != 0
        skew_ms = self._skew_ms(event_ms - received_ms, quality)
        contacts = Contacts(offset, slot, received_ms, retained, event_ms, skew_ms, boot, seq)
        segment = Segment(
            self.first_offset, end_offset, readings, contacts, tuple(self.signals), *(control or Control())
        )
        return Decoded(segment, self.dead_letters, counts, self.receipts)
