"""What is usual at this quarter hour of this weekday: the median of the last weeks, and how far they stray from it.

Each series keeps six weeks of quarter hours. The quarters beside this one count too, so that a shift which begins ten minutes
early is nothing unusual; until there are weeks enough, the same time of the other days stands in.
"""

from typing import Any, NamedTuple

import numpy as np

from domain.readings import Float64

QUARTER_MS = 900_000
WEEKS = 6
_A_DAY = 96
_A_WEEK = 7 * _A_DAY
_LOCAL_MS = 8 * 3_600_000
_THURSDAY = 3 * _A_DAY
"""The epoch began on a Thursday; our weeks begin on Monday."""
_BESIDE = np.array([-1, 0, 1])
_ENOUGH = 6
"""Samples of the same weekday: those of two weeks."""
_ENOUGH_DAYS = 15
"""Samples of any day: those of five days."""
_TO_SIGMA = 1.4826
"""Median absolute deviation → standard deviation of a normal law."""


def quarter_of(epoch_ms: int) -> int:
    """Return the number of the local quarter hour."""
    return (epoch_ms + _LOCAL_MS) // QUARTER_MS


def begins_ms(quarter: int) -> int:
    """Return when a quarter hour begins (epoch ms)."""
    return quarter * QUARTER_MS - _LOCAL_MS


class Usual(NamedTuple):
    """For each series, shape (n,): median, spread (robust standard deviation), and on how many samples they rest (0: unknown)."""

    median: Float64
    spread: Float64
    samples: Float64


class Weeks:
    """Values by series, week and quarter hour. Memory: 16 KiB a series."""

    def __init__(self) -> None:
        self._values = np.empty((0, WEEKS, _A_WEEK), np.float32)

    def grow(self, series: int) -> None:
        """Make room for this many series."""
        more = series - len(self._values)
        if more > 0:
            self._values = np.concatenate((self._values, np.full((more, WEEKS, _A_WEEK), np.nan, np.float32)))

    def put(self, quarter: int, values: Float64) -> None:
        """Keep a quarter's value of every series, NaN where it is not known."""
        week, place = divmod(quarter + _THURSDAY, _A_WEEK)
        self._values[:, week % WEEKS, place] = values

    def usual(self, quarter: int) -> Usual:
        """Return what is usual at this quarter hour."""
        place = (quarter + _THURSDAY) % _A_WEEK
        same = self._median(self._values[:, :, (place + _BESIDE) % _A_WEEK], _ENOUGH)
        days = (place + _BESIDE)[:, None] + np.arange(7) * _A_DAY
        any_day = self._median(self._values[:, :, (days % _A_WEEK).ravel()], _ENOUGH_DAYS)
        known = same.samples > 0
        return Usual(*(np.where(known, a, b) for a, b in zip(same, any_day, strict=True)))

    @staticmethod
    def _median(samples: Any, enough: int) -> Usual:
        flat = samples.reshape(len(samples), int(np.prod(samples.shape[1:]))).astype(float)
        count = (~np.isnan(flat)).sum(axis=1)
        median = _middle(flat, count)
        spread = _middle(np.abs(flat - median[:, None]), count) * _TO_SIGMA
        return Usual(median, spread, np.where(count >= enough, count, 0).astype(float))

    def snapshot(self) -> Any:
        return self._values.copy()

    def restore(self, state: Any) -> None:
        self._values = np.array(state)


def _middle(samples: Float64, count: Any) -> Float64:
    """Return the median of each row's known values, which sorting puts before the NaNs; NaN for none."""
    if not samples.size:
        return np.full(len(samples), np.nan)
    ordered, rows, last = np.sort(samples, axis=1), np.arange(len(samples)), np.maximum(count - 1, 0)
    middle: Float64 = (ordered[rows, last // 2] + ordered[rows, (last + 1) // 2]) / 2
    return middle
