"""G106: carbon monoxide dangerous by dose, as a domestic detector of EN 50291-1 judges it: 30 ppm for an hour is no alarm.

A dose grows with concentration and decays as blood clears itself; the alarm comes when it reaches 1. The growth is chosen so that
constant concentrations alarm in the middle of the standard's bands: 30 ppm not within 120 min, 50 ppm in 60 to 90, 100 ppm in
10 to 40, 300 ppm within 3. Between them the time is interpolated (logarithm against logarithm).
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from detectors.base import Output, World
from detectors.holding import Holding, Moment
from detectors.parameters import Parameters
from detectors.withdrawals import leaves
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import INDEX
from domain.readings import NOT_LIVE, Readings, Segment

_RULE = "G106"
_CO = INDEX["co_ppm"]
_TIMES = ((30.0, 170.0), (50.0, 75.0), (100.0, 25.0), (300.0, 2.0), (5000.0, 0.1))
"""Constant concentration (ppm) → minutes to the alarm."""
_DECAY_MIN = 180.0
_LONGEST_MIN = 10.0
"""A reading stands for at most so long: after a gap nobody knows what was breathed."""
_CEILING = 1.2
"""No more is counted, so that the alarm ends within the hour in fresh air: it speaks of the room, not of the blood."""
_WARM_PPM = 10.0
_FORGOTTEN = 0.005
"""A channel below both holds no state."""
_DIGITS = 4
_CAUSE = "co_dose"
_MINUTE_MS = 60_000.0


def minutes_to_alarm(ppm: float) -> float:
    """Return after how many minutes of constant concentration, from clean blood, the alarm comes; not below 30 ppm."""
    for (low, slow), (high, fast) in pairwise(_TIMES):
        if ppm <= high or high == _TIMES[-1][0]:
            share = (math.log(ppm) - math.log(low)) / (math.log(high) - math.log(low))
            return float(slow * (fast / slow) ** min(share, 1.0))
    raise AssertionError(ppm)


def growth(ppm: float) -> float:
    """Return the dose taken in a minute at this concentration; below 30 ppm in proportion to it."""
    if ppm <= 0:
        return 0.0
    floor = _TIMES[0][0]
    rate = 1.0 / (_DECAY_MIN * -math.expm1(-minutes_to_alarm(max(ppm, floor)) / _DECAY_MIN))
    return rate * min(ppm / floor, 1.0)


@dataclass(slots=True)
class Dose:
    """What one sensor's air has done so far: dose (1 alarms), when last known (device's time), and the worst of the alarm."""

    at_ms: int
    dose: float = 0.0
    peak: float = 0.0

    def breathe(self, ppm: float, at_ms: int) -> None:
        """Take in that the air held `ppm` since the last reading; a clock set back goes on from where it was set to."""
        if at_ms < self.at_ms - _LONGEST_MIN * _MINUTE_MS:
            self.at_ms = at_ms
        minutes = max(0, at_ms - self.at_ms) / _MINUTE_MS
        exposed = min(minutes, _LONGEST_MIN)
        steady = growth(ppm) * _DECAY_MIN
        rested = self.dose * math.exp(-(minutes - exposed) / _DECAY_MIN)
        self.dose = min(steady + (rested - steady) * math.exp(-exposed / _DECAY_MIN), _CEILING)
        self.at_ms = max(at_ms, self.at_ms)


class CarbonMonoxide:
    """Implements Detector for G106. Memory: the sensors that have CO in their air or its dose in their account."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._clear_ppm = parameters.of(_RULE)["clear_ppm"]
        self._doses: dict[int, Dose] = {}
        self._alarms = Holding(_RULE)

    def observe(self, segment: Segment, world: World) -> Output:
        readings = segment.of((_CO,), NOT_LIVE)
        followed = [*self._doses, *readings.slot[readings.value >= _WARM_PPM].tolist()]
        rows = np.flatnonzero(world.among(readings.slot, followed)).tolist() if followed else []
        return Output([found for i in rows for found in self._take(readings, i, world)])

    def _take(self, readings: Readings, i: int, world: World) -> list[Finding]:
        slot, ppm, at_ms = int(readings.slot[i]), float(readings.value[i]), int(readings.event_ms[i])
        path, moment = world.slots.path(slot), Moment(int(readings.offset[i]), int(readings.received_ms[i]), at_ms)
        dose = self._doses.setdefault(slot, Dose(at_ms))
        dose.breathe(ppm, at_ms)
        if dose.dose >= 1.0:
            dose.peak = max(dose.peak, ppm)
            return self._alarms.hold(path, _CAUSE, moment, _evidence(ppm, dose))
        if self._alarms.holds(path) and ppm >= self._clear_ppm:
            dose.peak = max(dose.peak, ppm)
            return []
        found = self._alarms.release(path, _CAUSE, moment, {"peaks": {"co_ppm": round(dose.peak, _DIGITS)}})
        dose.peak = 0.0
        if dose.dose < _FORGOTTEN and ppm < _WARM_PPM:
            del self._doses[slot]
        return found

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        for signal in leaves(self._doses, offset, now_ms, changes, world):
            del self._doses[signal.slot]
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        doses = [[slot, d.at_ms, d.dose, d.peak] for slot, d in self._doses.items()]
        return {"doses": doses, "alarms": self._alarms.snapshot()}

    def restore(self, state: dict[str, Any]) -> None:
        self._doses = {slot: Dose(*row) for slot, *row in state["doses"]}
        self._alarms.restore(state["alarms"])


def _evidence(ppm: float, dose: Dose) -> dict[str, Any]:
    """Return the reading that decided, the dose, and how long this concentration alone would take."""
    return {
        "measurand": "co_ppm",
        "value": round(ppm, _DIGITS),
        "unit": "ppm",
        "dose": round(dose.dose, 3),
        "minutes_at_this_level": round(minutes_to_alarm(max(ppm, _TIMES[0][0])), 1),
    }
