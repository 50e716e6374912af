"""Meters that count up (energy): what is watched is the rate between two readings, not the count.

Some meters report under the same name what was used since the last report. That they do shows in values that fall: a channel of
which more than one change in fifty is a fall is taken as it is.
"""

from typing import Any, NamedTuple

import numpy as np

from domain.measurands import INDEX
from domain.readings import Readings

_ENERGY = INDEX["energy_kwh"]
_HOUR_MS = 3_600_000.0
_FALLS = 0.02
_SURE = 3
"""Changes before a fall is no longer taken for a sign: a new meter begins anew."""


class _Meter(NamedTuple):
    """The last count, when, how many changes there were and how many of them fell."""

    value: float
    at_ms: int
    changes: int
    falls: int


class Counters:
    """Turns counts into rates (unit of the count an hour). One small entry a meter."""

    def __init__(self) -> None:
        self._meters: dict[int, _Meter] = {}

    def as_rates(self, readings: Readings) -> Readings:
        """Return the readings with rates in place of counts, without a meter's first reading and those that start it anew."""
        rows = np.flatnonzero(readings.measurand == _ENERGY)
        if not len(rows):
            return readings
        values, keep = readings.value.copy(), np.ones(len(readings), bool)
        for row in rows.tolist():
            rate = self._rate(int(readings.slot[row]), float(values[row]), int(readings.event_ms[row]))
            keep[row] = rate is not None
            values[row] = rate or 0.0
        columns = {name: getattr(readings, name) for name in readings.__slots__}
        return Readings(**{**columns, "value": values}).take(keep)

    def _rate(self, slot: int, value: float, at_ms: int) -> float | None:
        before = self._meters.get(slot)
        if before is None:
            self._meters[slot] = _Meter(value, at_ms, 0, 0)
            return None
        fell, changed = value < before.value, value != before.value
        meter = _Meter(value, at_ms, before.changes + changed, before.falls + fell)
        self._meters[slot] = meter
        if meter.falls > max(1, _FALLS * meter.changes):
            return value
        hours = (at_ms - before.at_ms) / _HOUR_MS
        return None if fell or hours <= 0 else (value - before.value) / hours

    def snapshot(self) -> list[list[Any]]:
        """Return the state as plain values."""
        return [[slot, *meter] for slot, meter in self._meters.items()]

    def restore(self, state: list[list[Any]]) -> None:
        """Become what `snapshot` gave."""
        self._meters = {slot: _Meter(*row) for slot, *row in state}
