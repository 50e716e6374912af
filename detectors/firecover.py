"""F105: a place without fire watch: a point taken out of service, or a fire detector without mains or backup power.

Several reasons of one device make one alarm that names them all. What arrived late may raise (marked 迟报) but may take back
only what came late itself.
"""

from typing import Any

from detectors.base import Output, World
from detectors.catalogue import CATALOGUE
from detectors.withdrawals import WITHDRAWN, leaves
from domain.changes import RegisterChange
from domain.findings import Action, Finding
from domain.readings import Quality, Segment, Signal
from registers.device import DeviceKind

RULE = "F105"
POINTS = ("smoke", "heat", "flame", "co", "manual")
POWER = frozenset({"mains_lost", "backup_lost"})
"""Fault codes that leave a fire detector without power."""
_KINDS = frozenset({"shield", "shield.clear", "fault", "fault.clear"})

Gaps = dict[str, bool]
"""Standing reason → whether only late data say so."""


class FireCover:
    """Implements Detector for F105. Only devices with a gap take memory: at most a reason a point, and two of power."""

    rules: tuple[str, ...] = (RULE,)

    def __init__(self) -> None:
        self._gaps: dict[int, Gaps] = {}

    def observe(self, segment: Segment, world: World) -> Output:
        findings = []
        for signal in segment.signals:
            if signal.type in _KINDS and not signal.quality & Quality.RETAINED:
                before = self._gaps.pop(signal.slot, {})
                after = _after(before, signal, world)
                if after:
                    self._gaps[signal.slot] = after
                findings += _findings(before, after, signal, world.slots.path(signal.slot))
        return Output(findings)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        findings = []
        for signal in leaves(self._gaps, offset, now_ms, changes, world):
            findings += _findings(self._gaps.pop(signal.slot), {}, signal, world.slots.path(signal.slot))
        return Output(findings)

    def snapshot(self) -> dict[str, Any]:
        return {"gaps": [[slot, reason, late] for slot, gaps in self._gaps.items() for reason, late in gaps.items()]}

    def restore(self, state: dict[str, Any]) -> None:
        self._gaps = {}
        for slot, reason, late in state["gaps"]:
            self._gaps.setdefault(slot, {})[reason] = late


def is_fire(path: str, world: World) -> bool:
    """Tell whether the registers know the device as a fire detector."""
    device = world.view.device(path.rpartition("/")[2])
    model = world.view.model(device.model) if device is not None else None
    return model is not None and model.kind is DeviceKind.FIRE


def _after(before: Gaps, signal: Signal, world: World) -> Gaps:
    """Return the gaps that stand once the device has said this; an end that names nothing ends all of its kind."""
    late = bool(signal.quality & Quality.LATE)
    kind, _, end = signal.type.partition(".")
    gap = _gap(kind, signal)
    if end:
        over = [g for g in before if gap in (None, g) and (g in POWER) == (kind == "fault")]
        return {g: was_late for g, was_late in before.items() if g not in over or (late and not was_late)}
    if kind == "fault" and not (gap in POWER and is_fire(world.slots.path(signal.slot), world)):
        return before
    gap = gap or "shielded"
    return {**before, gap: late and before.get(gap, True)}


def _gap(kind: str, signal: Signal) -> str | None:
    """Return the gap that a signal names, None when it names none."""
    if kind == "fault":
        code = signal.data.get("code")
        return code if isinstance(code, str) else None
    point = signal.data.get("point")
    return f"shielded_{point}" if point in POINTS else None


def _findings(before: Gaps, after: Gaps, signal: Signal, path: str) -> list[Finding]:
    if before == after:
        return []
    standing = after or before
    finding = Finding(
        offset=signal.offset,
        rule=RULE,
        device=path,
        action=Action.RAISE if not before else Action.CHANGE if after else Action.CLEAR,
        severity=CATALOGUE[RULE].severity,
        at_ms=signal.received_ms,
        event_ms=signal.event_ms,
        late=all(standing.values()),
        evidence={"gaps": sorted(standing)} | ({"reason": WITHDRAWN} if signal.type == WITHDRAWN else {}),
    )
    return [finding]
