"""All detectors as one: segments in, findings out, in an order that depends on nothing but the journal."""

from typing import Any

from detectors.base import Correlator, Detector, Output, Scores, Transition, World
from domain.findings import Finding
from domain.readings import Segment


class Engine:
    """Runs detectors, then correlators, over each segment and sorts what they find by (offset, rule, device).

    `scores` holds the statistical rules' scores of the last segment.
    """

    def __init__(self, world: World, detectors: list[Detector], correlators: list[Correlator]) -> None:
        self.world = world
        self.scores: list[Scores] = []
        self._detectors = detectors
        self._correlators = correlators
        self._parts: list[Detector | Correlator] = [*detectors, *correlators]

    def process(self, segment: Segment) -> list[Finding]:
        """Return the segment's findings; register changes at its end are applied to the world before detectors see them."""
        findings: list[Finding] = []
        transitions: list[Transition] = []
        self.scores = []
        for output in self._outputs(segment):
            findings += output.findings
            transitions += output.transitions
            self.scores += [output.scores] if output.scores is not None else []
        findings.sort(key=_order)
        transitions.sort(key=lambda t: (t.offset, t.slot, t.state))
        correlated = [f for c in self._correlators for f in c.correlate(findings, transitions, self.world)]
        return sorted(findings + correlated, key=_order)

    def _outputs(self, segment: Segment) -> list[Output]:
        world = self.world
        outputs = [detector.observe(segment, world) for detector in self._detectors]
        offset = segment.end_offset - 1
        if segment.started_ms is not None:
            outputs += [detector.started(offset, segment.started_ms, world) for detector in self._detectors]
        if segment.changed_ms is not None:
            applied = world.view.apply(segment.changes)
            outputs += [detector.changed(offset, segment.changed_ms, applied, world) for detector in self._detectors]
        if segment.tick_ms is not None:
            outputs += [detector.tick(offset, segment.tick_ms, world) for detector in self._detectors]
        return outputs

    def snapshot(self) -> dict[str, Any]:
        """Return the state of the world and of every detector and correlator, by its first rule's code."""
        parts = {part.rules[0]: part.snapshot() for part in self._parts}
        return {"slots": list(self.world.slots.paths()), "view": self.world.view.snapshot(), "parts": parts}

    def restore(self, state: dict[str, Any]) -> None:
        """Become the state that `snapshot` gave, for the same catalogue."""
        for path in state["slots"]:
            self.world.slots.take(path)
        self.world.view.restore(state["view"])
        for part in self._parts:
            part.restore(state["parts"][part.rules[0]])


def _order(finding: Finding) -> tuple[int, str, str]:
    return finding.offset, finding.rule, finding.device
