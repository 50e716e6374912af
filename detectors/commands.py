"""D109: a command that a device did not answer before it expired, or refused.

A command of ours is a journal record, so it comes before its reply in order. A late answer that all is done, or a newer
command of the same type that was obeyed, ends the alarm; each further one that is not is told while it stands.
"""

from typing import Any, NamedTuple

from detectors.base import Output, World
from detectors.holding import Holding, Moment
from detectors.withdrawals import leaves
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.readings import Quality, Segment, Signal

_RULE = "D109"
_COMMAND, _REPLY = "command", "reply"
_MOST = 16
"""Commands kept of one device; the oldest falls out."""


class Told(NamedTuple):
    """A command that nobody obeyed yet: what, by whom, when we sent it and until when it holds (our clock)."""

    type: str
    by: str
    sent_ms: int
    expires_ms: int
    overdue: bool = False


class Commands:
    """Implements Detector for D109. Memory: the commands without an answer, a few a device."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self) -> None:
        self._told: dict[int, dict[str, Told]] = {}
        self._next_ms = 2**62
        """Nothing expires before this."""
        self._alarms = Holding(_RULE)

    def observe(self, segment: Segment, world: World) -> Output:
        findings = []
        for signal in segment.signals:
            if signal.type == _COMMAND:
                self._send(signal)
            elif signal.type == _REPLY and not signal.quality & Quality.RETAINED:
                findings += self._answer(signal, world)
        return Output(findings)

    def _send(self, signal: Signal) -> None:
        data = signal.data
        mine = self._told.setdefault(signal.slot, {})
        by = data["by"] if data["by"].startswith("rule:") else "user"  # who that is stays in the journal
        mine[data["id"]] = Told(data["type"], by, signal.received_ms, data["expires"])
        if len(mine) > _MOST:
            del mine[next(iter(mine))]
        self._next_ms = min(self._next_ms, data["expires"])

    def _answer(self, signal: Signal, world: World) -> list[Finding]:
        mine = self._told.get(signal.slot, {})
        told = mine.pop(signal.data["id"], None)
        if told is None:
            return []
        path, moment = world.slots.path(signal.slot), Moment.of(signal)._replace(late=False)
        if not signal.data["ok"]:
            facts = {"reason": "refused", "command": told.type, "by": told.by, "state": signal.data.get("state")}
            return self._alarms.hold(path, told.type, moment, facts, event=True)
        # Obeyed: older commands of this type no longer matter.
        self._told[signal.slot] = {i: t for i, t in mine.items() if t.type != told.type or t.sent_ms > told.sent_ms}
        if not self._told[signal.slot]:
            del self._told[signal.slot]
        return self._alarms.release(
            path, told.type, moment, {"answered_s": (signal.received_ms - told.sent_ms) // 1000}
        )

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        if now_ms <= self._next_ms:
            return Output()
        findings = []
        for slot, mine in self._told.items():
            for key, told in mine.items():
                if now_ms > told.expires_ms and not told.overdue:
                    mine[key] = told._replace(overdue=True)
                    findings += self._expired(world.slots.path(slot), told, Moment(offset, now_ms, now_ms))
        self._next_ms = self._soonest()
        return Output(findings)

    def _expired(self, path: str, told: Told, moment: Moment) -> list[Finding]:
        waited_s = (moment.at_ms - told.sent_ms) // 1000
        facts = {"reason": "no_answer", "command": told.type, "by": told.by, "waited_s": waited_s}
        return self._alarms.hold(path, told.type, moment, facts, event=True)

    def _soonest(self) -> int:
        waiting = (t.expires_ms for mine in self._told.values() for t in mine.values() if not t.overdue)
        return min(waiting, default=2**62)

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        for signal in leaves(self._told, offset, now_ms, changes, world):
            del self._told[signal.slot]
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        told = [[slot, key, *t] for slot, mine in self._told.items() for key, t in mine.items()]
        return {"told": told, "alarms": self._alarms.snapshot()}

    def restore(self, state: dict[str, Any]) -> None:
        self._told = {}
        for slot, key, *told in state["told"]:
            self._told.setdefault(slot, {})[key] = Told(*told)
        self._next_ms = self._soonest()
        self._alarms.restore(state["alarms"])
