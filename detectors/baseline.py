"""What is normal for each channel (one measurand of one device), learned from that channel alone, and how far a reading departs.

Two views of every reading, both in the channel's own robust spreads (σ): `usual`, against the level of the last days or, where
the history shows a daily shape, against this hour of this kind of day; and `recent`, against what the last hours made of that.
Residuals teach as if never larger than three spreads, and hardly at all while they are elevated, so that a leak does not become
normal by lasting; a channel that has only just been met is less sure of itself (`_DOUBT`).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import gathered, grown
from detectors.dayshape import DayShape, Float32, Moment, moment
from domain.readings import Float64, Int64

Mask = NDArray[np.bool_]

LAST_MS, LEVEL, OFFSET, RECENT, VALUE = range(5)
"""Double precision: time of the last reading, level of the last days, level around the daily shape, the last hours' departure
from either, and the last value."""
_EXACT = 5
STEP, SEEN, AGE, PACE, SAME, LONGEST, SHAPED, LEVEL_DEV, SHAPE_DEV, RECENT_DEV, LAG, SQUARE, LAST_Z = range(13)
"""Single precision: finest step seen, readings, minutes known, usual minutes between readings, minutes unchanged and the longest
so far, 1 where the daily shape is used, mean absolute residuals of the three, and the products that give the autocorrelation."""
_ROUGH = 13

CAP = 20.0
"""Departures are never said to be more than this many spreads."""
_CLIP = 3.0
"""Residuals teach as if never larger than this many spreads."""
_MINUTE_MS = 60_000.0
_DAY_MIN = 1440.0
_LONGEST = 60.0
"""A reading after a gap teaches as at most this many minutes."""
_OLDEST = 200_000.0
"""Ages are not counted beyond this many minutes: single precision could not add a second."""
_ELEVATED_RATE = 0.02
"""Share of the usual rate at which an elevated channel of ripe age still learns."""
_TO_SIGMA = 1.2533
"""Mean absolute deviation → standard deviation of a normal law."""
_DOUBT = (60.0, 600.0)
"""Minutes after which the recent and the usual view trust a channel: before, spreads count as wider."""
_SHAPE_AFTER = 2.5 * _DAY_MIN
_SHAPE_GAIN = 0.85
"""The daily shape is used once its residuals are this much smaller than those of a flat level."""
_NARROW, _WIDE, _NEW_HOUR = 0.4, 6.0, 2.0
"""How much narrower or wider than the channel's spread one hour of the day may count; one never seen counts as wider again."""
_FROZEN = 60.0
"""Minutes without any change after which the spread learns no more: a stuck sensor is not a quiet one."""
_AWAY = np.float32(2.0)
"""A departure from the last hours counts as at most so many times the one from the usual level."""
_STILL, _STILL_READINGS = 4.0, 20.0
"""So many times the longest run without any change, and so many readings, are no chance, after a day of learning."""
_READINGS = (20.0, 300.0)
"""The last hours are at least so many readings, the last days so many: slow reporters have long memories."""
_FEW = 20.0
"""Until so many readings residuals teach whole: there is no spread yet to clip them by."""
_SLOW = 5.0
"""A channel that reports every so many minutes, or less often, needs a third of its ripe age for that."""
_LAGS = 500.0


class Tuning(NamedTuple):
    """Minutes: memory of the recent view, of the usual view, of spreads; the age at which what is elevated teaches little.

    `relative`: a spread is never less than this share of the level. `both`: departures downwards count as well.
    """

    recent: float
    usual: float
    spread: float
    ripe: float
    relative: float
    both: bool


@dataclass(frozen=True, slots=True)
class View:
    """One batch's residuals before it teaches: arrays of shape (n,) in step with `channels`.

    `recent` and `usual` in spreads, within ±CAP; `expected` and `sigma` of the usual view, `lately_expected` and `lately_sigma`
    of the recent one, in the unit; `minutes` since the last reading; `flat`, `around` and `lately`: residuals from the three
    centres; `exact`, `rough`: what was known of the channels, (k, n).
    """

    channels: Int64
    at: Moment
    minutes: Float32
    recent: Float32
    usual: Float32
    expected: Float64
    sigma: Float32
    lately_expected: Float64
    lately_sigma: Float32
    flat: Float32
    around: Float32
    lately: Float32
    shaped: Mask
    exact: Float64
    rough: Float32

    def inflation(self) -> Float32:
        """Return the variance of a long sum over that of independent readings, for noise of first order (AR(1))."""
        lag = np.minimum(np.maximum(self.rough[LAG] / np.maximum(self.rough[SQUARE], 1e-3), 0.0), 0.99)
        longer = (1.0 + lag) / (1.0 - lag) * np.minimum(self.rough[PACE], 1.0)
        inflation: Float32 = np.minimum(np.maximum(longer, 1.0), 100.0)
        return inflation

    def news(self) -> Float32:
        """Return the departures from the last hours that lead away from the usual level: to come back to it is no news."""
        bound = np.where(self.recent * self.usual > 0, _AWAY * np.abs(self.usual), np.float32(0.0))
        return _within(self.recent, bound)

    def stillness(self) -> Float32:
        """Return for how long the value has not changed, in the time after which that is no chance."""
        rough = self.rough
        limit = np.maximum(_STILL * rough[LONGEST], np.maximum(_STILL_READINGS * rough[PACE], _FROZEN))
        still: Float32 = np.where(rough[AGE] > _DAY_MIN, rough[SAME] / limit, np.float32(0.0))
        return still


class Baselines:
    """The state of all channels, grown on demand: 40 + 52 bytes a channel, and after an hour 288 of its daily shape."""

    def __init__(self, tuning: Tuning) -> None:
        self.tuning = tuning
        self.exact: Float64 = np.empty((0, _EXACT))
        self.rough: Float32 = np.empty((0, _ROUGH), np.float32)
        self.shape = DayShape()

    def begin(self, channels: Int64, values: Float64, times_ms: Float64, resolution: Float64) -> None:
        """Make new channels, the next numbers in a row, that start at these readings."""
        size = int(channels[-1]) + 1
        self.exact, self.rough = grown(self.exact, size), grown(self.rough, size)
        self.shape.grow(size)
        self.exact[channels, LEVEL] = self.exact[channels, VALUE] = values
        self.exact[channels, LAST_MS] = times_ms
        self.rough[channels, STEP] = resolution
        self.rough[channels, SQUARE] = 1.0

    def look(self, channels: Int64, values: Float64, times_ms: Float64) -> View:
        """Return how far each reading departs; every channel at most once. What is known does not change."""
        exact, rough = gathered(self.exact, channels), gathered(self.rough, channels)
        minutes = (np.maximum(times_ms - exact[LAST_MS], 0.0) / _MINUTE_MS).astype(np.float32)
        step = np.abs(values - exact[VALUE]).astype(np.float32)
        np.copyto(rough[STEP], step, where=(step > 0) & (step < rough[STEP]))
        at = moment(times_ms)
        expected = self.shape.expected(channels, at, exact[LEVEL]) + exact[OFFSET]
        flat, around = values - exact[LEVEL], values - expected
        shaped = (rough[AGE] > _SHAPE_AFTER) & (rough[SHAPE_DEV] < _SHAPE_GAIN * rough[LEVEL_DEV])
        residual = np.where(shaped, around, flat)
        lately = (residual - exact[RECENT] - self._turned(rough, shaped, around - flat)).astype(np.float32)
        sigmas = self._sigmas(rough, channels, at, np.abs(exact[LEVEL]).astype(np.float32), shaped)
        return View(
            channels=channels,
            at=at,
            minutes=minutes,
            recent=_within(lately / sigmas[0], CAP),
            usual=_within((residual / sigmas[1]).astype(np.float32), CAP),
            expected=values - residual,
            sigma=sigmas[1],
            lately_expected=values - lately,
            lately_sigma=sigmas[2],
            flat=flat.astype(np.float32),
            around=around.astype(np.float32),
            lately=lately,
            shaped=shaped,
            exact=exact,
            rough=rough,
        )

    def _turned(self, rough: Float32, shaped: Mask, gain: Float64) -> Float64:
        """Return what the last hours' departure gains where the usual level is of another kind from this reading on."""
        turned: Float64 = np.where(shaped == (rough[SHAPED] > 0), 0.0, np.where(shaped, gain, -gain))
        return turned

    def _sigmas(
        self, rough: Float32, channels: Int64, at: Moment, level: Float32, shaped: Mask
    ) -> tuple[Float32, Float32, Float32]:
        """Return the spreads by which the recent and the usual view judge, and that of the last hours without doubt."""
        floor = np.maximum(rough[STEP], self.tuning.relative * level)
        stretch = np.full(len(channels), _TO_SIGMA, np.float32)
        if shaped.any():
            width = np.minimum(np.maximum(self.shape.widths(channels, at), _NARROW), _WIDE)
            width *= np.where(self.shape.is_new(channels, at), np.float32(_NEW_HOUR), np.float32(1.0))
            np.copyto(stretch, width * _TO_SIGMA, where=shaped)
        age = np.maximum(rough[AGE], 1.0)
        recent = np.maximum(rough[RECENT_DEV] * stretch, floor)
        usual = np.maximum(np.where(shaped, rough[SHAPE_DEV], rough[LEVEL_DEV]) * stretch, floor)
        doubts = [np.sqrt(1.0 + doubt / age) for doubt in _DOUBT]
        return recent * doubts[0], usual * doubts[1], recent

    def learn(self, view: View, values: Float64, times_ms: Float64, elevated: Mask, old: Mask) -> None:
        """Let the readings that `look` judged teach; where `elevated`, or far out, they teach little.

        Where that is `old` news the last hours go along with it whole.
        """
        rough, exact = view.rough, view.exact
        self._remember(rough, view, values == exact[VALUE], elevated)
        recent_min, usual_min = self._lessons(rough, view, elevated, old)
        sigma = np.maximum(rough[LEVEL_DEV] * _TO_SIGMA, rough[STEP])
        z = view.around / np.maximum(rough[SHAPE_DEV], rough[STEP])
        hours = (np.stack((usual_min, np.minimum(view.minutes, _LONGEST))) / 60.0).astype(np.float32)
        days = rough[AGE] / _DAY_MIN
        self.shape.learn(view.channels, view.at, values, hours, days, 4.0 * sigma, z)
        exact[RECENT] += self._turned(rough, view.shaped, (view.around - view.flat).astype(float))
        exact[VALUE], exact[LAST_MS] = values, times_ms
        self._settle(exact, rough, view, recent_min, usual_min, old)
        self.exact[view.channels], self.rough[view.channels] = exact.T, rough.T

    def _remember(self, rough: Float32, view: View, same: Mask, elevated: Mask) -> None:
        """Take in what the reading says of the channel's rhythm."""
        rate = 1.0 / np.minimum(rough[SEEN] + 2.0, _LAGS)
        rough[PACE] += rate * (np.minimum(view.minutes, _DAY_MIN) - rough[PACE])
        believed = np.where(rough[AGE] > _DAY_MIN, 2.0 * rough[LONGEST], np.float32(_OLDEST))
        np.copyto(rough[LONGEST], np.maximum(rough[LONGEST], np.minimum(rough[SAME], believed)), where=~same)
        rough[SAME] = np.minimum(rough[SAME] + np.minimum(view.minutes, _LONGEST), _OLDEST) * same
        z = _within(view.usual, _CLIP)
        rate *= ~elevated
        rough[LAG] += rate * (z * rough[LAST_Z] - rough[LAG])
        rough[SQUARE] += rate * (z * z - rough[SQUARE])
        rough[LAST_Z] = z
        rough[SEEN] += 1.0
        rough[AGE] = np.minimum(rough[AGE] + np.minimum(view.minutes, _LONGEST), _OLDEST)

    def _lessons(self, rough: Float32, view: View, elevated: Mask, old: Mask) -> tuple[Float32, Float32]:
        """Return how many minutes each reading counts as for the recent and for the usual view."""
        ripe = self.tuning.ripe / (self.tuning.ripe + rough[AGE])
        minutes = np.minimum(view.minutes, _LONGEST)
        little = minutes * (_ELEVATED_RATE + (1.0 - _ELEVATED_RATE) * ripe * ripe)
        recent, usual = (np.abs(z) if self.tuning.both else z for z in (view.recent, view.usual))
        recent_min = np.where((elevated | (recent > _CLIP)) & ~old, little, minutes)
        return recent_min, np.where(elevated | (usual > _CLIP), little, minutes)

    def _settle(
        self, exact: Float64, rough: Float32, view: View, recent_min: Float32, usual_min: Float32, old: Mask
    ) -> None:
        """Move centres and spreads."""
        tuning, age, pace = self.tuning, np.maximum(rough[AGE], 1e-6), rough[PACE]
        days = np.minimum(np.maximum(tuning.usual, _READINGS[1] * pace), age)
        spread = np.minimum(np.maximum(tuning.spread, _READINGS[1] * pace), age)
        hours = np.minimum(np.maximum(tuning.recent, _READINGS[0] * pace), age)
        young = (rough[SEEN] < _FEW) | ((rough[AGE] < tuning.ripe / 3.0) & (pace >= _SLOW))
        bound = np.where(young, np.float32(np.inf), np.float32(_CLIP))
        flat = _within(view.flat, bound * np.maximum(rough[LEVEL_DEV] * _TO_SIGMA, rough[STEP]))
        around = _within(view.around, bound * np.maximum(rough[SHAPE_DEV] * _TO_SIGMA, rough[STEP]))
        lately = np.where(old, view.lately, _within(view.lately, bound * view.lately_sigma))
        centre = _share(usual_min, days)
        exact[LEVEL] += centre * flat
        exact[OFFSET] += centre * around
        exact[RECENT] += _share(recent_min, hours) * lately - centre * np.where(view.shaped, around, flat)
        moving = rough[SAME] <= _FROZEN
        width, wide = _share(usual_min, 2.0 * spread) * moving, _share(recent_min, spread) * (moving & ~old)
        rough[LEVEL_DEV] += width * (np.abs(flat) - rough[LEVEL_DEV])
        rough[SHAPE_DEV] += width * (np.abs(around) - rough[SHAPE_DEV])
        rough[RECENT_DEV] += wide * (np.abs(lately) - rough[RECENT_DEV])
        newly = view.shaped & (rough[SHAPED] == 0)
        np.copyto(rough[RECENT_DEV], np.minimum(rough[RECENT_DEV], rough[SHAPE_DEV]), where=newly)
        rough[SHAPED] = view.shaped

    def accept(self, channels: Int64, departures: Float64) -> None:
        """Take where these channels are now, `departures` from the usual level, as usual: a lasting step is a new normal."""
        self.exact[channels, LEVEL] += departures
        self.exact[channels, OFFSET] += departures
        self.exact[channels, RECENT] = 0.0
        self.rough[channels, LONGEST] = np.maximum(self.rough[channels, LONGEST], self.rough[channels, SAME])

    def snapshot(self, count: int) -> dict[str, NDArray[Any]]:
        """Return the state of the first `count` channels."""
        return {
            "exact": self.exact[:count].copy(),
            "rough": self.rough[:count].copy(),
            **self.shape.snapshot(count),
        }

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Become what `snapshot` gave."""
        self.exact, self.rough = np.array(state["exact"]), np.array(state["rough"])
        self.shape.restore(state)


def _share(minutes: Float32, memory: Float32) -> Float32:
    share: Float32 = minutes / (memory + minutes)
    return share


def _within(values: Float32, bound: Float32 | float) -> Float32:
    return np.maximum(np.minimum(values, bound), -bound)
