"""S103: a deduster that does not do its work: pressure difference out of band, dust not let out, fan off while machines run.

A low pressure difference means a torn bag and a high one a clogged one, but only while the fan runs. What runs is what the
device itself reports (`fan`, `running`); one that does not report `running` goes by the other devices of its site.
"""

from operator import attrgetter
from typing import Any

from detectors.base import Output, World
from detectors.catalogue import CATALOGUE
from detectors.faultcodes import DISCHARGE, speaks_of
from detectors.holding import Holding, Moment
from detectors.levels import Levels, Limit, Limits, Reading, own
from detectors.parameters import Parameters
from detectors.switches import Switches, Turn
from detectors.withdrawals import left
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import INDEX
from domain.readings import Segment, Signal
from registers.device import Device, DeviceModel

_RULE = "S103"
_DP, _FAN, _RUNNING = INDEX["dp_pa"], INDEX["fan"], INDEX["running"]
_FAN_OFF = "fan_off"
_SIDES = (("low", -1, "dp_low"), ("high", 1, "dp_high"))


class Dedusters:
    """Implements Detector for S103. Memory: what runs, and the dedusters that do not do their work."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._values = parameters.of(_RULE)
        self._alarms = Holding(_RULE)
        self._levels = Levels(self._alarms, (_DP,), self._limits)
        self._switches = Switches((_FAN, _RUNNING))
        self._discharge: dict[int, int] = {}
        """Slot → since when its air lock is faulty (our time)."""
        self._fan_off: dict[int, int] = {}
        """Slot → since when its fan is off while machines run."""

    def _limits(self, device: Device | None, model: DeviceModel | None) -> Limits:
        """Return the band of the register, else the default one."""
        is_own = model is not None and model.measurand == "dp_pa"
        limits = []
        for name, side, parameter in _SIDES:
            value, basis = (own(device, model, name) if is_own else None) or (
                self._values[parameter],
                _basis(parameter),
            )
            deadband, delay_ms = self._values["deadband"] * abs(value), int(self._values["dp_s"] * 1000)
            limits.append(Limit(name, side, value, CATALOGUE[_RULE].severity, deadband, basis, delay_ms))
        return {_DP: tuple(limits)}

    def observe(self, segment: Segment, world: World) -> Output:
        signals = [s for s in segment.signals if speaks_of(s, DISCHARGE)]
        events: list[Turn | Reading | Signal] = [
            *self._switches.turns(segment, world),
            *self._levels.candidates(segment, world),
            *signals,
        ]
        found = []
        for event in sorted(events, key=attrgetter("offset")):
            found += self._take(event, world)
        return Output(found)

    def _take(self, event: Turn | Reading | Signal, world: World) -> list[Finding]:
        if isinstance(event, Signal):
            return self._fault(event, world)
        if isinstance(event, Turn):
            return self._turn(event, world)
        # Without a fan there is no pressure difference to speak of.
        return [] if self._switches.state(event.slot, _FAN) is False else self._levels.take(event, world)

    def _fault(self, signal: Signal, world: World) -> list[Finding]:
        if signal.type == "fault":
            self._discharge.setdefault(signal.slot, signal.received_ms)
            return []
        self._discharge.pop(signal.slot, None)
        return self._alarms.release(world.slots.path(signal.slot), DISCHARGE, Moment.of(signal))

    def _turn(self, turn: Turn, world: World) -> list[Finding]:
        """Take what was switched into account: for its own device, and for those of its site that go by it."""
        self._switches.take(turn, world.slots)
        moment = Moment(turn.offset, turn.received_ms, turn.event_ms)
        found = []
        if turn.measurand == _FAN and not turn.on:
            found += self._levels.drop(turn.slot, _DP, world.slots.path(turn.slot), moment)
        for slot in self._switches.beside(turn.slot, world.slots):
            if self._switches.state(slot, _FAN) is False and self._machines_run(slot, world):
                self._fan_off.setdefault(slot, turn.received_ms)
            elif self._fan_off.pop(slot, None) is not None:
                found += self._alarms.release(world.slots.path(slot), _FAN_OFF, moment)
        return found

    def _machines_run(self, slot: int, world: World) -> bool:
        own_state = self._switches.state(slot, _RUNNING)
        if own_state is not None:
            return own_state
        return any(self._switches.state(other, _RUNNING) for other in self._switches.beside(slot, world.slots))

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        moment = Moment(offset, now_ms, now_ms)
        found = []
        for cause, since, allowed_ms in (
            (DISCHARGE, self._discharge, self._values["discharge_min"] * 60_000),
            (_FAN_OFF, self._fan_off, self._values["fan_s"] * 1000),
        ):
            for slot, since_ms in since.items():
                if now_ms - since_ms >= allowed_ms:
                    facts = {"lasts_s": (now_ms - since_ms) // 1000, "allowed_s": int(allowed_ms) // 1000}
                    found += self._alarms.hold(world.slots.path(slot), cause, moment, facts)
        return Output(found)

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        self._levels.forget(world.touched(changes))
        for slot in left(changes, world):
            self._switches.forget(slot)
            self._discharge.pop(slot, None)
            self._fan_off.pop(slot, None)
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        return {
            "alarms": self._alarms.snapshot(),
            "levels": self._levels.snapshot(),
            "switches": self._switches.snapshot(),
            "discharge": list(self._discharge.items()),
            "fan_off": list(self._fan_off.items()),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._alarms.restore(state["alarms"])
        self._levels.restore(state["levels"])
        self._switches.restore(state["switches"])
        self._discharge, self._fan_off = dict(state["discharge"]), dict(state["fan_off"])


def _basis(parameter: str) -> str:
    return next(p.basis for p in CATALOGUE[_RULE].parameters if p.name == parameter)
