"""Limits of a quantity on either side, each with its gravity: tank levels, differential pressure, residual current, hoppers.

Devices with equal limits share one profile, so a reading is found to be inside them by two array look-ups; only readings of
devices that are outside, or were, are judged one by one. A limit is passed at its value, and left again a deadband inside it;
an on-delay waits for readings that stay outside.
"""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown
from detectors.base import World
from detectors.holding import Holding, Moment
from domain.findings import Finding, Severity
from domain.measurands import COUNT, MEASURANDS
from domain.readings import Float64, Int32, Quality, Readings, Segment
from registers.device import Device, DeviceModel

_RETAINED = int(Quality.RETAINED)
_LATE = int(Quality.LATE)
_DIGITS = 4


class Limit(NamedTuple):
    """One limit: passed at `value` and above (`side` 1) or below (-1); in the measurand's unit, with its basis."""

    name: str
    side: int
    value: float
    severity: Severity
    deadband: float
    basis: str
    delay_ms: int = 0

    def passed(self, value: float) -> bool:
        return (value - self.value) * self.side >= 0

    def left(self, value: float) -> bool:
        return (value - self.value) * self.side < -self.deadband


Limits = dict[int, tuple[Limit, ...]]
"""Measurand → its limits, gravest first."""
Resolve = Callable[[Device | None, DeviceModel | None], Limits]


class Reading(NamedTuple):
    """One row of Readings."""

    offset: int
    slot: int
    measurand: int
    value: float
    event_ms: int
    received_ms: int
    quality: int


@dataclass(slots=True)
class _Case:
    """One quantity that is outside, or waits to be: limits passed → since when (our time), and those that hold the alarm."""

    since_ms: dict[str, int] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    late: bool = True


class Levels:
    """Judges readings against their devices' limits and holds the alarms of one rule, one cause a measurand.

    Memory: four bytes a slot, the profiles, and the quantities that are outside.
    """

    def __init__(self, alarms: Holding, measurands: tuple[int, ...], resolve: Resolve) -> None:
        self._alarms = alarms
        self._resolve = resolve
        self._watched = measurands
        self._cases: dict[tuple[int, int], _Case] = {}
        self.forget()

    def forget(self, slots: list[int] | None = None) -> None:
        """Resolve the profiles of these slots anew, because the registers changed; None: of all."""
        if slots is None:
            self._begin()
        else:
            self._profile[[slot for slot in slots if slot < len(self._profile)]] = -1

    def _begin(self) -> None:
        self._profile: Int32 = np.empty(0, np.int32)
        self._profiles: list[Limits] = []
        self._keys: dict[Hashable, int] = {}
        self._low: Float64 = np.empty((0, COUNT))
        self._high: Float64 = np.empty((0, COUNT))
        self._is_any = False

    def judge(self, segment: Segment, world: World) -> list[Finding]:
        """Return what the readings mean, in journal order."""
        return [f for reading in self.candidates(segment, world) for f in self.take(reading, world)]

    def candidates(self, segment: Segment, world: World) -> list[Reading]:
        """Return the readings that `take` must judge, in journal order: those of devices that are outside, or were."""
        readings = segment.of(self._watched, _RETAINED)
        if not len(readings):
            return []
        near = [*self._outside(readings, world), *(slot for slot, _ in self._cases)]
        return _each(readings.take(world.among(readings.slot, near))) if near else []

    def _outside(self, readings: Readings, world: World) -> list[int]:
        """Return the slots that have a reading past the first limit of its quantity."""
        self._profile = grown(self._profile, len(world.slots), fill=-1)
        profile = self._profile[readings.slot]
        if (profile < 0).any():
            for slot in np.unique(readings.slot[profile < 0]).tolist():
                self._profile[slot] = self._resolved(slot, world)
            profile = self._profile[readings.slot]
        if not self._is_any:  # no limit of any device here
            return []
        cells = profile * np.int32(COUNT) + readings.measurand
        outside = readings.value >= self._high.ravel()[cells]
        outside |= readings.value <= self._low.ravel()[cells]
        past: list[int] = readings.slot[outside].tolist()
        return past

    def _resolved(self, slot: int, world: World) -> int:
        device = world.view.device(world.slots.place(slot).device)
        model = world.view.model(device.model) if device is not None else None
        limits = self._resolve(device, model)
        key = tuple(limits.items())
        if key not in self._keys:
            self._keys[key] = len(self._profiles)
            self._profiles.append(limits)
            self._is_any |= any(limits.values())
            low, high = np.full((1, COUNT), -math.inf), np.full((1, COUNT), math.inf)
            for measurand, some in limits.items():
                low[0, measurand] = max((limit.value for limit in some if limit.side < 0), default=-math.inf)
                high[0, measurand] = min((limit.value for limit in some if limit.side > 0), default=math.inf)
            self._low, self._high = np.vstack((self._low, low)), np.vstack((self._high, high))
        return self._keys[key]

    def take(self, reading: Reading, world: World) -> list[Finding]:
        """Judge one reading against the limits of its quantity."""
        path, key = world.slots.path(reading.slot), (reading.slot, reading.measurand)
        case = self._cases.get(key) or _Case()
        late = bool(reading.quality & _LATE)
        if late and not case.late:
            return []
        case.late = late
        limits = self._profiles[int(self._profile[reading.slot])].get(reading.measurand, ())
        outside = [limit for limit in limits if self._is_outside(limit, case, reading)]
        case.since_ms = {limit.name: case.since_ms.get(limit.name, reading.received_ms) for limit in outside}
        due = [limit for limit in outside if self._is_due(limit, case, reading)]
        case.held = [limit.name for limit in due]
        self._cases[key] = case
        if not outside:
            del self._cases[key]
        cause, moment = MEASURANDS[reading.measurand].name, Moment(*_times(reading), late)
        if due:
            return self._alarms.hold(path, cause, moment, _evidence(reading, due[0]), due[0].severity)
        return self._alarms.release(path, cause, moment, _facts(reading) | {"reason": "inside"})

    @staticmethod
    def _is_outside(limit: Limit, case: _Case, reading: Reading) -> bool:
        return not limit.left(reading.value) if limit.name in case.held else limit.passed(reading.value)

    @staticmethod
    def _is_due(limit: Limit, case: _Case, reading: Reading) -> bool:
        return limit.name in case.held or reading.received_ms - case.since_ms[limit.name] >= limit.delay_ms

    def drop(self, slot: int, measurand: int, path: str, moment: Moment) -> list[Finding]:
        """Forget that a quantity is outside, because it means nothing now."""
        if self._cases.pop((slot, measurand), None) is None:
            return []
        return self._alarms.release(path, MEASURANDS[measurand].name, moment)

    def snapshot(self) -> list[Any]:
        """Return the state as plain values; the alarms are kept by their owner."""
        return [[*key, list(c.since_ms.items()), list(c.held), c.late] for key, c in self._cases.items()]

    def restore(self, state: list[Any]) -> None:
        """Become the state that `snapshot` gave."""
        self.forget()
        self._cases = {(slot, m): _Case(dict(since), list(held), late) for slot, m, since, held, late in state}


def _each(readings: Readings) -> list[Reading]:
    columns = (getattr(readings, name).tolist() for name in Reading._fields)
    return [Reading(*row) for row in zip(*columns, strict=True)]


def _times(reading: Reading) -> tuple[int, int, int]:
    return reading.offset, reading.received_ms, reading.event_ms


def _facts(reading: Reading) -> dict[str, Any]:
    measurand = MEASURANDS[reading.measurand]
    return {"measurand": measurand.name, "value": round(reading.value, _DIGITS), "unit": measurand.unit}


def _evidence(reading: Reading, limit: Limit) -> dict[str, Any]:
    return {"reason": limit.name} | _facts(reading) | {"set_point": limit.value, "set_point_basis": limit.basis}


def own(device: Device | None, model: DeviceModel | None, name: str) -> tuple[float, str] | None:
    """Return the device's set point or limit of this name, else its model's, and where it comes from; None when neither says."""
    for owner, register in ((device, "设备登记"), (model, "型号登记")):
        value = getattr(owner, name, None)
        if value is not None:
            stated = getattr(owner, "set_point_basis", None)
            return float(value), f"{register}：{stated}" if stated else register
    return None
