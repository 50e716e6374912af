"""How far a quantity has risen within ten minutes, for many devices at once: above the lowest of ten one-minute minima."""

from typing import Any

import numpy as np

from detectors.arrays import grown, rounds
from domain.readings import Float64, Int64, Readings

MINUTES = 10
_MINUTE_MS = 60_000


class Rises:
    """One row a slot that sends the quantity: the minimum of each of the last ten minutes, and which minutes those were."""

    def __init__(self) -> None:
        self._row = np.empty(0, np.int32)
        """Slot → row, or -1."""
        self._slots = np.empty(0, np.int64)
        self._low: Float64 = np.empty((0, MINUTES))
        self._minute: Int64 = np.empty((0, MINUTES), np.int64)

    def rise(self, readings: Readings, slots: int) -> Float64:
        """Return, for readings of the quantity, how far each is above its device's lowest of ten minutes."""
        rows = self._rows(readings, slots)
        found = np.zeros(len(readings))
        for chosen in rounds(rows):
            found[chosen] = self._advance(rows[chosen], readings.value[chosen], readings.event_ms[chosen] // _MINUTE_MS)
        return found

    def _rows(self, readings: Readings, slots: int) -> Int64:
        self._row = grown(self._row, slots, fill=-1)
        new = readings.slot[self._row[readings.slot] < 0]
        if len(new):
            fresh = new[np.sort(np.unique(new, return_index=True)[1])]
            self._row[fresh] = np.arange(len(self._slots), len(self._slots) + len(fresh))
            self._slots = np.concatenate((self._slots, fresh.astype(np.int64)))
            self._low = np.concatenate((self._low, np.full((len(fresh), MINUTES), np.inf)))
            self._minute = np.concatenate((self._minute, np.full((len(fresh), MINUTES), -MINUTES, np.int64)))
        return self._row[readings.slot].astype(np.int64)

    def _advance(self, rows: Int64, values: Float64, minutes: Int64) -> Float64:
        place = minutes % MINUTES
        known = self._minute[rows, place] == minutes
        self._low[rows, place] = np.where(known, np.minimum(self._low[rows, place], values), values)
        self._minute[rows, place] = minutes
        recent = minutes[:, None] - self._minute[rows] < MINUTES
        lowest: Float64 = np.where(recent, self._low[rows], np.inf).min(axis=1)
        return values - lowest

    def snapshot(self) -> dict[str, Any]:
        return {"slots": self._slots.copy(), "low": self._low.copy(), "minute": self._minute.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        self._slots, self._low = np.array(state["slots"]), np.array(state["low"])
        self._minute = np.array(state["minute"])
        self._row = np.full(int(self._slots.max(initial=-1)) + 1, -1, np.int32)
        self._row[self._slots] = np.arange(len(self._slots))
