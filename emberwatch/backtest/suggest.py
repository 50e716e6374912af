"""Set points proposed from a sensor's own history: as low as they can be without crying wolf, never above the bounds.

For each channel that has set points, the lowest level is sought that this history would have passed at most once in thirty
days outside the known events (passes within 30 minutes are one), but not above what the standard allows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.parameters import Parameters
from detectors.setpoints import profile
from domain.measurands import BY_NAME
from emberwatch.backtest.channels import Channel, given_name
from emberwatch.backtest.recording import Recording
from emberwatch.backtest.truth import MERGE_MS, Interval, merge

_PER_DAYS = 30.0
_DAY_MS = 86_400_000
_CANDIDATES = 200
_USUAL = 0.99
"""Below this quantile a level would stand in alarm, which counts as one pass and helps nobody."""
_ABOVE_NOISE = 1.5
"""A proposal keeps this factor above what passes once in thirty days, since a short history has not seen the worst."""


class Suggestion(NamedTuple):
    """Proposed levels in `unit`; how often this history passed them outside known events, and over how many days."""

    device: str
    measurand: str
    unit: str
    level1: float
    level2: float
    bound1: float
    bound2: float
    false_alarms_level1: int
    false_alarms_level2: int
    days: float


def suggest(recording: Recording, truth: Sequence[Interval]) -> list[Suggestion]:
    """Return a proposal for each channel with set points and readings; channels without are left out."""
    proposals = (_propose(i, channel, recording, truth) for i, channel in enumerate(recording.channels))
    return [proposal for proposal in proposals if proposal is not None]


def _propose(column: int, channel: Channel, recording: Recording, truth: Sequence[Interval]) -> Suggestion | None:
    bounds = _bounds(channel.measurand)
    times, values = recording.series(column)
    if bounds is None or not len(times):
        return None
    quiet = ~_inside(times, truth)
    days = max(float(times[-1] - times[0]) / _DAY_MS, 1e-9)
    allowed = max(1, int(days / _PER_DAYS))
    candidates = np.quantile(values[quiet] if quiet.any() else values, np.linspace(_USUAL, 1.0, _CANDIDATES))
    level = next((float(c) for c in candidates if _passes(times, values, quiet, c) <= allowed), float(candidates[-1]))
    level1 = _rounded(min(max(level * _ABOVE_NOISE, bounds[0] / 10), bounds[0]))
    level2 = _rounded(min(max(2 * level1, level1 + bounds[0] / 10), bounds[1]))
    return Suggestion(
        given_name(str(channel.device)),
        channel.measurand,
        BY_NAME[channel.measurand].unit,
        level1,
        level2,
        *bounds,
        _passes(times, values, quiet, level1),
        _passes(times, values, quiet, level2),
        round(days, 2),
    )


def _bounds(measurand: str) -> tuple[float, float] | None:
    """Return the rules' own levels 1 and 2, which no set point may exceed; None where a measurand has none."""
    limits = profile(Parameters({}), None, None).get(BY_NAME[measurand].column, ())
    levels = {limit.rule: limit.high for limit in limits}
    return (levels["G102"], levels["G101"]) if {"G101", "G102"} <= levels.keys() else None


def _inside(times: NDArray[np.int64], truth: Sequence[Interval]) -> NDArray[np.bool_]:
    inside = np.zeros(len(times), np.bool_)
    for event in truth:
        inside |= (times >= event.start_ms) & (times <= event.end_ms + MERGE_MS)
    return inside


def _passes(times: NDArray[np.int64], values: NDArray[np.float64], quiet: NDArray[np.bool_], level: float) -> int:
    above = times[(values > level) & quiet].tolist()
    return len(merge([Interval(moment, moment) for moment in above], MERGE_MS))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
