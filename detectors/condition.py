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
"""State of a channel, one row of float64: last value, time and step; readings of the present run of equal values, when it began,
mean and longest run, runs; readings and minutes learned; noise of late, of the day and usual; since when noisy, high, low."""

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

    `rest`: reading in clean air; `zero`: how far from it is drift; `noise`: least noise that matters; `low_min`: how long below
    counts.
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
    """Return rows of channels that begin with these readings, shape (n, COLUMNS)."""
    rows = np.zeros((len(values), COLUMNS))
    rows[:, VALUE] = values
    rows[:, LAST_MS] = rows[:, RUN_MS] = times_ms
    return rows


def advance(rows: Float64, flags: UInt8, values: Float64, times_ms: Float64, bounds: Bounds, tuning: Tuning) -> UInt8:
    """Take one reading into each row, in place; return the channels' new conditions."""
    minutes = np.clip((times_ms - rows[:, LAST_MS]) / _MINUTE_MS, 0.0, _GAP_MIN)
    step = values - rows[:, VALUE]
    found = _runs(rows, flags, values, times_ms, step, bounds, tuning)
    found |= _jitter(rows, flags, step, times_ms, minutes, bounds, tuning)
    found |= _zero(rows, values - bounds.rest, times_ms, bounds, tuning)
    rows[:, VALUE], rows[:, LAST_MS], rows[:, STEP] = values, times_ms, step
    return found


def _runs(
    rows: Float64, flags: UInt8, values: Float64, times_ms: Float64, step: Float64, bounds: Bounds, tuning: Tuning
) -> UInt8:
    """Count equal values; learn how long they usually stand still, but not from a freeze."""
    moved = step != 0.0
    taught = moved & (flags & FROZEN == 0) & (rows[:, RUN] > 0)
    rows[taught, RUNS] += 1.0
    share = 1.0 / np.clip(rows[:, RUNS], 1.0, _MANY_RUNS)
    rows[:, MEAN_RUN] += np.where(taught, share * (rows[:, RUN] - rows[:, MEAN_RUN]), 0.0)
    np.copyto(rows[:, LONGEST], np.maximum(rows[:, LONGEST], rows[:, RUN]), where=taught)
    rows[:, RUN] = np.where(moved, 1.0, rows[:, RUN] + 1.0)
    np.copyto(rows[:, RUN_MS], times_ms, where=moved)
    usual = np.maximum(_TIMES_MEAN * rows[:, MEAN_RUN], _TIMES_LONGEST * rows[:, LONGEST])
    frozen = (rows[:, RUN] > usual) & (rows[:, RUNS] >= _FIRST_RUNS) & (values != bounds.rest)
    frozen &= times_ms - rows[:, RUN_MS] >= tuning.frozen_min * _MINUTE_MS
    return np.where(frozen, FROZEN, 0).astype(np.uint8)


def _jitter(
    rows: Float64, flags: UInt8, step: Float64, times_ms: Float64, minutes: Float64, bounds: Bounds, tuning: Tuning
) -> UInt8:
    reversal = step * rows[:, STEP] < 0.0
    jitter = np.where(reversal, np.minimum(np.abs(step), np.abs(rows[:, STEP])), 0.0)
    rows[:, JITTER] += (jitter - rows[:, JITTER]) / np.minimum(rows[:, SEEN] + 1.0, _RECENT)
    rows[:, SEEN] += 1.0
    rows[:, MINUTES] += minutes
    age = np.maximum(rows[:, MINUTES], 1.0)
    rows[:, JITTER_DAY] += np.minimum(minutes / np.minimum(age, _DAY_MIN), 1.0) * (jitter - rows[:, JITTER_DAY])
    learned = (rows[:, SEEN] >= _FIRST) & (rows[:, MINUTES] >= _FIRST)
    usual = np.maximum(rows[:, JITTER_USUAL], bounds.noise / tuning.noise_ratio)
    held = np.where(flags & NOISE, 0.5, 1.0) * tuning.noise_ratio
    noisy = learned & (rows[:, JITTER] >= held * usual)
    rows[:, NOISY_MS] = np.where(noisy, np.where(rows[:, NOISY_MS] > 0, rows[:, NOISY_MS], times_ms), 0.0)
    found = np.where(noisy & (times_ms - rows[:, NOISY_MS] >= tuning.noise_min * _MINUTE_MS), NOISE, 0)
    dull = _dull(rows, flags, bounds, tuning)
    calm = ~noisy & ~dull
    pace = np.where(calm, np.minimum(minutes / np.minimum(age, _USUAL_MIN), 1.0), 0.0)
    taught = np.minimum(jitter, _CLIP * usual)
    rows[:, JITTER_USUAL] += pace * (taught - rows[:, JITTER_USUAL])
    return (found | np.where(dull, SPAN, 0)).astype(np.uint8)


def _dull(rows: Float64, flags: UInt8, bounds: Bounds, tuning: Tuning) -> NDArray[np.bool_]:
    """Return where the noise of the day is a small share of the usual, once that is known from a week or more."""
    share = np.where(flags & SPAN, 2.0, 1.0) * tuning.span_share
    lively = rows[:, JITTER_USUAL] >= bounds.noise / tuning.noise_ratio / 2
    known = (rows[:, MINUTES] >= tuning.span_min) & lively
    dull: NDArray[np.bool_] = known & (rows[:, JITTER_DAY] < share * rows[:, JITTER_USUAL])
    return dull


def _zero(rows: Float64, departure: Float64, times_ms: Float64, bounds: Bounds, tuning: Tuning) -> UInt8:
    for column, outside in ((HIGH_MS, departure >= bounds.zero), (LOW_MS, departure <= -bounds.zero)):
        rows[:, column] = np.where(outside, np.where(rows[:, column] > 0, rows[:, column], times_ms), 0.0)
    high = (rows[:, HIGH_MS] > 0) & (times_ms - rows[:, HIGH_MS] >= tuning.zero_min * _MINUTE_MS)
    low = (rows[:, LOW_MS] > 0) & (times_ms - rows[:, LOW_MS] >= bounds.low_min * _MINUTE_MS)
    return np.where(high | low, ZERO, 0).astype(np.uint8)
