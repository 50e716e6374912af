"""A one-sided CUSUM on an adaptive, robust baseline, for many channels at once (Page 1954; Huber's clipped updates).

Each channel learns where it usually is (`CENTRE`) and how far it usually strays (`SPREAD`), both from residuals clipped at a few
spreads, so that heavy tails and spikes teach little, and hardly at all while the channel is elevated. The sum grows by the
standardised excess over `k` per minute and counts a spike of seconds as seconds; a reading after a gap counts as one minute.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.readings import Float64

CENTRE, SPREAD, SUM, STEP, VALUE, MINUTES, SEEN, LAST_MS, ACTIVE, PEAK, UP_MS = range(11)
COLUMNS = 11
"""State of a channel, one row of float64 (88 bytes): centre, spread, sum, smallest step seen, last value, minutes and
readings learned, time of the last reading, 1 in an episode, its worst value, when the sum was last above zero."""

_MINUTE_MS = 60_000.0
_CLIP = 3.0
"""Residuals teach as if never larger than this many spreads."""
_CAP = 10.0
"""One reading counts as at most this many spreads."""
_CEILING = 1.5
"""The sum is held at this many `h`, so that an episode ends soon after its cause."""
_ELEVATED_RATE = 0.02
"""Share of the usual rate at which an elevated channel still learns: a leak must not become normal, a new normal may."""
_LEARN_CAP = 15.0
"""A reading after a gap teaches as at most this many minutes."""
_RELATIVE = 0.02
"""A spread is never taken to be less than this share of the centre."""
_TO_SIGMA = 1.2533
"""Mean absolute deviation → standard deviation of a normal law."""
_INSTANT = 1e-6
"""Minutes: keeps the first quotient finite."""
_FIRST = 20
"""No alarm before this many readings, however slow they come."""


class Tuning(NamedTuple):
    """`k` σ and `h` σ·min of the CUSUM; the rest in minutes.

    Time constants of centre and spread, learning before the first alarm, and the off-delay that makes gusts one episode.
    """

    k: float
    h: float
    centre_min: float
    spread_min: float
    warmup_min: float
    off_min: float


def fresh(values: Float64, times_ms: Float64, resolution: Float64) -> Float64:
    """Return rows of channels that begin with these readings, shape (n, COLUMNS)."""
    rows = np.zeros((len(values), COLUMNS))
    rows[:, CENTRE] = rows[:, VALUE] = values
    rows[:, SPREAD] = rows[:, STEP] = resolution
    rows[:, LAST_MS] = times_ms
    return rows


def advance(rows: Float64, values: Float64, times_ms: Float64, tuning: Tuning) -> NDArray[np.bool_]:
    """Take one reading into each row, in place; return the mask of rows whose ACTIVE changed."""
    minutes = np.maximum(times_ms - rows[:, LAST_MS], 0.0) / _MINUTE_MS
    step = np.abs(values - rows[:, VALUE])
    np.copyto(rows[:, STEP], step, where=(step > 0) & (step < rows[:, STEP]))
    sigma = np.maximum(np.maximum(rows[:, SPREAD], rows[:, STEP]), _RELATIVE * np.abs(rows[:, CENTRE]))
    z = (values - rows[:, CENTRE]) / sigma
    changed = _accumulate(rows, z, values, times_ms, np.minimum(minutes, 1.0), tuning)
    _learn(rows, z, sigma, np.minimum(minutes, _LEARN_CAP), tuning)
    rows[:, VALUE] = values
    rows[:, LAST_MS] = times_ms
    return changed


def _accumulate(
    rows: Float64, z: Float64, values: Float64, times_ms: Float64, weight: Float64, tuning: Tuning
) -> NDArray[np.bool_]:
    total = rows[:, SUM] + (np.minimum(z, _CAP) - tuning.k) * weight
    np.clip(total, 0.0, _CEILING * tuning.h, out=total)
    learned = (rows[:, MINUTES] >= tuning.warmup_min) & (rows[:, SEEN] >= _FIRST)
    total[~learned] = 0.0
    was = rows[:, ACTIVE] > 0
    np.copyto(rows[:, UP_MS], times_ms, where=total > 0.0)
    active = np.where(was, times_ms - rows[:, UP_MS] < tuning.off_min * _MINUTE_MS, total >= tuning.h)
    np.copyto(rows[:, PEAK], values, where=active & (~was | (values > rows[:, PEAK])))
    rows[:, SUM] = total
    rows[:, ACTIVE] = active
    changed: NDArray[np.bool_] = active != was
    return changed


def _learn(rows: Float64, z: Float64, sigma: Float64, minutes: Float64, tuning: Tuning) -> None:
    """Move centre and spread; while young, by the plain average of what was seen."""
    elevated = (z > _CLIP) | (rows[:, ACTIVE] > 0) | (rows[:, SUM] > tuning.h / 2)
    rows[:, SEEN] += 1.0
    rows[:, MINUTES] += minutes
    age = np.maximum(rows[:, MINUTES], _INSTANT)
    pace = minutes * np.where(elevated & (age > tuning.warmup_min), _ELEVATED_RATE, 1.0)
    clipped = np.clip(z, -_CLIP, _CLIP) * sigma
    rows[:, CENTRE] += pace / np.minimum(tuning.centre_min, age) * clipped
    rows[:, SPREAD] += pace / np.minimum(tuning.spread_min, age) * (np.abs(clipped) * _TO_SIGMA - rows[:, SPREAD])
