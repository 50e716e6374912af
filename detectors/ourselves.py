"""D111: what hampers the service itself, so that inspectors are told and not the screen alone.

The service tells its troubles as journal records, each time all that stand, so a replay finds the same alarms.
"""

from typing import Any

from detectors.base import Output, World
from detectors.catalogue import CATALOGUE
from detectors.engine import OURSELVES
from domain.changes import RegisterChange
from domain.findings import Action, Finding
from domain.readings import Segment, Signal
from domain.records import SERVICE

_RULE = "D111"


class Ourselves:
    """Implements Detector for D111: one alarm a trouble. Memory: those that stand, and since when (epoch ms)."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self) -> None:
        self._standing: dict[str, int] = {}

    def observe(self, segment: Segment, world: World) -> Output:
        told = [signal for signal in segment.signals if signal.type == SERVICE]
        return Output([finding for signal in told for finding in self._judge(signal)])

    def _judge(self, signal: Signal) -> list[Finding]:
        now_ms, told = signal.received_ms, signal.data
        findings = []
        for name in sorted(self._standing.keys() - told.keys()):
            lasted_s = (now_ms - self._standing.pop(name)) // 1000
            findings.append(_finding(Action.CLEAR, name, signal, {"reason": name, "lasted_s": lasted_s}))
        for name in sorted(told.keys() - self._standing.keys()):
            self._standing[name] = now_ms
            findings.append(_finding(Action.RAISE, name, signal, {"reason": name, **told[name]}))
        return findings

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        return Output()

    def snapshot(self) -> dict[str, Any]:
        return {"standing": dict(self._standing)}

    def restore(self, state: dict[str, Any]) -> None:
        self._standing = dict(state["standing"])


def _finding(action: Action, name: str, signal: Signal, evidence: dict[str, Any]) -> Finding:
    return Finding(
        offset=signal.offset,
        rule=_RULE,
        device=f"{OURSELVES}/{name}",
        action=action,
        severity=CATALOGUE[_RULE].severity,
        at_ms=signal.received_ms,
        event_ms=signal.received_ms,
        evidence=evidence,
    )
