"""What devices said, decoded: readings as arrays, signals as objects, and the segment that carries both to the detectors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.changes import RegisterChange
from domain.measurands import COUNT


class Quality(IntFlag):
    """What must be known about a reading or signal before it may raise a live alarm (architecture.md, Time)."""

    RETAINED = 1
    """A stored message: history only, never an alarm."""
    LATE = 2
    """Older than 5 min on arrival by a device clock that is not known to be wrong: alarms are raised and marked 迟报."""
    CLAMPED = 4
    """The device's time was in the future and was replaced by ours."""
    UNTIMED = 8
    """The device gave no time; ours stands in."""


NOT_LIVE = int(Quality.RETAINED | Quality.LATE)
"""What is old news: it teaches no model."""
UNNUMBERED = -1
"""Stands for a `boot` or `seq` that a message did not have."""

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Int16 = NDArray[np.int16]
UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Readings:
    """Struct of arrays, one row a reading, all of shape (n,), in journal order.

    `offset` of the record; `slot` of the device; `measurand` index of domain.measurands; `value` in the measurand's unit,
    finite; `event_ms` the device's time (epoch ms, clamped to `received_ms`); `received_ms` ours; `quality` Quality bits.
    """

    offset: Int64
    slot: Int32
    measurand: Int16
    value: Float64
    event_ms: Int64
    received_ms: Int64
    quality: UInt8

    def __len__(self) -> int:
        return len(self.offset)

    def take(self, rows: NDArray[Any] | slice) -> "Readings":
        """Return the rows chosen by an index array, a boolean mask, or a slice (which copies nothing)."""
        if isinstance(rows, slice):
            return Readings(*(getattr(self, name)[rows] for name in self.__slots__))
        if rows.dtype == np.bool_:  # looked for once, not once a column
            rows = rows.nonzero()[0]
        if not len(rows):  # most detectors, of most segments
            return _NONE
        return Readings(*(getattr(self, name).take(rows) for name in self.__slots__))

    @classmethod
    def concatenate(cls, parts: Sequence["Readings"]) -> "Readings":
        """Return the parts one after another."""
        if not parts:
            return cls.empty()
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))

    @classmethod
    def empty(cls) -> "Readings":
        return cls(
            np.empty(0, np.int64),
            np.empty(0, np.int32),
            np.empty(0, np.int16),
            np.empty(0, np.float64),
            np.empty(0, np.int64),
            np.empty(0, np.int64),
            np.empty(0, np.uint8),
        )


_NONE = Readings.empty()


@dataclass(frozen=True, slots=True)
class Contacts:
    """One row a message of a device, whatever it said (a will is the broker's word), in journal order; shape (m,).

    `event_ms` as in Readings; `skew_ms`: how far the device's clock is ahead of ours by this message alone (0 when it is
    late or has no time); `boot` and `seq` as sent, UNNUMBERED where absent.
    """

    offset: Int64
    slot: Int32
    received_ms: Int64
    retained: NDArray[np.bool_]
    event_ms: Int64
    skew_ms: Int64
    boot: Int64
    seq: Int64

    def __len__(self) -> int:
        return len(self.offset)

    @classmethod
    def empty(cls) -> "Contacts":
        none = np.empty(0, np.int64)
        return cls(none, np.empty(0, np.int32), none, np.empty(0, np.bool_), none, none, none, none)


class Signal(NamedTuple):
    """A rare thing a device said: an event of wire.md (`type` as there) or `status.online` / `status.offline`."""

    offset: int
    slot: int
    type: str
    data: dict[str, Any]
    event_ms: int
    received_ms: int
    quality: int = 0
    boot: int | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive records, decoded: `[first_offset, end_offset)`; at most one control, always the last record.

    `tick_ms`: time went on to this; `started_ms`: the service (re)started at this; `changes`: register changes to apply
    after the readings and signals (with `changed_ms` the record's received_ms).
    """

    first_offset: int
    end_offset: int
    readings: Readings = field(default_factory=Readings.empty)
    contacts: Contacts = field(default_factory=Contacts.empty)
    signals: tuple[Signal, ...] = ()
    tick_ms: int | None = None
    started_ms: int | None = None
    changes: tuple[RegisterChange, ...] = ()
    changed_ms: int | None = None
    _chosen: "_Chosen" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_chosen", _Chosen(self.readings))

    def of(self, measurands: tuple[int, ...], without: int) -> Readings:
        """Return the readings of these measurands that have none of the quality bits `without`; made once for all who ask."""
        return self._chosen.of(measurands, without)


class _Chosen:
    """Parts of some readings, each made when it is first asked for."""

    __slots__ = ("_made", "_present", "_quality", "_readings")

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._made: dict[tuple[tuple[int, ...], int], Readings] = {}
        self._present: frozenset[int] | None = None
        self._quality = 0

    def of(self, measurands: tuple[int, ...], without: int) -> Readings:
        if self._present is None:
            self._present = frozenset(np.flatnonzero(np.bincount(self._readings.measurand, minlength=COUNT)).tolist())
            self._quality = int(np.bitwise_or.reduce(self._readings.quality))
        key = (measurands, without & self._quality)
        if key not in self._made:
            self._made[key] = _NONE if self._present.isdisjoint(measurands) else self._make(*key)
        return self._made[key]

    def _make(self, measurands: tuple[int, ...], without: int) -> Readings:
        chosen = _table(measurands)[self._readings.measurand]
        if without:
            chosen &= self._readings.quality & without == 0
        return self._readings.take(chosen)


@cache
def _table(measurands: tuple[int, ...]) -> NDArray[np.bool_]:
    table = np.zeros(COUNT, np.bool_)
    table[list(measurands)] = True
    return table
