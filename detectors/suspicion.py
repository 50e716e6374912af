"""Whether a channel's departures from its baseline are chance: three cumulative sums, their limits, when alarms begin and end.

Two sums need more than `k` spreads, from the last hours or from the usual level; the third sums small departures that last, and
its limit grows with the autocorrelation of the noise. No single reading alarms, however far it is. Where `habits` are no news, an
alarm that is over within hours widens its channel's limits to what would have spared it, so that whatever the noise, alarms
become few; and a value that does not change for far longer than it ever did is an alarm too.
"""

from enum import StrEnum
from typing import NamedTuple

import numpy as np

from detectors.arrays import gathered, grown
from detectors.baseline import AGE, PACE, SEEN, Mask, View
from detectors.cusum import climb
from detectors.dayshape import Float32
from domain.readings import Float64, Int64

LATELY, USUALLY, UP, DOWN, RECENT_Z, USUAL_Z, QUIET, ACTIVE, PEAK, HEIGHT, LASTING, WIDER = range(12)
"""Sums of departures from the last hours, from the usual level, small ones up and down; smoothed departures, minutes without a
sign, minutes the alarm stands (0: it does not), its value farthest from normal, how much the excursion summed in all (in limits),
minutes the small sums are above zero, and by how much the channel's limits are wider than those it began with (0: not)."""
_SUMS = 4
COLUMNS = 12

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
_HABITUAL = np.float32(240.0)
"""Alarms shorter than so many minutes are habits in the making, longer ones are not."""
_FORGIVEN = 28_800.0
"""Minutes in which limits that habits have widened come back by a factor e; one alarm widens them twofold at most."""
_WIDEST = 100.0
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
    `habits`: short alarms teach, stillness alarms.
    """

    k: float
    h: float
    small_k: float
    small_h: float
    warmup: float
    off: float
    both: bool
    habits: bool


class Why(StrEnum):
    """What an alarm is about: far from the last hours, far from the usual level, a little off for long, or stuck."""

    LATELY = "lately"
    USUAL = "usual"
    LASTING = "lasting"
    UNCHANGED = "unchanged"


class Judged(NamedTuple):
    """One batch's result: the score of each reading (1 and above: alarm), which alarms began or ended, what is suspicious.

    `old`: has been for hours, where habits are no news.
    """

    score: Float32
    turned: Mask
    elevated: Mask
    old: Mask


class Suspicions:
    """The state of all channels, grown on demand: 48 bytes a channel."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rows: Float32 = np.empty((0, COLUMNS), np.float32)

    def begin(self, channels: Int64) -> None:
        """Make new channels, the next numbers in a row."""
        self.rows = grown(self.rows, int(channels[-1]) + 1)

    def judge(self, view: View, values: Float64) -> Judged:
        """Take the readings of a view in."""
        limits, rows, pace = self.limits, gathered(self.rows, view.channels), view.rough[PACE]
        known = (view.rough[AGE] >= limits.warmup) & (view.rough[SEEN] >= FIRST)
        recent = view.news() if limits.both else view.recent
        strong, small = self._ratios(rows, view, recent, known)
        ratio = np.maximum(strong, small)
        z = _smoothed(rows, view, recent, both=limits.both)
        sign = (z > _CALM) | (strong > 0) | (small >= 1.0)
        if limits.habits:
            still = view.stillness()
            ratio, sign = np.maximum(ratio, still), sign | (still >= 1.0)
        was = rows[ACTIVE] > 0
        rows[QUIET] = (rows[QUIET] + view.minutes) * ~sign
        active = np.where(was, rows[QUIET] < np.maximum(limits.off, _SMOOTH * pace), ratio >= 1.0)
        over = was & ~active
        rows[:_SUMS, over] = 0.0
        if limits.habits:
            _widen(rows, view.minutes, over)
        rows[HEIGHT] *= active | (strong > 0)
        rows[ACTIVE] = (rows[ACTIVE] + np.where(was, view.minutes, _JUST)) * active
        if active.any():
            farther = np.abs(values - view.expected) > np.abs(rows[PEAK] - view.expected)
            np.copyto(rows[PEAK], values, where=active & (~was | farther), casting="same_kind")
        self.rows[view.channels] = rows.T
        far = z / _FAR
        score = np.where(ratio >= 1.0, 1.0 + far, np.maximum(ratio, np.minimum(far, 0.99)))
        old = (rows[ACTIVE] >= _HABITUAL) if limits.habits else np.zeros_like(active)
        return Judged(score, active != was, active | (strong > _SUSPECT), old)

    def _ratios(self, rows: Float32, view: View, recent: Float32, known: Mask) -> tuple[Float32, Float32]:
        """Return the greater strong sum and the small one, in limits."""
        limits, weight = self.limits, np.minimum(view.minutes, _MINUTE)
        h, small_h = self._widths(rows, view)
        cap = limits.k + _ONE_READING * limits.h
        recent, usual = (np.maximum(np.minimum(z, cap), -cap) for z in (recent, view.usual))
        far = (np.abs(recent), np.abs(usual)) if limits.both else (recent, usual)
        rows[LATELY] = climb(rows[LATELY], far[0], weight, limits.k, _CEILING * h)
        rows[USUALLY] = climb(rows[USUALLY], far[1], weight, limits.k, _CEILING * h)
        rows[UP] = climb(rows[UP], usual, weight, limits.small_k, _SMALL_CEILING * small_h)
        if limits.both:
            rows[DOWN] = climb(rows[DOWN], -usual, weight, limits.small_k, _SMALL_CEILING * small_h)
        rows[:_SUMS] *= known
        rows[HEIGHT] += np.maximum(np.maximum(*far) - limits.k, 0.0) * weight / limits.h * known
        rows[LASTING] = (rows[LASTING] + view.minutes) * ((rows[UP] > 0) | (rows[DOWN] > 0))
        return np.maximum(rows[LATELY], rows[USUALLY]) / h, np.maximum(rows[UP], rows[DOWN]) / small_h

    def _widths(self, rows: Float32, view: View) -> tuple[Float32, Float32]:
        """Return the limits of the strong sums and of the small ones."""
        wider = 1.0 + rows[WIDER]
        return self.limits.h * wider, self.limits.small_h * view.inflation() * wider

    def why(self, view: View, i: int) -> "Why":
        """Return what made the i-th channel of the view, just judged, alarm."""
        row = self.rows[view.channels[i]]
        if self.limits.habits and view.stillness()[i] >= 1.0:
            return Why.UNCHANGED
        h, small_h = (float(limit[i]) for limit in self._widths(self.rows[view.channels].T, view))
        if max(row[LATELY], row[USUALLY]) < h and max(row[UP], row[DOWN]) >= small_h:
            return Why.LASTING
        return Why.USUAL if row[USUALLY] >= row[LATELY] else Why.LATELY

    def forget(self, channels: Int64) -> None:
        """End these channels' alarms: what they departed to has become their normal."""
        self.rows[channels, :_SUMS] = 0.0
        self.rows[channels, ACTIVE] = 0.0


def _smoothed(rows: Float32, view: View, recent: Float32, *, both: bool) -> Float32:
    """Return the greater of both smoothed departures, never negative."""
    share = np.minimum(view.minutes / (_SMOOTH * np.maximum(view.rough[PACE], _MINUTE)), 1.0)
    rows[RECENT_Z] += share * (recent - rows[RECENT_Z])
    rows[USUAL_Z] += share * (view.usual - rows[USUAL_Z])
    z = np.abs(rows[RECENT_Z : USUAL_Z + 1]) if both else rows[RECENT_Z : USUAL_Z + 1]
    smoothed: Float32 = np.maximum(z.max(axis=0), 0.0)
    return smoothed


def _widen(rows: Float32, minutes: Float32, over: Mask) -> None:
    """Widen the limits of channels whose alarm is over, if it was short, to what it summed; forgive all a little."""
    rows[WIDER] *= 1.0 - np.minimum(minutes / _FORGIVEN, 1.0)
    if over.any():
        wider = np.minimum(np.minimum(rows[HEIGHT], 1.0 + 2.0 * rows[WIDER]), _WIDEST)
        np.copyto(rows[WIDER], np.maximum(wider, rows[WIDER]), where=over & (rows[ACTIVE] < _HABITUAL))
