"""D108: a battery that is nearly empty, by its reported charge or because the device says so."""

from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown
from detectors.base import Output, World
from detectors.faultcodes import BATTERY_LOW, speaks_of
from detectors.holding import Holding, Moment
from detectors.parameters import Parameters
from detectors.withdrawals import leaves
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import INDEX
from domain.readings import NOT_LIVE, Readings, Segment, Signal

_RULE = "D108"
_CHARGE = "charge"
_BATTERY = INDEX["battery_pct"]


class _Charge(NamedTuple):
    """One reading of a battery."""

    offset: int
    slot: int
    value: float
    received_ms: int
    event_ms: int


class Battery:
    """Implements Detector for D108. One byte a slot, and the devices whose battery is low."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        values = parameters.of(_RULE)
        self._low, self._charged = values["low_pct"], values["low_pct"] + values["deadband_pct"]
        self._is_low = np.empty(0, np.bool_)
        self._alarms = Holding(_RULE)

    def observe(self, segment: Segment, world: World) -> Output:
        signals = [s for s in segment.signals if speaks_of(s, BATTERY_LOW)]
        events: list[Signal | _Charge] = [*signals, *self._charges(segment.of((_BATTERY,), NOT_LIVE), world)]
        findings = []
        for event in sorted(events, key=attrgetter("offset")):
            findings += self._say(event, world) if isinstance(event, Signal) else self._judge(event, world)
        return Output(findings)

    def _charges(self, readings: Readings, world: World) -> list[_Charge]:
        """Return the readings that may begin or end an alarm."""
        if not len(readings):
            return []
        self._is_low = grown(self._is_low, len(world.slots))
        falling = world.among(readings.slot, readings.slot[readings.value <= self._low].tolist())
        chosen = readings.take(falling | self._is_low[readings.slot])
        columns = (getattr(chosen, name).tolist() for name in _Charge._fields)
        return [_Charge(*row) for row in zip(*columns, strict=True)]

    def _judge(self, reading: _Charge, world: World) -> list[Finding]:
        offset, slot, charge, received_ms, event_ms = reading
        path, moment = world.slots.path(slot), Moment(offset, received_ms, event_ms)
        if charge <= self._low:
            self._is_low[slot] = True
            facts = {"measurand": "battery_pct", "value": round(charge, 1), "unit": "%", "set_point": self._low}
            return self._alarms.hold(path, _CHARGE, moment, facts)
        if charge < self._charged or not self._is_low[slot]:
            return []
        self._is_low[slot] = False
        return self._alarms.release(path, _CHARGE, moment, {"value": round(charge, 1)})

    def _say(self, signal: Signal, world: World) -> list[Finding]:
        path, moment = world.slots.path(signal.slot), Moment.of(signal)
        if signal.type == "fault":
            return self._alarms.hold(path, BATTERY_LOW, moment, {"signal": signal.type})
        return self._alarms.release(path, BATTERY_LOW, moment)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        for signal in leaves(np.flatnonzero(self._is_low).tolist(), offset, now_ms, changes, world):
            self._is_low[signal.slot] = False
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        return {"is_low": self._is_low.copy(), "alarms": self._alarms.snapshot()}

    def restore(self, state: dict[str, Any]) -> None:
        self._is_low = np.array(state["is_low"])
        self._alarms.restore(state["alarms"])
