"""Channels: one measurand of one device, numbered densely in order of appearance, so that models keep their state in arrays."""

import numpy as np

from detectors.arrays import grown
from domain.measurands import COUNT
from domain.readings import Int64, Readings


class Channels:
    """(slot, measurand) → number, for some measurands. Memory: 4 bytes a slot and measurand, 8 a channel."""

    def __init__(self, measurands: tuple[int, ...]) -> None:
        self._lane = np.full(COUNT, -1, np.int8)
        self._lane[list(measurands)] = range(len(measurands))
        self._lanes = len(measurands)
        self._number = np.empty((0, self._lanes), np.int32)
        """The channel and one more; 0: none."""
        self._keys: Int64 = np.empty(0, np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, readings: Readings, slots: int) -> tuple[Int64, Int64]:
        """Return the channel of each reading, and the rows that begin one: in order, their channels are the newest numbers."""
        self._number = grown(self._number, slots)
        cells = readings.slot.astype(np.int64) * self._lanes + self._lane[readings.measurand]
        numbers = self._number.ravel().take(cells)
        new = np.flatnonzero(numbers == 0)
        if len(new):
            new = new[np.sort(np.unique(cells[new], return_index=True)[1])]
            start, self._count = self._count, self._count + len(new)
            self._keys = grown(self._keys, self._count)
            self._keys[start : self._count] = readings.slot[new].astype(np.int64) * COUNT + readings.measurand[new]
            self._number.ravel()[cells[new]] = range(start + 1, self._count + 1)
            numbers = self._number.ravel().take(cells)
        return numbers.astype(np.int64) - 1, new

    def of_slot(self, slot: int) -> Int64:
        """Return the channels of one device; none of one that never spoke of these measurands."""
        numbers: Int64 = self._number[slot : slot + 1].ravel().astype(np.int64)
        return numbers[numbers > 0] - 1

    def snapshot(self) -> Int64:
        """Return slot × COUNT + measurand of every channel."""
        return self._keys[: self._count].copy()

    def restore(self, keys: Int64) -> None:
        """Become what `snapshot` gave."""
        self._keys, self._count = np.array(keys), len(keys)
        slots, lanes = self._keys // COUNT, self._lane[self._keys % COUNT]
        self._number = np.zeros((int(slots.max(initial=-1)) + 1, self._lanes), np.int32)
        self._number[slots, lanes] = range(1, self._count + 1)
