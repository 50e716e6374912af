"""D103: a device says that something in it is broken. Several fault codes of one device make one alarm that names them all.

A low battery and the end of a sensor's life have rules of their own (D108, D105).

What arrived late may raise (marked 迟报) but may take back only a fault that came late itself.
"""

from typing import Any

from detectors.base import Output, World
from detectors.catalogue import CATALOGUE
from detectors.faultcodes import BATTERY_LOW, END_OF_LIFE
from detectors.withdrawals import WITHDRAWN, leaves
from domain.changes import RegisterChange
from domain.findings import Action, Finding
from domain.readings import Quality, Segment, Signal

_RULE = "D103"
_FAULT, _CLEAR = "fault", "fault.clear"
_OTHERS = (BATTERY_LOW, END_OF_LIFE)
_UNNAMED = "unspecified"
_LONGEST = 32
_MOST = 16
"""Codes kept of one device: a babbling device must not fill memory."""

Codes = dict[str, bool]
"""Standing fault code → whether only late data say so."""


class Faults:
    """Implements Detector for D103. Only faulty devices take memory."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self) -> None:
        self._codes: dict[int, Codes] = {}

    def observe(self, segment: Segment, world: World) -> Output:
        findings = []
        for signal in segment.signals:
            if (
                signal.type in (_FAULT, _CLEAR)
                and _code(signal) not in _OTHERS
                and not signal.quality & Quality.RETAINED
            ):
                before = self._codes.pop(signal.slot, {})
                after = _after(before, signal)
                if after:
                    self._codes[signal.slot] = after
                findings += _findings(before, after, signal, world.slots.path(signal.slot))
        return Output(findings)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        findings = []
        for signal in leaves(self._codes, offset, now_ms, changes, world):
            findings += _findings(self._codes.pop(signal.slot), {}, signal, world.slots.path(signal.slot))
        return Output(findings)

    def snapshot(self) -> dict[str, Any]:
        return {"codes": [[slot, code, late] for slot, codes in self._codes.items() for code, late in codes.items()]}

    def restore(self, state: dict[str, Any]) -> None:
        self._codes = {}
        for slot, code, late in state["codes"]:
            self._codes.setdefault(slot, {})[code] = late


def _after(before: Codes, signal: Signal) -> Codes:
    """Return the faults that stand once the device has said this; a clear without a code clears all."""
    late = bool(signal.quality & Quality.LATE)
    code = _code(signal)
    if signal.type == _CLEAR:
        named = (code,) if code != _UNNAMED else tuple(before)
        return {c: was_late for c, was_late in before.items() if c not in named or (late and not was_late)}
    if code not in before and len(before) >= _MOST:
        return before
    return {**before, code: late and before.get(code, True)}


def _code(signal: Signal) -> str:
    code = signal.data.get("code")
    return code[:_LONGEST] if isinstance(code, str) and code else _UNNAMED


def _findings(before: Codes, after: Codes, signal: Signal, path: str) -> list[Finding]:
    if before == after:
        return []
    action = Action.RAISE if not before else Action.CHANGE if after else Action.CLEAR
    standing = after or before
    return [
        Finding(
            offset=signal.offset,
            rule=_RULE,
            device=path,
            action=action,
            severity=CATALOGUE[_RULE].severity,
            at_ms=signal.received_ms,
            event_ms=signal.event_ms,
            late=all(standing.values()),
            evidence={"codes": sorted(standing)} | ({"reason": WITHDRAWN} if signal.type == WITHDRAWN else {}),
        )
    ]
