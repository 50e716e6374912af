"""G104: gas that rises steadily and will reach level 1 within the horizon: minutes of warning before the threshold.

Readings below a fifth of the set point are filtered out in NumPy; of the sensors above, `courses.py` keeps the last two minutes
and tells which may rise at all. Those few are judged one by one. The slope is the median of all pairs (Theil 1950, Sen 1968),
which one spike cannot turn, and it counts only when the lower quartile rises too and the rise has lasted: fumes of a pan go up
and down within half a minute. A rise that slows down is taken to go on slowing down, so that gas which settles below the set
point is no alarm; and the forecast must have been the same before the newest points came.
"""

from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown, rounds
from detectors.base import Output, World
from detectors.courses import FEWEST, Courses
from detectors.holding import Holding, Moment
from detectors.parameters import Parameters
from detectors.setpoints import LEVEL_1, Limit, SetPoints
from detectors.withdrawals import leaves
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import COUNT, MEASURANDS, Family, indices
from domain.readings import NOT_LIVE, Float64, Int64, Readings, Segment

_RULE = "G104"
_WATCHED = indices(Family.COMBUSTIBLE, Family.TOXIC)
_LANE = np.full(COUNT, -1, np.int8)
_LANE[list(_WATCHED)] = range(len(_WATCHED))
_FLOOR = 0.2
"""Share of the set point from which on a sensor is followed."""
_QUARTILE = 25.0
_DIGITS = 4
_STEADY = 3
"""Newest points without which the forecast must be the same."""


class Trend(NamedTuple):
    """The median and the lower quartile of all pairs' slopes, in the unit a second, and the rise within the horizon."""

    slope: float
    low: float
    gain: float


class _Turn(NamedTuple):
    """A reading (its row) with which one sensor's alarm begins or ends, and the facts."""

    i: int
    begins: bool
    evidence: dict[str, Any]


class Rising:
    """Implements Detector for G104. Memory: two minutes of the sensors above a fifth of their set point."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        values = parameters.of(_RULE)
        self._horizon_s = values["horizon_s"]
        self._lasting_ms = values["lasting_s"] * 1000
        self._set_points = SetPoints(parameters)
        self._alarms = Holding(_RULE)
        self._courses = Courses()
        self._row = np.full((0, len(_WATCHED)), -1, np.int32)
        """Slot and lane → row of the sensor's course; -1: it is not followed."""
        self._key: Int64 = np.empty(0, np.int64)
        """Row → slot × COUNT + measurand of the sensor followed there, -1: free."""
        self._peaks: dict[int, float] = {}
        """Row → worst value, of those in alarm."""
        self._free: list[int] = []

    def observe(self, segment: Segment, world: World) -> Output:
        readings = segment.of(_WATCHED, NOT_LIVE)
        if not len(readings):
            return Output()
        level1 = self._set_points.level1(readings.slot, readings.measurand, world)
        self._row = grown(self._row, len(world.slots), fill=-1)
        high = readings.value >= _FLOOR * level1
        rows = self._row[readings.slot, _LANE[readings.measurand]]
        if (new := high & (rows < 0)).any():
            self._follow(readings.take(new))
            rows = self._row[readings.slot, _LANE[readings.measurand]]
        followed = np.flatnonzero(rows >= 0)
        return self._take(readings.take(followed), rows[followed].astype(np.int64), level1[followed], world)

    def _take(self, readings: Readings, rows: Int64, level1: Float64, world: World) -> Output:
        """Take in readings of followed sensors; those that are low again are followed no more."""
        turns = [t for some in rounds(rows) for t in self._advance(readings, some, rows[some], level1[some])]
        empty = rows[self._courses.is_empty(rows)]
        if len(empty):
            self._leave(np.unique(empty))
        turns.sort(key=itemgetter(0))
        return Output([found for turn in turns for found in self._told(readings, turn, world)])

    def _follow(self, readings: Readings) -> None:
        """Give a row to each sensor of these readings."""
        for key in dict.fromkeys((readings.slot.astype(np.int64) * COUNT + readings.measurand).tolist()):
            if not self._free:
                more = max(64, len(self._key) // 2)
                self._free += range(len(self._key) + more - 1, len(self._key) - 1, -1)
                self._key = grown(self._key, len(self._key) + more, fill=-1)
                self._courses.grow(len(self._key))
            row = self._free.pop()
            self._key[row], self._row[key // COUNT, _LANE[key % COUNT]] = key, row

    def _leave(self, rows: Int64) -> None:
        """Follow these sensors no more."""
        self._row[self._key[rows] // COUNT, _LANE[self._key[rows] % COUNT]] = -1
        self._key[rows] = -1
        self._free += rows.tolist()

    def _advance(self, readings: Readings, chosen: Int64, rows: Int64, level1: Float64) -> "list[_Turn]":
        """Take one reading into each course; a sensor that is low again and holds no alarm has none from then on."""
        values = readings.value[chosen]
        judged = self._courses.add(rows, readings.event_ms[chosen], values)
        told = self._courses.has_enough(rows)
        told &= np.isin(rows, list(self._peaks)) if self._peaks else False
        judged &= told | self._courses.may_reach(rows, level1, self._horizon_s, self._lasting_ms)
        turns = [self._judge(readings, int(chosen[i]), int(rows[i])) for i in np.flatnonzero(judged).tolist()]
        low = rows[values < _FLOOR * level1]
        self._courses.clear(low[~np.isin(low, list(self._peaks))])
        return [turn for turn in turns if turn is not None]

    def _judge(self, readings: Readings, i: int, row: int) -> "_Turn | None":
        """Return what a reading begins or ends."""
        slot, measurand = int(readings.slot[i]), int(readings.measurand[i])
        limit = next(limit for limit in self._set_points.limits(slot, measurand) if limit.rule == LEVEL_1)
        times, values = self._courses.points(row)
        trend, value = _trend(times, values, self._horizon_s), float(values[-1])
        lasted_ms, reaches = int(times[-1] - times[0]), value + trend.gain >= limit.high
        if row in self._peaks:
            return self._go_on(i, measurand, row, value, rises=trend.slope > 0 and reaches)
        if trend.low <= 0 or lasted_ms < self._lasting_ms or value >= limit.high or not reaches:
            return None
        if not _is_steady(times, values, limit.high, self._horizon_s):
            return None
        self._peaks[row] = value
        return _Turn(i, True, _evidence(measurand, value, trend.slope, limit, lasted_ms))

    def _go_on(self, i: int, measurand: int, row: int, value: float, *, rises: bool) -> "_Turn | None":
        """Let an alarm stand while the gas still rises to the set point."""
        self._peaks[row] = max(self._peaks[row], value)
        if rises:
            return None
        return _Turn(i, False, {"peaks": {MEASURANDS[measurand].name: round(self._peaks.pop(row), _DIGITS)}})

    def _told(self, readings: Readings, turn: "_Turn", world: World) -> list[Finding]:
        i = turn.i
        path, name = world.slots.path(int(readings.slot[i])), MEASURANDS[int(readings.measurand[i])].name
        moment = Moment(int(readings.offset[i]), int(readings.received_ms[i]), int(readings.event_ms[i]))
        return (self._alarms.hold if turn.begins else self._alarms.release)(path, name, moment, turn.evidence)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        self._set_points.forget(world.touched(changes))
        used = (int(key) // COUNT for key in self._key if key >= 0)
        for signal in leaves(used, offset, now_ms, changes, world):
            rows = self._row[signal.slot]
            gone = rows[rows >= 0].astype(np.int64)
            self._courses.clear(gone)
            self._leave(gone)
            for row in gone.tolist():
                self._peaks.pop(row, None)
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        used = np.flatnonzero(self._key >= 0)
        peaks = [[int(self._key[row]), peak] for row, peak in self._peaks.items()]
        return {
            "keys": self._key[used],
            "courses": self._courses.snapshot(used),
            "peaks": peaks,
            "alarms": self._alarms.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._set_points.forget()
        self._key, self._free = np.array(state["keys"]), []
        self._courses.restore(state["courses"])
        slots, lanes = self._key // COUNT, _LANE[self._key % COUNT]
        self._row = np.full((int(slots.max(initial=-1)) + 1, len(_WATCHED)), -1, np.int32)
        self._row[slots, lanes] = range(len(self._key))
        self._peaks = {int(self._row[key // COUNT, _LANE[key % COUNT]]): peak for key, peak in state["peaks"]}
        self._alarms.restore(state["alarms"])


def _trend(times_ms: Int64, value: Float64, horizon_s: float) -> Trend:
    """Return how a course rises, and what it comes to within the horizon."""
    at = times_ms.astype(float)
    slopes = _slopes(at, value)
    slope = float(np.median(slopes))
    half = len(at) // 2
    earlier, later = (float(np.median(_slopes(at[part], value[part]))) for part in (slice(half + 1), slice(half, None)))
    gain = _gain(slope, earlier, later, horizon_s, float(at[-1] - at[0]) / 2000.0)
    return Trend(slope, float(np.percentile(slopes, _QUARTILE)), gain)


def _is_steady(times_ms: Int64, values: Float64, limit: float, horizon_s: float) -> bool:
    """Whether the forecast was the same before the newest points came: what noise makes of a slope goes to and fro."""
    fewer = range(max(FEWEST, len(values) - _STEADY), len(values))
    return all(values[n - 1] + _trend(times_ms[:n], values[:n], horizon_s).gain >= limit for n in fewer)


def _gain(slope: float, earlier: float, later: float, horizon_s: float, half_s: float) -> float:
    """Return the rise within the horizon: a rise that slows down goes on slowing down, as gas in a ventilated room does."""
    straight = max(slope, 0.0) * horizon_s
    if not 0.0 < later < earlier:
        return straight if later > 0.0 else 0.0
    ratio = later / earlier
    return min(straight, later * half_s * ratio / (1.0 - ratio))


def _slopes(at_ms: Float64, value: Float64) -> Float64:
    """Return the slope of every pair of points."""
    i, j = np.triu_indices(len(at_ms), 1)
    slopes: Float64 = (value[j] - value[i]) / ((at_ms[j] - at_ms[i]) / 1000.0)
    return slopes


def _evidence(measurand: int, value: float, slope: float, limit: Limit, lasted_ms: int) -> dict[str, Any]:
    """Return the reading, how fast it rises, for how long it has, and when it will be at the set point."""
    return {
        "measurand": MEASURANDS[measurand].name,
        "value": round(value, _DIGITS),
        "unit": MEASURANDS[measurand].unit,
        "set_point": round(limit.high, _DIGITS),
        "set_point_basis": limit.basis,
        "rise_per_min": round(slope * 60, _DIGITS),
        "rising_s": lasted_ms // 1000,
        "reaches_in_s": round((limit.high - value) / slope),
    }
