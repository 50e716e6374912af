"""Whether a sensor is in good order, from its readings alone, for many channels at once.

- Frozen: the same value to the last digit for far longer than it ever stood still.
- Noise: the reading jumps back and forth. Noise is what reverses its direction from one reading to the next (the smaller of two
  opposite steps): gas that comes and goes does not.
- Loss of span: the noise that a sound sensor always has has died away for days; a poisoned bead moves no more.
- Zero drift: the reading has not come near its value in clean air for a day, or lies below it for an hour.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.readings import Float64, UInt8

FROZEN, NOISE, SPAN, ZERO = 1, 2, 4, 8
"""Bits of a channel's condition."""
(
    VALUE,
    LAST_MS,
    STEP,
    RUN,
    RUN_MS,
    MEAN_RUN,
    LONGEST,
    RUNS,
    SEEN,
    MINUTES,
    JITTER,
    JITTER_DAY,
    JITTER_USUAL,
    NOISY_MS,
    HIGH_MS,
    LOW_MS,
) = range(16)
COLUMNS = 16
"""State of channels, one row of float64 each, so that a column is a channel: last value, time and step; readings of the present
run of equal values, when it began, mean and longest run, runs; readings and minutes learned; noise of late, of the day and
usual; since when noisy, high, low."""

_MINUTE_MS = 60_000.0
_RECENT = 30.0
"""Readings over which the noise of late is averaged."""
_DAY_MIN, _USUAL_MIN = 1440.0, 10_080.0
_GAP_MIN = 60.0
"""A reading after a gap teaches as at most this many minutes."""
_CLIP = 3.0
"""Noise teaches what is usual as if never larger than this many times that."""
_MANY_RUNS = 200.0
_FIRST_RUNS = 20
_FIRST = 120
"""Readings, and minutes, before noise is judged."""
_TIMES_MEAN, _TIMES_LONGEST = 30.0, 3.0


class Bounds(NamedTuple):
    """What a channel's readings are held against, arrays of shape (n,) in the measurand's unit, or minutes.

    `rest`: reading in clean air; `zero`: how far from it is drift; `noise`: what counts as the usual noise of
    a sensor that has less; `low_min`: how long below counts.
    """

    rest: Float64
    zero: Float64
    noise: Float64
    low_min: Float64


class Tuning(NamedTuple):
    """Least time frozen and noisy, and time of zero drift, in minutes; noise as multiple of the usual, span as share of it."""

    frozen_min: float
    noise_min: float
    zero_min: float
    noise_ratio: float
    span_share: float
    span_min: float


def fresh(values: Float64, times_ms: Float64) -> Float64:
    """Return the state of channels that begin with these readings, shape (COLUMNS, n)."""
    rows = np.zeros((COLUMNS, len(values)))
    rows[VALUE] = values
    rows[LAST_MS] = rows[RUN_MS] = times_ms
    return rows


def advance(rows: Float64, flags: UInt8, values: Float64, times_ms: Float64, bounds: Bounds, tuning: Tuning) -> UInt8:
    """Take one reading into each channel, in place; return their new conditions."""
    minutes = np.clip((times_ms - rows[LAST_MS]) / _MINUTE_MS, 0.0, _GAP_MIN)
    step = values - rows[VALUE]
    found = _runs(rows, flags, values, times_ms, step, bounds, tuning)
    found |= _jitter(rows, flags, step, times_ms, minutes, bounds, tuning)
    found |= _zero(rows, values - bounds.rest, times_ms, bounds, tuning)
    rows[VALUE], rows[LAST_MS], rows[STEP] = values, times_ms, step
    return found


def _runs(
    rows: Float64, flags: UInt8, values: Float64, times_ms: Float64, step: Float64, bounds: Bounds, tuning: Tuning
) -> UInt8:
    """Count equal values; learn how long they usually stand still, but not from a freeze."""
    moved = step != 0.0
    ended = moved & (flags & FROZEN == 0)
    rows[RUNS] += ended
    rows[MEAN_RUN] += ended * (rows[RUN] - rows[MEAN_RUN]) / np.clip(rows[RUNS], 1.0, _MANY_RUNS)
    np.maximum(rows[LONGEST], ended * rows[RUN], out=rows[LONGEST])
    rows[RUN] += 1.0
    np.copyto(rows[RUN], 1.0, where=moved)
    np.copyto(rows[RUN_MS], times_ms, where=moved)
    found = np.zeros(len(values), np.uint8)
    still = np.flatnonzero((rows[RUN] > _TIMES_MEAN) & (values != bounds.rest))
    usual = np.maximum(_TIMES_MEAN * rows[MEAN_RUN, still], _TIMES_LONGEST * rows[LONGEST, still])
    frozen = (rows[RUN, still] > usual) & (rows[RUNS, still] >= _FIRST_RUNS)
    frozen &= times_ms[still] - rows[RUN_MS, still] >= tuning.frozen_min * _MINUTE_MS
    found[still[frozen]] = FROZEN
    return found


def _jitter(
    rows: Float64, flags: UInt8, step: Float64, times_ms: Float64, minutes: Float64, bounds: Bounds, tuning: Tuning
) -> UInt8:
    """Follow the noise of late, of the day and the usual; what is usual learns nothing while it is not."""
    jitter = np.minimum(np.abs(step), np.abs(rows[STEP]))
    jitter *= step * rows[STEP] < 0.0
    rows[SEEN] += 1.0
    rows[MINUTES] += minutes
    age = np.maximum(rows[MINUTES], 1.0)
    rows[JITTER] += (jitter - rows[JITTER]) / np.minimum(rows[SEEN], _RECENT)
    rows[JITTER_DAY] += minutes / np.minimum(age, _DAY_MIN) * (jitter - rows[JITTER_DAY])
    usual = np.maximum(rows[JITTER_USUAL], bounds.noise)
    limit = usual * tuning.noise_ratio
    limit[flags & NOISE != 0] *= 0.5
    noisy = rows[JITTER] >= limit
    noisy &= np.minimum(rows[SEEN], rows[MINUTES]) >= _FIRST
    dull = _dull(rows, flags, bounds, tuning)
    taught = np.minimum(jitter, _CLIP * usual) - rows[JITTER_USUAL]
    taught *= ~(noisy | dull)
    rows[JITTER_USUAL] += minutes / np.minimum(age, _USUAL_MIN) * taught
    lasting = _lasting(rows[NOISY_MS], noisy, times_ms, tuning.noise_min)
    return (lasting * np.uint8(NOISE) | dull * np.uint8(SPAN)).astype(np.uint8)


def _dull(rows: Float64, flags: UInt8, bounds: Bounds, tuning: Tuning) -> NDArray[np.bool_]:
    """Return where the noise of the day is a small share of the usual, once that is known from a week or more."""
    dull = np.zeros(len(flags), np.bool_)
    known = np.flatnonzero(rows[MINUTES] >= tuning.span_min)
    share = np.where(flags[known] & SPAN, 2.0, 1.0) * tuning.span_share
    usual = rows[JITTER_USUAL, known]
    dull[known] = rows[JITTER_DAY, known] < share * usual
    dull[known] &= usual >= bounds.noise[known] / 2
    return dull


def _zero(rows: Float64, departure: Float64, times_ms: Float64, bounds: Bounds, tuning: Tuning) -> UInt8:
    high = _lasting(rows[HIGH_MS], departure >= bounds.zero, times_ms, tuning.zero_min)
    low = _lasting(rows[LOW_MS], departure <= -bounds.zero, times_ms, bounds.low_min)
    return (high | low) * np.uint8(ZERO)


def _lasting(
    since_ms: Float64, holds: NDArray[np.bool_], times_ms: Float64, minutes: Float64 | float
) -> NDArray[np.bool_]:
    """Keep, in place, since when something holds (0: it does not); return where it has for so many minutes."""
    if not (holds.any() or since_ms.any()):
        return holds
    since_ms[:] = np.where(holds, np.where(since_ms > 0.0, since_ms, times_ms), 0.0)
    lasting: NDArray[np.bool_] = holds & (times_ms - since_ms >= minutes * _MINUTE_MS)
    return lasting
