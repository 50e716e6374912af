"""Alarms that several causes may hold at once: raised by the first, changed with the gravest, cleared by the last.

What arrived late may raise (marked 迟报), but does not touch an alarm that is held by current facts, and lets go only of
what came late itself.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from detectors.catalogue import CATALOGUE
from detectors.withdrawals import WITHDRAWN, leavers
from domain.changes import RegisterChange
from domain.findings import Action, Finding, Severity
from domain.readings import Quality, Signal


class Moment(NamedTuple):
    """The record that decides: its offset, our time and the device's (epoch ms), and whether it was old on arrival."""

    offset: int
    at_ms: int
    event_ms: int
    late: bool = False

    @classmethod
    def of(cls, signal: Signal) -> "Moment":
        return cls(signal.offset, signal.received_ms, signal.event_ms, bool(signal.quality & Quality.LATE))


class Cause(NamedTuple):
    """One reason for an alarm: how grave, known only from late data?, and the facts."""

    severity: int
    late: bool
    evidence: dict[str, Any]


@dataclass(slots=True)
class _Alarm:
    since_ms: int
    causes: dict[str, Cause] = field(default_factory=dict)

    @property
    def face(self) -> tuple[Severity, bool]:
        """How grave the alarm is, and whether only late data say so."""
        return Severity(min(c.severity for c in self.causes.values())), all(c.late for c in self.causes.values())


class Holding:
    """The alarms of one rule by path (`area/site/device`). Memory: those that are on, and their causes."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._alarms: dict[str, _Alarm] = {}

    def holds(self, path: str) -> bool:
        """Tell whether this path is in alarm."""
        return path in self._alarms

    def hold(
        self,
        path: str,
        cause: str,
        moment: Moment,
        evidence: dict[str, Any],
        severity: Severity | None = None,
        *,
        event: bool = False,
    ) -> list[Finding]:
        """Let a cause hold the alarm; nothing is found when it did already, with this severity.

        `event`: it is something that happened, and is told each time it does, though the alarm still stands.
        """
        alarm = self._alarms.get(path)
        before = alarm.face if alarm else None
        if alarm is None:
            alarm = self._alarms[path] = _Alarm(moment.at_ms)
        elif moment.late and not alarm.face[1]:
            return []
        known = alarm.causes.get(cause)
        grave = CATALOGUE[self._rule].severity if severity is None else severity
        late = moment.late and (known is None or known.late)
        if not event and known is not None and (known.severity, known.late) == (grave, late):
            return []
        alarm.causes[cause] = Cause(int(grave), late, evidence)
        action = Action.RAISE if before is None else Action.CHANGE
        return [self._finding(action, path, alarm, moment, self._told(alarm, cause))]

    def release(self, path: str, cause: str, moment: Moment, evidence: dict[str, Any] | None = None) -> list[Finding]:
        """Let a cause go; the last one clears the alarm, one that was the gravest changes it."""
        alarm = self._alarms.get(path)
        if alarm is None or cause not in alarm.causes or (moment.late and not alarm.causes[cause].late):
            return []
        before = alarm.face
        if len(alarm.causes) == 1:
            return [self._clear(path, moment, {"reason": cause, **(evidence or {})})]
        del alarm.causes[cause]
        if alarm.face == before:
            return []
        gravest = min(alarm.causes, key=lambda name: (alarm.causes[name].severity, name))
        return [self._finding(Action.CHANGE, path, alarm, moment, self._told(alarm, gravest))]

    def release_all(self, path: str, moment: Moment, evidence: dict[str, Any] | None = None) -> list[Finding]:
        """Let every cause of a path go."""
        alarm = self._alarms.get(path)
        causes = sorted(alarm.causes) if alarm else []
        return [f for cause in causes for f in self.release(path, cause, moment, evidence)]

    def withdraw(self, offset: int, now_ms: int, changes: list[RegisterChange]) -> list[Finding]:
        """Clear the alarms of devices that the changes withdrew or took out of service."""
        gone = leavers(changes)
        mine = sorted(path for path in self._alarms if path.rpartition("/")[2] in gone) if gone else []
        moment = Moment(offset, now_ms, now_ms)
        return [self._clear(path, moment, {"reason": WITHDRAWN}) for path in mine]

    def _clear(self, path: str, moment: Moment, evidence: dict[str, Any]) -> Finding:
        alarm = self._alarms[path]
        facts = {"reason": evidence["reason"], "lasted_s": (moment.at_ms - alarm.since_ms) // 1000}
        found = self._finding(Action.CLEAR, path, alarm, moment, facts | evidence)
        del self._alarms[path]
        return found

    def _told(self, alarm: _Alarm, cause: str) -> dict[str, Any]:
        others = sorted(alarm.causes.keys() - {cause})
        return {"reason": cause, **alarm.causes[cause].evidence} | ({"others": others} if others else {})

    def _finding(self, action: Action, path: str, alarm: _Alarm, moment: Moment, evidence: dict[str, Any]) -> Finding:
        severity, late = alarm.face
        return Finding(
            offset=moment.offset,
            rule=self._rule,
            device=path,
            action=action,
            severity=severity,
            at_ms=moment.at_ms,
            event_ms=moment.event_ms,
            late=late,
            evidence=evidence,
        )

    def snapshot(self) -> list[Any]:
        """Return the state as plain values."""
        return [
            [path, a.since_ms, [[cause, *told] for cause, told in a.causes.items()]] for path, a in self._alarms.items()
        ]

    def restore(self, state: list[Any]) -> None:
        """Become the state that `snapshot` gave."""
        self._alarms = {
            path: _Alarm(since_ms, {cause: Cause(*told) for cause, *told in causes}) for path, since_ms, causes in state
        }
