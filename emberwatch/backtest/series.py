"""Rows brought into the form that detectors can be fed: in order of time, each once, no faster than a meter tells."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.readings import Float64, Int64

Marks = NDArray[np.bool_]
_TENTH_MS = 100
_FAST = 1.5
"""Rows a tenth of a second that make a recording one of waves."""


class Series(NamedTuple):
    """n rows of c channels: `times` (n,) epoch ms, `values` (n, c), NaN where there is none, `marks` (n,) of labels."""

    times: Int64
    values: Float64
    marks: Marks

    def take(self, rows: Marks | Int64) -> "Series":
        """Return the rows chosen by a mask or by their places."""
        return Series(self.times[rows], self.values[rows], self.marks[rows])


def settled(series: Series, alternating: Marks) -> tuple[Series, list[str]]:
    """Return the series as detectors take it, and what that changed; `alternating` (c,): told by effective values."""
    series, back = _sorted(series)
    series, repeated = _once(series)
    series, metered = _metered(series, alternating)
    return series, [said for said in (back, repeated, metered) if said]


def _sorted(series: Series) -> tuple[Series, str]:
    back = int((np.diff(series.times) < 0).sum())
    if not back:
        return series, ""
    return series.take(
        np.argsort(series.times, kind="stable")
    ), f"{back} rows were not in order of time; they were sorted"


def _metered(series: Series, alternating: Marks) -> tuple[Series, str]:
    """Return a recording of waves as a meter would tell it; one that is no faster stays what it is."""
    times, values, marks = series
    first = np.flatnonzero(np.diff(times // _TENTH_MS, prepend=-1))
    if len(times) < _FAST * len(first) or len(first) == 1:
        return series, ""
    powers = np.where(alternating, values**2, values)
    count = np.add.reduceat(np.isfinite(values), first, dtype=float)
    with np.errstate(invalid="ignore"):  # no reading in this tenth
        means = np.add.reduceat(np.nan_to_num(powers), first) / count
    told = np.where(alternating, np.sqrt(np.where(alternating, means, 0.0)), means)
    said = "rows come faster than a meter tells: taken as means of tenths of a second, current and voltage as effective values"
    return Series(times[first], told, np.logical_or.reduceat(marks, first)), said


def _once(series: Series) -> tuple[Series, str]:
    times, values, _ = series
    same = np.zeros(len(times), np.bool_)
    same[1:] = (np.diff(times) == 0) & ((values[1:] == values[:-1]) | np.isnan(values[1:])).all(axis=1)
    if not same.any():
        return series, ""
    return series.take(~same), f"{int(same.sum())} rows repeat the one before; they were left out"
