"""S102: the hopper of a deduster is hot, or growing hot fast: dust in it smoulders before it explodes."""

from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from detectors.base import Output, World
from detectors.catalogue import CATALOGUE
from detectors.holding import Holding, Moment
from detectors.levels import Levels, Limit, Limits, Reading, own
from detectors.parameters import Parameters
from detectors.rises import MINUTES, Rises
from domain.changes import RegisterChange
from domain.findings import Finding, Severity
from domain.measurands import INDEX
from domain.readings import NOT_LIVE, Readings, Segment
from registers.device import Device, DeviceModel

_RULE = "S102"
_RISE = "rise"
_HOPPER = INDEX["hopper_temp_c"]
_LEVELS = (("level2", "level2_c", Severity.CRITICAL), ("level1", "level1_c", Severity.HIGH))
"""Set point of the register, parameter with its default, gravity; gravest first."""


class _Rise(NamedTuple):
    """One reading, and how far it is above the lowest of the last ten minutes."""

    offset: int
    slot: int
    received_ms: int
    event_ms: int
    value: float
    rise: float


class Hoppers:
    """Implements Detector for S102. Memory: the hoppers' last ten minutes, and those that are hot."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._values = parameters.of(_RULE)
        self._alarms = Holding(_RULE)
        self._levels = Levels(self._alarms, (_HOPPER,), self._limits)
        self._rises = Rises()
        self._rising: set[int] = set()

    def _limits(self, device: Device | None, model: DeviceModel | None) -> Limits:
        is_own = model is not None and model.measurand == "hopper_temp_c"
        limits = []
        for name, parameter, severity in _LEVELS:
            value, basis = (own(device, model, name) if is_own else None) or (
                self._values[parameter],
                _basis(parameter),
            )
            limits.append(Limit(name, 1, value, severity, self._values["deadband_c"], basis))
        return {_HOPPER: tuple(limits)}

    def observe(self, segment: Segment, world: World) -> Output:
        events: list[Reading | _Rise] = [
            *self._levels.candidates(segment, world),
            *self._fast(segment.of((_HOPPER,), NOT_LIVE), world),
        ]
        found = []
        for event in sorted(events, key=attrgetter("offset")):
            found += self._judge(event, world) if isinstance(event, _Rise) else self._levels.take(event, world)
        return Output(found)

    def _fast(self, readings: Readings, world: World) -> list[_Rise]:
        """Return the rises of hoppers that rise fast, or did."""
        if not len(readings):
            return []
        rises = self._rises.rise(readings, len(world.slots))
        near = [*self._rising, *readings.slot[rises >= self._values["rise_c"]].tolist()]
        chosen = np.flatnonzero(world.among(readings.slot, near))
        names = ("offset", "slot", "received_ms", "event_ms", "value")
        columns = (getattr(readings, name)[chosen].tolist() for name in names)
        return [_Rise(*row) for row in zip(*columns, rises[chosen].tolist(), strict=True)]

    def _judge(self, risen: _Rise, world: World) -> list[Finding]:
        path, moment = world.slots.path(risen.slot), Moment(risen.offset, risen.received_ms, risen.event_ms)
        if risen.rise >= self._values["rise_c"]:
            self._rising.add(risen.slot)
            facts = {"measurand": "hopper_temp_c", "value": round(risen.value, 2), "unit": "°C"}
            facts |= {"rise": round(risen.rise, 2), "within_min": MINUTES, "rise_limit": self._values["rise_c"]}
            return self._alarms.hold(path, _RISE, moment, facts, CATALOGUE[_RULE].severity)
        if risen.rise >= self._values["rise_c"] / 2:
            return []
        self._rising.discard(risen.slot)
        return self._alarms.release(path, _RISE, moment)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        self._levels.forget(world.touched(changes))
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        return {
            "alarms": self._alarms.snapshot(),
            "levels": self._levels.snapshot(),
            "rises": self._rises.snapshot(),
            "rising": sorted(self._rising),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._alarms.restore(state["alarms"])
        self._levels.restore(state["levels"])
        self._rises.restore(state["rises"])
        self._rising = set(state["rising"])


def _basis(parameter: str) -> str:
    return next(p.basis for p in CATALOGUE[_RULE].parameters if p.name == parameter)
