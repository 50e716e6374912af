"""History in memory: for tests and back-tests, with the promises of the real one except surviving the process."""

import threading
from collections.abc import Sequence

import numpy as np

from domain.errors import InputError
from domain.history import MIN_POINTS, HistoryInfo, Series
from domain.measurands import INDEX, MEASURANDS
from domain.readings import Readings
from storage.curves import extremes


class MemoryHistory:
    """`domain.history.History` in arrays; thread-safe. Slots must keep their paths from write to write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings = Readings.empty()
        self._new: list[Readings] = []
        self._slots: dict[str, int] = {}
        self._offset = 0

    def write(self, readings: Readings, paths: Sequence[str], end_offset: int) -> None:
        with self._lock:
            if end_offset <= self._offset:
                return
            fresh = readings.take(readings.offset >= self._offset)
            self._slots.update((paths[slot], slot) for slot in np.unique(fresh.slot).tolist())
            self._new.append(fresh)
            self._offset = end_offset

    def offset(self) -> int:
        return self._offset

    def series(self, device: str, measurand: str, from_ms: int, to_ms: int, points: int) -> Series:
        if points < MIN_POINTS:
            raise InputError(f"a curve needs at least {MIN_POINTS} points")
        held = self._of(device)
        inside = (held.event_ms >= from_ms) & (held.event_ms < to_ms)
        held = held.take(inside & (held.measurand == INDEX.get(measurand, -1)))
        held = held.take(np.argsort(held.event_ms, kind="stable"))
        kept = np.arange(len(held)) if len(held) <= points else extremes(held.event_ms, held.value, points // 2)
        return Series(held.event_ms[kept], held.value[kept], len(held))

    def latest(self, device: str) -> dict[str, tuple[int, float]]:
        held = self._of(device)
        held = held.take(np.argsort(held.event_ms, kind="stable"))
        rows = zip(held.measurand.tolist(), held.event_ms.tolist(), held.value.tolist(), strict=True)
        return {MEASURANDS[measurand].name: (event_ms, value) for measurand, event_ms, value in rows}

    def drop_before(self, before_ms: int) -> int:
        with self._lock:
            held = self._all()
            self._readings = held.take(held.event_ms >= before_ms)
            return len(held) - len(self._readings)

    def info(self) -> HistoryInfo:
        with self._lock:
            held = self._all()
        size = sum(getattr(held, name).nbytes for name in held.__slots__)
        if not len(held):
            return HistoryInfo(0, None, None, size)
        return HistoryInfo(len(held), int(held.event_ms.min()), int(held.event_ms.max()), size)

    def close(self) -> None:
        """Keep everything: there is nothing to release."""

    def _all(self) -> Readings:
        """Return everything as one; the lock must be held."""
        if self._new:
            parts = [self._readings, *self._new]
            columns = (np.concatenate([getattr(part, name) for part in parts]) for name in Readings.__slots__)
            self._readings, self._new = Readings(*columns), []
        return self._readings

    def _of(self, device: str) -> Readings:
        with self._lock:
            held = self._all()
            return held.take(held.slot == self._slots.get(device, -1))
