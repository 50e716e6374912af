"""S101: the level, pressure or temperature of a tank at a limit that the register gives it.

L and H alarm once readings stay there; LL and HH, where interlocks act, at once. A side without a limit is not watched.
"""

from typing import Any

from detectors.base import Output, World
from detectors.holding import Holding
from detectors.levels import Levels, Limit, Limits, own
from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.findings import Severity
from domain.measurands import INDEX
from domain.readings import Segment
from registers.device import Device, DeviceKind, DeviceModel

_RULE = "S101"
_DEADBANDS = {"level_pct": "deadband_level", "pressure_kpa": "deadband_pressure", "temp_c": "deadband_temp"}
"""Measurand → parameter with its deadband as a share of the range."""
_SIDES = {
    "low_low": (-1, Severity.CRITICAL),
    "high_high": (1, Severity.CRITICAL),
    "low": (-1, Severity.HIGH),
    "high": (1, Severity.HIGH),
}
"""Limit of the register → its side and gravity, gravest first."""


class Tanks:
    """Implements Detector for S101. Memory: four bytes a slot, and the tanks outside their limits."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._values = parameters.of(_RULE)
        self._alarms = Holding(_RULE)
        self._levels = Levels(self._alarms, tuple(INDEX[name] for name in _DEADBANDS), self._limits)

    def _limits(self, device: Device | None, model: DeviceModel | None) -> Limits:
        if device is None or model is None or model.kind is not DeviceKind.PROCESS or model.measurand not in _DEADBANDS:
            return {}
        found = []
        for name, (side, severity) in _SIDES.items():
            given = own(device, model, name)
            if given is not None:
                value, basis = given
                deadband = self._values[_DEADBANDS[model.measurand]] * (model.full_scale or abs(value))
                delay_ms = 0 if severity is Severity.CRITICAL else int(self._values["delay_s"] * 1000)
                found.append(Limit(name, side, value, severity, deadband, basis, delay_ms))
        return {INDEX[model.measurand]: tuple(found)}

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
