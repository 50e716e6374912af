"""All detectors as one: segments in, findings out, in an order that depends on nothing but the journal."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from detectors.base import Correlator, Detector, Output, Scores, Transition, World
from detectors.catalogue import CATALOGUE
from domain.findings import Action, Finding
from domain.readings import Segment

_Part = TypeVar("_Part", bound=Detector | Correlator)
_Answer = TypeVar("_Answer")
_LOG = logging.getLogger(__name__)
BROKEN = "D110"
OURSELVES = "emberwatch/service"
"""Area and site of what we say of ourselves; the third level is the rule."""


class Engine:
    """Runs detectors, then correlators, over each segment and sorts what they find by (offset, rule, device).

    A detector that fails by a bug of ours is left out from then on and said so (D110): the others go on. `scores` holds
    the statistical rules' scores of the last segment.
    """

    def __init__(self, world: World, detectors: Sequence[Detector], correlators: Sequence[Correlator]) -> None:
        self.world = world
        self.scores: list[Scores] = []
        self._detectors = list(detectors)
        self._correlators = list(correlators)
        self._parts: list[Detector | Correlator] = [*detectors, *correlators]
        self._broken: set[str] = set()
        self._now_ms = 0

    def process(self, segment: Segment) -> list[Finding]:
        """Return the segment's findings. Its control comes last: what was found before it is judged by the old registers."""
        world, offset = self.world, segment.end_offset - 1
        self._now_ms = _time_of(segment) or self._now_ms
        self.scores = []
        found = self._round(offset, lambda detector: detector.observe(segment, world))
        if segment.started_ms is not None:
            at = segment.started_ms
            found += self._round(offset, lambda detector: detector.started(offset, at, world))
        if segment.changed_ms is not None:
            changed, applied = segment.changed_ms, world.view.apply(segment.changes)
            found += self._round(offset, lambda detector: detector.changed(offset, changed, applied, world))
        if segment.tick_ms is not None:
            now = segment.tick_ms
            found += self._round(offset, lambda detector: detector.tick(offset, now, world))
        return sorted(found, key=_order)

    def _round(self, offset: int, ask: Callable[[Detector], Output]) -> list[Finding]:
        """Ask every detector, then let the correlators judge the answers."""
        findings: list[Finding] = []
        transitions: list[Transition] = []
        failures: list[Finding] = []
        for detector in self._detectors:
            output = self._guarded(detector, ask, Output(), offset, failures)
            findings += output.findings
            transitions += output.transitions
            self.scores += [output.scores] if output.scores is not None else []
        findings.sort(key=_order)
        transitions.sort(key=lambda t: (t.offset, t.slot, t.state))
        correlated: list[Finding] = []
        for correlator in self._correlators:
            correlated += self._guarded(
                correlator, lambda c: c.correlate(findings, transitions, self.world), [], offset, failures
            )
        return findings + correlated + failures

    def _guarded(
        self, part: _Part, ask: Callable[[_Part], _Answer], nothing: _Answer, offset: int, failures: list[Finding]
    ) -> _Answer:
        code = part.rules[0]
        if code in self._broken:
            return nothing
        try:
            return ask(part)
        except Exception as error:  # noqa: BLE001  one rule's bug must not end the others, fire alarms among them
            _LOG.exception("rules %s are left out from record %d on", ", ".join(part.rules), offset)
            self._broken.add(code)
            failures.append(_failure(offset, self._now_ms, part.rules, error))
            return nothing

    def snapshot(self) -> dict[str, Any]:
        """Return the state of the world and of every detector and correlator, by its first rule's code."""
        parts = {part.rules[0]: part.snapshot() for part in self._parts if part.rules[0] not in self._broken}
        return {**self.world.snapshot(), "parts": parts, "broken": sorted(self._broken), "now_ms": self._now_ms}

    def restore(self, state: dict[str, Any]) -> None:
        """Become the state that `snapshot` gave, for the same catalogue."""
        self.world.restore(state)
        self._broken, self._now_ms = set(state["broken"]), state["now_ms"]
        for part in self._parts:
            if part.rules[0] not in self._broken:
                part.restore(state["parts"][part.rules[0]])


def _failure(offset: int, now_ms: int, rules: Sequence[str], error: Exception) -> Finding:
    return Finding(
        offset=offset,
        rule=BROKEN,
        device=f"{OURSELVES}/{rules[0]}",
        action=Action.RAISE,
        severity=CATALOGUE[BROKEN].severity,
        at_ms=now_ms,
        event_ms=now_ms,
        evidence={"rules": list(rules), "error": type(error).__name__},
    )


def _time_of(segment: Segment) -> int:
    """Return our time of the segment's end; 0 when it holds nothing with a time."""
    for moment in (segment.tick_ms, segment.changed_ms, segment.started_ms):
        if moment is not None:
            return moment
    return int(segment.contacts.received_ms[-1]) if len(segment.contacts) else 0


def _order(finding: Finding) -> tuple[int, str, str]:
    return finding.offset, finding.rule, finding.device
