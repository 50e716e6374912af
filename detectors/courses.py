"""How sensors went in the last minutes, in arrays: rings of points, one row a sensor that is followed.

Points are kept at most 24 a window of two minutes: of what is said closer together the newest counts. Most sensors that are
followed only hover; `may_reach` says so for all of them at once, by two facts that every rise to a limit implies: three pairs of
points in four go up, and every second goes up as fast as the limit asks for.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import grown
from domain.readings import Float64, Int64

WINDOW_MS = 120_000
POINTS = 24
"""Points kept of a window, at least `WINDOW_MS / POINTS` apart: what is said every second says little more."""
FEWEST = 4
_SURELY = 1.0 - 1e-9
"""Leaves room for rounding: what is told apart here is judged exactly elsewhere."""

Mask = NDArray[np.bool_]


class Courses:
    """Rings of points by row, grown on demand: 386 bytes a row."""

    def __init__(self) -> None:
        self._times = np.zeros((0, POINTS), np.int64)
        self._values = np.zeros((0, POINTS))
        self._next = np.zeros(0, np.int8)
        """Where the next point goes."""
        self._count = np.zeros(0, np.int8)

    def grow(self, size: int) -> None:
        """Make room for rows up to `size`."""
        self._times, self._values = grown(self._times, size), grown(self._values, size)
        self._next, self._count = grown(self._next, size), grown(self._count, size)

    def add(self, rows: Int64, times_ms: Int64, values: Float64) -> Mask:
        """Add one point to each row and forget what has left the window; return whether it is newer than the row's last.

        A clock set back by more than the window begins anew.
        """
        since = times_ms - self._times[rows, self._place(rows, 1)]
        self.clear(rows[since < -WINDOW_MS])
        newer: Mask = (since > 0) | (self._count[rows] == 0)
        rows, times_ms, values = rows[newer], times_ms[newer], values[newer]
        close = (self._count[rows] > 1) & (times_ms - self._times[rows, self._place(rows, 2)] < WINDOW_MS // POINTS)
        more = rows[~close]
        self._next[more] = (self._next[more] + 1) % POINTS
        self._count[more] = np.minimum(self._count[more] + 1, POINTS)
        last = self._place(rows, 1)
        self._times[rows, last], self._values[rows, last] = times_ms, values
        self._forget(rows, times_ms)
        return newer

    def _place(self, rows: Int64, back: NDArray[np.signedinteger[Any]] | int) -> Int64:
        place: Int64 = (self._next[rows].astype(np.int64) - back) % POINTS
        return place

    def _forget(self, rows: Int64, now_ms: Int64) -> None:
        while len(rows):
            old = (self._count[rows] > FEWEST) & (now_ms - self._begun_ms(rows) > WINDOW_MS)
            rows, now_ms = rows[old], now_ms[old]
            self._count[rows] -= 1

    def _begun_ms(self, rows: Int64) -> Int64:
        begun: Int64 = self._times[rows, self._place(rows, self._count[rows])]
        return begun

    def clear(self, rows: Int64) -> None:
        """Forget all points of these rows."""
        self._count[rows] = 0

    def is_empty(self, rows: Int64) -> Mask:
        """Whether rows have no points."""
        empty: Mask = self._count[rows] == 0
        return empty

    def has_enough(self, rows: Int64) -> Mask:
        """Whether rows have points enough to tell how they go."""
        enough: Mask = self._count[rows] >= FEWEST
        return enough

    def points(self, row: int) -> tuple[Int64, Float64]:
        """Return times and values of one row, oldest first."""
        places = (int(self._next[row]) - np.arange(int(self._count[row]), 0, -1)) % POINTS
        return self._times[row, places], self._values[row, places]

    def may_reach(self, rows: Int64, limit: Float64, horizon_s: float, lasting_ms: float) -> Mask:
        """Return False where a row certainly does not rise to its limit within the horizon, or has not for so long.

        Its median slope would have to bring it there, and the lower quartile of its slopes to be above zero.
        """
        last = self._place(rows, 1)
        now_ms, value = self._times[rows, last], self._values[rows, last]
        may = self.has_enough(rows) & (now_ms - self._begun_ms(rows) >= lasting_ms) & (value < limit)
        left = np.flatnonzero(may)
        may[left] = self._mostly_rises(rows[left])
        left = np.flatnonzero(may)
        needed = _SURELY * (limit[left] - value[left]) / (1000.0 * horizon_s)
        may[left] = self._rises_by(rows[left], needed)
        return may

    def _mostly_rises(self, rows: Int64) -> Mask:
        _, values = self._in_order(rows)
        pairs = _pairs(self._count[rows])
        mostly: Mask = _rising(values) >= pairs - np.ceil((pairs - 1) / 4)
        return mostly

    def _rises_by(self, rows: Int64, slope: Float64) -> Mask:
        times, values = self._in_order(rows)
        fast: Mask = _rising(values - slope * times, level=True) >= _pairs(self._count[rows]) / 2
        return fast

    def _in_order(self, rows: Int64) -> tuple[Float64, Float64]:
        """Return times (ms, 0 the newest) and values, shape (points, rows), oldest first, NaN after the newest."""
        count = self._count[rows].astype(np.int64)
        steps = np.arange(int(count.max(initial=0)))[:, None]
        places = rows * POINTS + (self._next[rows] - count + steps) % POINTS
        times, values = self._times.take(places), self._values.take(places)
        values[steps >= count] = np.nan
        return (times - self._times[rows, self._place(rows, 1)]).astype(float), values

    def snapshot(self, rows: Int64) -> dict[str, NDArray[Any]]:
        """Return the state of these rows, in this order."""
        return {name: getattr(self, f"_{name}")[rows] for name in ("times", "values", "next", "count")}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Become what `snapshot` gave: its rows are the first."""
        for name, array in state.items():
            setattr(self, f"_{name}", np.array(array))


def _pairs(count: NDArray[np.int8]) -> Int64:
    wide = count.astype(np.int64)
    return wide * (wide - 1) // 2


def _rising(values: Float64, *, level: bool = False) -> Int64:
    """Return how many pairs of points go up, or are level if that counts too; shape (points, n) → (n,)."""
    rising = np.zeros(values.shape[1], np.int64)
    compare = np.greater_equal if level else np.greater
    for lag in range(1, len(values)):
        rising += compare(values[lag:], values[:-lag]).sum(axis=0, dtype=np.uint8)
    return rising
