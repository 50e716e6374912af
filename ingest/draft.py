"""A segment in the making: plain lists while records are read, arrays once at its end."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from domain.changes import RegisterChange
from domain.errors import MalformedPayloadError
from domain.readings import UNNUMBERED, Contacts, Int64, Quality, Readings, Segment, Signal, UInt8
from domain.records import Record
from ingest.codecs.native import Message
from ledger.books import Counts, DeadLetter

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


@dataclass(slots=True)
class Draft:
    """Lists with one entry a message (`offset` … `size`: how many readings it has) or a reading (`measurand`, `value`).

    `measurand` is int16 as bytes, because a device sends the same ones each time: they are added as one string.
    `ahead`: (message, ms) of those whose clocks ran ahead and whose times were clamped.
    """

    first_offset: int
    decoded: int = 0
    duplicate: int = 0
    thinned: int = 0
    control: int = 0
    offset: list[int] = field(default_factory=list)
    slot: list[int] = field(default_factory=list)
    received_ms: list[int] = field(default_factory=list)
    event_ms: list[int] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    boot: list[int] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
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
        if quality & _CLAMPED and head.ts is not None:
            self.ahead.append((len(self.offset), head.ts - received_ms))
        self.boot.append(UNNUMBERED if head.boot is None else head.boot)
        self.seq.append(UNNUMBERED if head.seq is None else head.seq)
        self.offset.append(offset)
        self.slot.append(slot)
        self.received_ms.append(received_ms)
        self.event_ms.append(event_ms)
        self.quality.append(quality)
        self.size.append(size)

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
        offset, slot = np.array(self.offset, np.int64), np.array(self.slot, np.int32)
        received_ms, quality = np.array(self.received_ms, np.int64), np.array(self.quality, np.uint8)
        size = np.array(self.size, np.intp)
        event_ms = np.array(self.event_ms, np.int64)
        readings = Readings(
            np.repeat(offset, size),
            np.repeat(slot, size),
            np.frombuffer(self.measurand, np.int16),
            np.array(self.value, np.float64),
            np.repeat(event_ms, size),
            np.repeat(received_ms, size),
            np.repeat(quality, size),
        )
        contacts = Contacts(
            offset,
            slot,
            received_ms,
            (quality & Quality.RETAINED) != 0,
            event_ms,
            self._skew_ms(event_ms - received_ms, quality),
            np.array(self.boot, np.int64),
            np.array(self.seq, np.int64),
        )
        segment = Segment(
            self.first_offset, end_offset, readings, contacts, tuple(self.signals), *(control or Control())
        )
        return Decoded(segment, self.dead_letters, counts, self.receipts)
