"""P103: current that leaks to earth, or a cable that runs hot: how electrical fires begin (GB 14287)."""

from typing import Any

from detectors.base import Output, World
from detectors.catalogue import CATALOGUE
from detectors.holding import Holding
from detectors.levels import Levels, Limit, Limits, own
from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.measurands import INDEX
from domain.readings import Segment
from registers.device import Device, DeviceKind, DeviceModel

_RULE = "P103"
_SET_POINTS = {"residual_ma": "residual_ma", "temp_c": "cable_c"}
"""Measurand → parameter with its default set point; a temperature is a cable's only at an electric device."""


class ElectricFire:
    """Implements Detector for P103. Memory: four bytes a slot, and what is past its set point."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._values = parameters.of(_RULE)
        self._alarms = Holding(_RULE)
        self._levels = Levels(self._alarms, tuple(INDEX[name] for name in _SET_POINTS), self._limits)

    def _limits(self, device: Device | None, model: DeviceModel | None) -> Limits:
        """Return the set points: the register's level 1 of the device's own quantity, else the defaults."""
        is_electric = model is not None and model.kind is DeviceKind.ELECTRIC
        limits: Limits = {}
        for name, parameter in _SET_POINTS.items():
            if name != "temp_c" or is_electric:
                given = own(device, model, "level1") if model is not None and model.measurand == name else None
                value, basis = given or (self._values[parameter], _basis(parameter))
                deadband = self._values["deadband"] * value
                limits[INDEX[name]] = (Limit("set_point", 1, value, CATALOGUE[_RULE].severity, deadband, basis),)
        return limits

    def observe(self, segment: Segment, world: World) -> Output:
        return Output(self._levels.judge(segment, world))

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        self._levels.forget(world.touched(changes))
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        return {"alarms": self._alarms.snapshot(), "levels": self._levels.snapshot()}

    def restore(self, state: dict[str, Any]) -> None:
        self._alarms.restore(state["alarms"])
        self._levels.restore(state["levels"])


def _basis(parameter: str) -> str:
    return next(p.basis for p in CATALOGUE[_RULE].parameters if p.name == parameter)
