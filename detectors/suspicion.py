"""Whether a channel's departures from its baseline are chance: three cumulative sums, their limits, when alarms begin and end.

Two sums need more than `k` spreads, from the last hours or from the usual level; the third sums small departures that last, and
its limit grows with the autocorrelation of the noise. No single reading alarms, however far it is. Where `habits` are no news, a
channel's excursions teach how high is ordinary for it and raise its limits.
"""

from typing import NamedTuple

import numpy as np

from detectors.arrays import gathered, grown
from detectors.baseline import AGE, PACE, SEEN, Mask, View
from detectors.cusum import climb
from detectors.dayshape import Float32
from domain.readings import Float64, Int64

_SUMS = 6
"""Recent, usual and small departures, each up and down."""
CREST, TAIL, SMALL_CREST, SMALL_TAIL, CYCLES, RECENT_Z, USUAL_Z, QUIET, ACTIVE, PEAK = range(6, 16)
"""Highest ratio of sum to limit of this excursion and its mean over excursions (twice), how many there were, smoothed departures,
minutes without a sign, minutes the alarm stands (0: it does not), and its value farthest from normal."""
COLUMNS = 16

_ONE_READING = 0.97
"""One reading fills at most so much of a strong limit."""
_SUSPECT = 0.5
"""From this share of a strong limit on a channel counts as elevated: it teaches its baseline little."""
_CEILING, _SMALL_CEILING = 1.2, 1.02
"""Sums are held at this many limits, so that an episode ends soon after its cause; the small sum falls slowly."""
FIRST = 20
"""No alarm before this many readings, however slow they come."""
_MINUTE = 1.0
"""A reading counts as its minutes, and as one minute when they are more: a gap is no evidence, seconds are seconds."""
_ORDINARY = 0.15
"""Mean height of the excursions of independent normal noise, in limits."""
_DOUBTED = 10.0
"""Excursions that the ordinary height counts as, before a channel has shown its own."""
_REMEMBERED = 200.0
_WIDEST = 20.0
_SMOOTH = 3.0
"""Minutes, or readings, over which departures are smoothed to see whether an episode is over."""
_CALM = 2.0
"""An episode goes on while its smoothed departure is beyond this many spreads."""
_JUST = 1e-3
"""Minutes an alarm stands at the reading that raises it: more than none."""
_FAR = 10.0
"""A smoothed departure of this many spreads scores as high as anything can without an alarm."""


class Limits(NamedTuple):
    """`k` σ and `h` σ·min of the strong sums, `small_k` and `small_h` of the third.

    Minutes: before the first alarm, and of calm after which an episode is over. `both`: departures downwards count as well;
    `habits`: excursions teach.
    """

    k: float
    h: float
    small_k: float
    small_h: float
    warmup: float
    off: float
    both: bool
    habits: bool


class Judged(NamedTuple):
    """One batch's result: the score of each reading (1 and above: alarm), which alarms began or ended, and what is suspicious."""

    score: Float32
    turned: Mask
    elevated: Mask


class Suspicions:
    """The state of all channels, grown on demand: 64 bytes a channel."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rows: Float32 = np.empty((0, COLUMNS), np.float32)

    def begin(self, channels: Int64) -> None:
        """Make new channels, the next numbers in a row."""
        self.rows = grown(self.rows, int(channels[-1]) + 1)
        self.rows[channels, TAIL] = self.rows[channels, SMALL_TAIL] = _ORDINARY

    def judge(self, view: View, values: Float64) -> Judged:
        """Take the readings of a view in."""
        limits, rows, pace = self.limits, gathered(self.rows, view.channels), view.rough[PACE]
        known = (view.rough[AGE] >= limits.warmup) & (view.rough[SEEN] >= FIRST)
        strong, small = self._ratios(rows, view, known)
        ratio = np.maximum(strong, small)
        z = _smoothed(rows, view, both=limits.both)
        was = rows[ACTIVE] > 0
        rows[QUIET] = (rows[QUIET] + view.minutes) * ~((z > _CALM) | (strong > 0) | (small >= 1.0))
        active = np.where(was, rows[QUIET] < np.maximum(limits.off, _SMOOTH * pace), ratio >= 1.0)
        rows[:_SUMS, was & ~active] = 0.0
        rows[ACTIVE] = (rows[ACTIVE] + np.where(was, view.minutes, _JUST)) * active
        if active.any():
            farther = np.abs(values - view.expected) > np.abs(rows[PEAK] - view.expected)
            np.copyto(rows[PEAK], values, where=active & (~was | farther), casting="same_kind")
        self.rows[view.channels] = rows.T
        far = z / _FAR
        score = np.where(ratio >= 1.0, 1.0 + far, np.maximum(ratio, np.minimum(far, 0.99)))
        return Judged(score, active != was, active | (strong > _SUSPECT))

    def _ratios(self, rows: Float32, view: View, known: Mask) -> tuple[Float32, Float32]:
        """Return the greatest strong sum and the small one, in limits."""
        limits, weight = self.limits, np.minimum(view.minutes, _MINUTE)
        h = limits.h * _widened(rows[TAIL])
        small_h = limits.small_h * view.inflation() * _widened(rows[SMALL_TAIL])
        cap = limits.k + _ONE_READING * limits.h
        recent, usual = (np.maximum(np.minimum(z, cap), -cap) for z in (view.recent, view.usual))
        top, small_top = _CEILING * h, _SMALL_CEILING * small_h
        tests = ((0, recent, limits.k, top), (2, usual, limits.k, top), (4, usual, limits.small_k, small_top))
        for row, z, k, ceiling in tests:
            rows[row] = climb(rows[row], z, weight, k, ceiling)
            if limits.both:
                rows[row + 1] = climb(rows[row + 1], -z, weight, k, ceiling)
        rows[:_SUMS] *= known
        strong, small = rows[0:4].max(axis=0) / h, rows[4:6].max(axis=0) / small_h
        if limits.habits:
            _excurse(rows, CREST, TAIL, strong)
            _excurse(rows, SMALL_CREST, SMALL_TAIL, small)
        return strong, small

    def forget(self, channels: Int64) -> None:
        """End these channels' alarms: what they departed to has become their normal."""
        self.rows[channels, :_SUMS] = 0.0
        self.rows[channels, ACTIVE] = 0.0


def _smoothed(rows: Float32, view: View, *, both: bool) -> Float32:
    """Return the greater of both smoothed departures, never negative."""
    share = np.minimum(view.minutes / (_SMOOTH * np.maximum(view.rough[PACE], _MINUTE)), 1.0)
    rows[RECENT_Z] += share * (view.recent - rows[RECENT_Z])
    rows[USUAL_Z] += share * (view.usual - rows[USUAL_Z])
    z = np.abs(rows[RECENT_Z : USUAL_Z + 1]) if both else rows[RECENT_Z : USUAL_Z + 1]
    smoothed: Float32 = np.maximum(z.max(axis=0), 0.0)
    return smoothed


def _widened(tail: Float32) -> Float32:
    """Return by how much limits are raised for a channel whose excursions are usually this high."""
    widened: Float32 = np.minimum(np.maximum(tail / _ORDINARY, 1.0), _WIDEST)
    return widened


def _excurse(rows: Float32, crest: int, tail: int, ratio: Float32) -> None:
    """Follow excursions of a sum above zero; each that ends teaches how high they usually are."""
    ended = (ratio <= 0) & (rows[crest] > 0)
    height = np.minimum(rows[crest], 1.0) * _widened(rows[tail])
    rows[CYCLES] += ended
    rate = 1.0 / np.minimum(rows[CYCLES] + _DOUBTED, _REMEMBERED)
    rows[tail] += rate * (height - rows[tail]) * ended
    rows[crest] = np.maximum(rows[crest], ratio) * (ratio > 0)
