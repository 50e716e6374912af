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

from domain.readings import UInt8

Float32 = NDArray[np.float32]

FROZEN, NOISE, SPAN, ZERO = 1, 2, 4, 8
"""Bits of a channel's condition."""
(
    VALUE,
    STEP,
    RUN,
    RUN_MIN,
    MEAN_RUN,
    LONGEST,
    RUNS,
    SEEN,
    MINUTES,
    JITTER,
    JITTER_DAY,
    JITTER_USUAL,
    NOISY_MIN,
    ASIDE_MIN,
    FLAGS,
) = range(15)
COLUMNS = 15
"""State of channels, one row of single precision each, so that a column is a channel: last value and step; readings of the
present run of equal values and its minutes, mean and longest run, runs; readings and minutes learned; noise of late, of the day
and usual; minutes it has been noisy, and off its value in clean air; its condition."""
STANDING = (RUN, RUN_MIN, NOISY_MIN, ASIDE_MIN, FLAGS)
"""What holds now, apart from what is usual: forgotten when the device leaves."""

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
_SURPRISE, _TIMES_LONGEST = 30.0, 3.0
"""A run of equal values is a freeze when chance makes one so long in e^30 (by how long runs are on average), and so many
times the longest so far."""
_LEAST_MEAN = 1.05
_LEAST_RUN = 9.0
"""No run this short is a freeze, whatever the sensor: `_SURPRISE` at `_LEAST_MEAN`."""
_JUST = 1e-4
"""Minutes that something holds at the reading that begins it: more than none."""


class Bounds(NamedTuple):
    """What a channel's readings are held against, arrays of shape (n,) in the measurand's unit, or minutes.

    `rest`: reading in clean air; `zero`: how far from it is drift; `noise`: what counts as the usual noise of
    a sensor that has less; `low_min`: how long below counts.
    """

    rest: Float32
    zero: Float32
    noise: Float32
    low_min: Float32


class Tuning(NamedTuple):
    """Least time frozen and noisy, and time of zero drift, in minutes; noise as multiple of the usual, span as share of it."""

    frozen_min: float
    noise_min: float
    zero_min: float
    noise_ratio: float
    span_share: float
    span_min: float


def advance(rows: Float32, values: Float32, minutes: Float32, bounds: Bounds, tuning: Tuning) -> UInt8:
    """Take one reading into each channel, so many minutes after its last, in place; return the conditions there were before."""
    before: UInt8 = rows[FLAGS].astype(np.uint8)
    step = values - rows[VALUE]
    taught = np.minimum(minutes, np.float32(_GAP_MIN))
    found = _runs(rows, before, values, step, minutes, bounds, tuning)
    found |= _jitter(rows, before, step, minutes, taught, bounds, tuning)
    found |= _aside(rows, values - bounds.rest, minutes, bounds, tuning)
    rows[VALUE], rows[STEP], rows[FLAGS] = values, step, found
    return before


def _runs(
    rows: Float32, flags: UInt8, values: Float32, step: Float32, minutes: Float32, bounds: Bounds, tuning: Tuning
) -> UInt8:
    """Count equal values; learn how long they usually stand still, but not from a freeze."""
    moved = step != 0.0
    ended = moved & (flags & FROZEN == 0)
    rows[RUNS] += ended
    over = (rows[RUN] - rows[MEAN_RUN]) * ended
    over /= np.minimum(np.maximum(rows[RUNS], 1.0), _MANY_RUNS)
    rows[MEAN_RUN] += over
    np.maximum(rows[LONGEST], rows[RUN], out=rows[LONGEST], where=ended)
    still = ~moved
    rows[RUN] *= still
    rows[RUN] += 1.0
    rows[RUN_MIN] += minutes
    rows[RUN_MIN] *= still
    found = np.zeros(len(values), np.uint8)
    long = np.flatnonzero(rows[RUN] > _LEAST_RUN)
    if len(long):
        by_chance = -_SURPRISE / np.log1p(-1.0 / np.maximum(rows[MEAN_RUN, long], _LEAST_MEAN))
        usual = np.maximum(by_chance, _TIMES_LONGEST * rows[LONGEST, long])
        frozen = (rows[RUN, long] > usual) & (rows[RUNS, long] >= _FIRST_RUNS)
        frozen &= (rows[RUN_MIN, long] >= tuning.frozen_min) & (values[long] != bounds.rest[long])
        found[long[frozen]] = FROZEN
    return found


def _jitter(
    rows: Float32, flags: UInt8, step: Float32, minutes: Float32, taught: Float32, bounds: Bounds, tuning: Tuning
) -> UInt8:
    """Follow the noise of late, of the day and the usual; what is usual learns nothing while it is not."""
    jitter = np.minimum(np.abs(step), np.abs(rows[STEP]))
    jitter *= step * rows[STEP] < 0.0
    rows[SEEN] += 1.0
    rows[MINUTES] += taught
    age = np.maximum(rows[MINUTES], 1.0)
    rows[JITTER] += (jitter - rows[JITTER]) / np.minimum(rows[SEEN], _RECENT)
    rows[JITTER_DAY] += taught / np.minimum(age, _DAY_MIN) * (jitter - rows[JITTER_DAY])
    usual = np.maximum(rows[JITTER_USUAL], bounds.noise)
    noisy = _noisy(rows, flags, usual, tuning)
    dull = _dull(rows, flags, bounds, tuning)
    lesson = np.minimum(jitter, _CLIP * usual) - rows[JITTER_USUAL]
    lesson *= taught / np.minimum(age, _USUAL_MIN)
    lesson *= ~(noisy | dull)
    rows[JITTER_USUAL] += lesson
    rows[NOISY_MIN] += np.where(rows[NOISY_MIN] > 0.0, minutes, np.float32(_JUST))
    rows[NOISY_MIN] *= noisy
    lasting = noisy & (rows[NOISY_MIN] >= tuning.noise_min)
    found: UInt8 = (lasting * np.uint8(NOISE) | dull * np.uint8(SPAN)).astype(np.uint8)
    return found


def _noisy(rows: Float32, flags: UInt8, usual: Float32, tuning: Tuning) -> NDArray[np.bool_]:
    """Return where the noise of late is far above the usual, with hysteresis."""
    limit = usual * np.float32(tuning.noise_ratio)
    limit[flags & NOISE != 0] *= 0.5
    noisy: NDArray[np.bool_] = rows[JITTER] >= limit
    noisy &= np.minimum(rows[SEEN], rows[MINUTES]) >= _FIRST
    return noisy


def _dull(rows: Float32, flags: UInt8, bounds: Bounds, tuning: Tuning) -> NDArray[np.bool_]:
    """Return where the noise of the day is a small share of the usual, once that is known from a week or more."""
    dull = np.zeros(len(flags), np.bool_)
    known = np.flatnonzero(rows[MINUTES] >= tuning.span_min)
    share = np.where(flags[known] & SPAN, 2.0, 1.0) * tuning.span_share
    usual = rows[JITTER_USUAL, known]
    dull[known] = rows[JITTER_DAY, known] < share * usual
    dull[known] &= usual >= bounds.noise[known] / 2
    return dull


def _aside(rows: Float32, departure: Float32, minutes: Float32, bounds: Bounds, tuning: Tuning) -> UInt8:
    """Count the minutes above clean air by as much as drift is (negative: below); what comes near it begins anew."""
    away = np.abs(departure) >= bounds.zero
    if not (away.any() or rows[ASIDE_MIN].any()):
        return np.zeros(len(departure), np.uint8)
    same = (rows[ASIDE_MIN] != 0.0) & ((rows[ASIDE_MIN] > 0.0) == (departure > 0.0))
    lasted = np.where(same, np.abs(rows[ASIDE_MIN]) + minutes, np.float32(_JUST)) * away
    rows[ASIDE_MIN] = np.copysign(lasted, departure)
    patience = np.where(departure > 0.0, np.float32(tuning.zero_min), bounds.low_min)
    found: UInt8 = (away & (lasted >= patience)) * np.uint8(ZERO)
    return found
