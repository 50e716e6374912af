"""F101: a fire alarm bit of any point of a device is an alarm until that point says it is clear.

The points of one device (smoke, heat, flame, CO, manual call point) make one alarm that names them all. Nothing on site
suppresses it: `mute` silences a sounder, not us (GB 20517-2025 5.11: a muted detector must still alarm on smoke).
"""

from typing import Any, NamedTuple

from detectors.base import Output, World
from detectors.withdrawals import WITHDRAWN, leaves
from domain.changes import RegisterChange
from domain.findings import Action, Finding, Severity
from domain.readings import Quality, Segment, Signal

RULE = "F101"
ALARM = "fire.alarm"
CLEAR = "fire.clear"
POINTS = frozenset({"smoke", "heat", "flame", "co", "manual"})
OTHER = "other"
"""Stands for a point that is missing or not in wire.md: a misspelt alarm is an alarm."""


class Point(NamedTuple):
    """One point in alarm: the device's time of the alarm, and whether it was old on arrival."""

    event_ms: int
    late: bool


Points = dict[str, Point]


class FireAlarm:
    """Implements Detector for F101. State: the points in alarm of each slot; only devices in alarm take memory."""

    rules: tuple[str, ...] = (RULE,)

    def __init__(self) -> None:
        self._alarms: dict[int, Points] = {}

    def observe(self, segment: Segment, world: World) -> Output:
        findings = []
        for signal in segment.signals:
            if signal.type in (ALARM, CLEAR) and not signal.quality & Quality.RETAINED:
                before = self._alarms.pop(signal.slot, {})
                after = points_after(before, signal)
                if after:
                    self._alarms[signal.slot] = after
                findings += _findings(before, after, signal, world.slots.path(signal.slot))
        return Output(findings)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        findings = []
        for signal in leaves(self._alarms, offset, now_ms, changes, world):
            findings += _findings(self._alarms.pop(signal.slot), {}, signal, world.slots.path(signal.slot))
        return Output(findings)

    def snapshot(self) -> dict[str, Any]:
        rows = [[slot, name, *point] for slot, points in self._alarms.items() for name, point in points.items()]
        return {"points": rows}

    def restore(self, state: dict[str, Any]) -> None:
        self._alarms = {}
        for slot, name, event_ms, late in state["points"]:
            self._alarms.setdefault(slot, {})[name] = Point(event_ms, late)


def points_after(before: Points, signal: Signal) -> Points:
    """Return the points in alarm once the device has said this."""
    name = signal.data.get("point")
    name = name if isinstance(name, str) and name in POINTS else OTHER
    late = bool(signal.quality & Quality.LATE)
    standing = before.get(name)
    if signal.type == ALARM:
        return before if standing and late else {**before, name: Point(signal.event_ms, late)}
    overtaken = late and standing is not None and signal.event_ms < standing.event_ms
    return before if overtaken else {other: point for other, point in before.items() if other != name}


def _findings(before: Points, after: Points, signal: Signal, path: str) -> list[Finding]:
    """Return what the inspector must learn: nothing when the same points merely repeat themselves."""
    if _face(before) == _face(after):
        return []
    action = Action.RAISE if not before else Action.CHANGE if after else Action.CLEAR
    points, late = _face(after or before)
    finding = Finding(
        offset=signal.offset,
        rule=RULE,
        device=path,
        action=action,
        severity=Severity.CRITICAL,
        at_ms=signal.received_ms,
        event_ms=signal.event_ms,
        late=late,
        evidence={"points": points} | ({"reason": WITHDRAWN} if signal.type == WITHDRAWN else {}),
    )
    return [finding]


def _face(points: Points) -> tuple[list[str], bool]:
    """Return the points' names, and whether every one of them was late: one live point makes the alarm current."""
    return sorted(points), all(point.late for point in points.values())
