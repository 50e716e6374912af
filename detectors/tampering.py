"""D106: a device that was opened or taken off its place, or that has been silenced or shielded for longer than work on it takes.

Tampering alarms at once; a mute and a shield are lawful for a while. A mute ends with the next sign that the device is itself
again (an alarm, a clear, a self-test, a new start). A welding machine's chip has a rule of its own.
"""

from typing import Any

from detectors.base import Output, World
from detectors.holding import Holding, Moment
from detectors.parameters import Parameters
from detectors.withdrawals import leaves
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.readings import Quality, Segment, Signal

_RULE = "D106"
_TAMPER, _MUTE, _SHIELD = "tamper", "mute", "shield"
_UNMUTING = frozenset(
    {"alarm.low", "alarm.high", "alarm.clear", "fire.alarm", "fire.clear", "selftest", "status.online"}
)
_MOST = 16
"""Shielded points kept of one device."""
_LONGEST = 32

_Key = tuple[int, str]


class Tampering:
    """Implements Detector for D106. Memory: the devices that are opened, muted or shielded now."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        values = parameters.of(_RULE)
        self._allowed_ms = {kind: int(values[f"{kind}_min"] * 60_000) for kind in (_MUTE, _SHIELD)}
        self._since: dict[_Key, int] = {}
        """(slot, cause) of what is lawful so far → since when."""
        self._next_ms = 0
        """Nothing can become due before this."""
        self._alarms = Holding(_RULE)

    def observe(self, segment: Segment, world: World) -> Output:
        findings = []
        for signal in segment.signals:
            if not signal.quality & Quality.RETAINED:
                findings += self._take(signal, world)
        return Output(findings)

    def _take(self, signal: Signal, world: World) -> list[Finding]:
        kind, _, end = signal.type.partition(".")
        if signal.type in _UNMUTING:
            return self._end(signal, _MUTE, world)
        if kind == _TAMPER:
            return self._tamper(signal, world)
        if signal.type == _MUTE:
            self._begin(signal, _MUTE)
        elif kind == _SHIELD:
            return self._shield(signal, world) if not end else self._unshield(signal, world)
        return []

    def _tamper(self, signal: Signal, world: World) -> list[Finding]:
        path = world.slots.path(signal.slot)
        if world.view.machine(world.slots.place(signal.slot).device) is not None:
            return []
        if signal.type == _TAMPER:
            return self._alarms.hold(path, _TAMPER, Moment.of(signal), {"signal": signal.type})
        return self._alarms.release(path, _TAMPER, Moment.of(signal))

    def _begin(self, signal: Signal, cause: str) -> None:
        """Note since when; the time allowed runs on our clock, and the first of several counts."""
        self._since.setdefault((signal.slot, cause), signal.received_ms)
        self._next_ms = 0

    def _end(self, signal: Signal, cause: str, world: World) -> list[Finding]:
        self._since.pop((signal.slot, cause), None)
        return self._alarms.release(world.slots.path(signal.slot), cause, Moment.of(signal))

    def _shield(self, signal: Signal, world: World) -> list[Finding]:
        mine = [key for key in self._since if key[0] == signal.slot]
        if len(mine) < _MOST:
            self._begin(signal, _point(signal))
        return []

    def _unshield(self, signal: Signal, world: World) -> list[Finding]:
        """End the shield of the point named, or of all points when none is."""
        if "point" in signal.data:
            return self._end(signal, _point(signal), world)
        causes = [cause for slot, cause in self._since if slot == signal.slot and cause.startswith(_SHIELD)]
        return [finding for cause in causes for finding in self._end(signal, cause, world)]

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        if now_ms < self._next_ms:
            return Output()
        moment = Moment(offset, now_ms, now_ms)
        findings = []
        waiting = []
        for key, since_ms in self._since.items():
            due_ms = since_ms + self._allowed(key[1])
            if now_ms > due_ms:
                findings += self._overdue(key, since_ms, moment, world)
            else:
                waiting.append(due_ms + 1)
        self._next_ms = min(waiting, default=2**62)
        return Output(findings)

    def _allowed(self, cause: str) -> int:
        return self._allowed_ms[_SHIELD if cause.startswith(_SHIELD) else cause]

    def _overdue(self, key: _Key, since_ms: int, moment: Moment, world: World) -> list[Finding]:
        slot, cause = key
        minutes = (moment.at_ms - since_ms) // 60_000
        kind, _, point = cause.partition(".")
        evidence = {"reason": kind, "lasts_min": minutes, "allowed_min": self._allowed(cause) // 60_000}
        evidence |= {"point": point} if point else {}
        return self._alarms.hold(world.slots.path(slot), cause, moment, evidence)

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        gone = {signal.slot for signal in leaves({key[0] for key in self._since}, offset, now_ms, changes, world)}
        self._since = {key: since_ms for key, since_ms in self._since.items() if key[0] not in gone}
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        since = [[*key, since_ms] for key, since_ms in self._since.items()]
        return {"since": since, "alarms": self._alarms.snapshot()}

    def restore(self, state: dict[str, Any]) -> None:
        self._since = {(slot, cause): since_ms for slot, cause, since_ms in state["since"]}
        self._next_ms = 0
        self._alarms.restore(state["alarms"])


def _point(signal: Signal) -> str:
    point = signal.data.get("point")
    return f"{_SHIELD}.{point[:_LONGEST]}" if isinstance(point, str) and point else _SHIELD
