"""G104: gas that rises steadily and will reach level 1 within the horizon: minutes of warning before the threshold.

Readings below a fifth of the set point are filtered out in NumPy; of the few above, each sensor keeps its last two minutes. The
slope is the median of all pairs (Theil 1950, Sen 1968), which one spike cannot turn, and it counts only when the lower quartile
rises too and the rise has lasted: fumes of a pan go up and down within half a minute. A rise that slows down is taken to go on
slowing down, so that gas which settles below the set point is no alarm.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from detectors.base import Output, World
from detectors.holding import Holding, Moment
from detectors.parameters import Parameters
from detectors.setpoints import Limit, SetPoints
from detectors.withdrawals import leaves
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import COUNT, MEASURANDS
from domain.readings import Float64, Quality, Readings, Segment

_RULE = "G104"
_LEVEL_1 = "G102"
_FLOOR = 0.2
"""Share of the set point from which on a sensor is followed."""
_WINDOW_MS = 120_000
_POINTS = 24
"""Points kept of a window, at least `_WINDOW_MS / _POINTS` apart: what is said every second says little more."""
_FEWEST = 4
_QUARTILE = 25.0
_NOT_LIVE = int(Quality.RETAINED | Quality.LATE)
_SET_POINT_NOUNS = ("device", "model")
_DIGITS = 4


class Point(NamedTuple):
    """One reading: the device's time and the value."""

    at_ms: int
    value: float


class Trend(NamedTuple):
    """The median and the lower quartile of all pairs' slopes, in the unit a second, and the rise within the horizon."""

    slope: float
    low: float
    gain: float


class Course:
    """How one sensor went in the last minutes, whether it holds an alarm, and the alarm's worst value."""

    __slots__ = ("peak", "points", "told")

    def __init__(self, points: Iterable[Point] = (), told: bool = False, peak: float = 0.0) -> None:  # noqa: FBT001, FBT002  as stored
        self.points = deque(points, _POINTS)
        self.told, self.peak = told, peak

    def add(self, point: Point) -> None:
        """Keep the point, and forget what has left the window; points too close together make one."""
        if self.points and point.at_ms <= self.points[-1].at_ms:
            return
        if len(self.points) > 1 and point.at_ms - self.points[-2].at_ms < _WINDOW_MS // _POINTS:
            self.points.pop()
        self.points.append(point)
        while len(self.points) > _FEWEST and point.at_ms - self.points[0].at_ms > _WINDOW_MS:
            self.points.popleft()

    def lasted_ms(self) -> int:
        return self.points[-1].at_ms - self.points[0].at_ms

    def trend(self, horizon_s: float) -> Trend:
        """Return how it rises, and what it comes to within the horizon."""
        at, value = (np.array(column, float) for column in zip(*self.points, strict=True))
        slopes = _slopes(at, value)
        slope = float(np.median(slopes))
        half = len(at) // 2
        earlier, later = (
            float(np.median(_slopes(at[part], value[part]))) for part in (slice(half + 1), slice(half, None))
        )
        return Trend(slope, float(np.percentile(slopes, _QUARTILE)), self._gain(slope, earlier, later, horizon_s))

    def _gain(self, slope: float, earlier: float, later: float, horizon_s: float) -> float:
        """Return the rise within the horizon: a rise that slows down goes on slowing down, as gas in a ventilated room does."""
        straight = max(slope, 0.0) * horizon_s
        if not 0.0 < later < earlier:
            return straight if later > 0.0 else 0.0
        ratio = later / earlier
        return min(straight, later * self.lasted_ms() / 2000.0 * ratio / (1.0 - ratio))


class Rising:
    """Implements Detector for G104. Memory: two minutes of the sensors above a fifth of their set point."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        values = parameters.of(_RULE)
        self._horizon_s = values["horizon_s"]
        self._lasting_ms = values["lasting_s"] * 1000
        self._set_points = SetPoints(parameters, share=_FLOOR)
        self._alarms = Holding(_RULE)
        self._courses: dict[int, Course] = {}
        """By slot and measurand: slot × COUNT + measurand."""

    def observe(self, segment: Segment, world: World) -> Output:
        readings = segment.readings
        if not len(readings):
            return Output()
        live = readings.quality & _NOT_LIVE == 0
        high = self._set_points.tripped(readings.slot, readings.measurand, readings.value, world) & live
        keys = readings.slot.astype(np.int64) * COUNT + readings.measurand
        known = np.isin(keys, list(self._courses)) & live if self._courses else np.zeros(len(keys), np.bool_)
        rows = np.flatnonzero(high | known).tolist()
        return Output([found for i in rows for found in self._take(readings, i, int(keys[i]), world)])

    def _take(self, readings: Readings, i: int, key: int, world: World) -> list[Finding]:
        value = float(readings.value[i])
        limits = self._set_points.limits(int(readings.slot[i]), int(readings.measurand[i]))
        limit = next((limit for limit in limits if limit.rule == _LEVEL_1), None)
        if limit is None:
            return []
        course = self._courses.setdefault(key, Course())
        course.add(Point(int(readings.event_ms[i]), value))
        found = self._judge(readings, i, course, limit, world.slots.path(int(readings.slot[i])))
        if value < _FLOOR * limit.high and not course.told:
            del self._courses[key]
        return found

    def _judge(self, readings: Readings, i: int, course: Course, limit: Limit, path: str) -> list[Finding]:
        if len(course.points) < _FEWEST:
            return []
        name, value = MEASURANDS[int(readings.measurand[i])].name, course.points[-1].value
        moment = Moment(int(readings.offset[i]), int(readings.received_ms[i]), int(readings.event_ms[i]))
        trend = course.trend(self._horizon_s)
        ahead = value + trend.gain
        course.peak = max(course.peak, value)
        if course.told:
            course.told = trend.slope > 0 and ahead >= limit.high
            peaks = {"peaks": {name: round(course.peak, _DIGITS)}}
            return [] if course.told else self._alarms.release(path, name, moment, peaks)
        if trend.low <= 0 or course.lasted_ms() < self._lasting_ms or not value < limit.high <= ahead:
            return []
        course.told, course.peak = True, value
        return self._alarms.hold(path, name, moment, _evidence(readings, i, trend.slope, limit, course))

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        if any(change.noun in _SET_POINT_NOUNS for change in changes):
            self._set_points.forget()
        gone = {
            signal.slot for signal in leaves({key // COUNT for key in self._courses}, offset, now_ms, changes, world)
        }
        self._courses = {key: course for key, course in self._courses.items() if key // COUNT not in gone}
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        rows = [[key, [list(p) for p in c.points], c.told, c.peak] for key, c in self._courses.items()]
        return {"courses": rows, "alarms": self._alarms.snapshot()}

    def restore(self, state: dict[str, Any]) -> None:
        self._set_points.forget()
        self._courses = {
            key: Course([Point(*p) for p in points], told, peak) for key, points, told, peak in state["courses"]
        }
        self._alarms.restore(state["alarms"])


def _evidence(readings: Readings, i: int, slope: float, limit: Limit, course: Course) -> dict[str, Any]:
    """Return the reading, how fast it rises, for how long it has, and when it will be at the set point."""
    measurand, value = MEASURANDS[int(readings.measurand[i])], course.points[-1].value
    return {
        "measurand": measurand.name,
        "value": round(value, _DIGITS),
        "unit": measurand.unit,
        "set_point": round(limit.high, _DIGITS),
        "set_point_basis": limit.basis,
        "rise_per_min": round(slope * 60, _DIGITS),
        "rising_s": course.lasted_ms() // 1000,
        "reaches_in_s": round((limit.high - value) / slope),
    }


def _slopes(at_ms: Float64, value: Float64) -> Float64:
    """Return the slope of every pair of points."""
    i, j = np.triu_indices(len(at_ms), 1)
    slopes: Float64 = (value[j] - value[i]) / ((at_ms[j] - at_ms[i]) / 1000.0)
    return slopes
