"""G107: two sensors of one site rise within two minutes of each other: what one may have imagined, two have seen.

Fed by the findings of the gas rules, whichever comes first. The alarm is that of the device that confirmed; it names both, goes
on when more join, and stands until fewer than two sensors of the site are elevated. If that device is withdrawn, the alarm
goes over to another. Until two of them show more than a slow leak (G105) it is one grade less grave: statistics.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from detectors.base import Transition, World
from detectors.catalogue import CATALOGUE
from detectors.parameters import Parameters
from detectors.withdrawals import WITHDRAWN, withdrawn
from domain.findings import Action, Finding, Severity

_RULE = "G107"
GAS_RULES = frozenset({"G101", "G102", "G104", "G105"})
FAINT = frozenset({"G105"})
"""Rules that are nothing but statistics: alone they make what follows from them one grade less grave."""


class Elevation(NamedTuple):
    """One gas alarm that stands: when it was raised (ours) and what it read, if it says so."""

    at_ms: int
    evidence: dict[str, Any]


@dataclass(slots=True)
class Scene:
    """One site: the gas alarms that stand by (device, rule), and what was told: at which device, naming which, how grave."""

    standing: dict[tuple[str, str], Elevation] = field(default_factory=dict)
    told: str | None = None
    named: list[str] = field(default_factory=list)
    severity: Severity = CATALOGUE[_RULE].severity

    def tell(self, device: str, named: Iterable[str]) -> None:
        """Note what is told now."""
        self.told, self.named, self.severity = device, sorted(named), self.gravity()

    def gravity(self) -> Severity:
        """Return how grave the alarms that stand are together."""
        grave = CATALOGUE[_RULE].severity
        sure = {device for device, rule in self.standing if rule not in FAINT}
        return grave if len(sure) > 1 else Severity(grave + 1)

    def devices(self) -> set[str]:
        return {device for device, _ in self.standing}

    def partners(self, finding: Finding, window_ms: float) -> set[str]:
        """Return the other devices that rose within the window of this finding."""
        near = {device for (device, _), e in self.standing.items() if abs(finding.at_ms - e.at_ms) <= window_ms}
        return near - {finding.device}


class Corroboration:
    """Implements Correlator for G107. Memory: the sites where gas is elevated. Late alarms corroborate nothing."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._window_ms = parameters.of(_RULE)["window_s"] * 1000
        self._scenes: dict[str, Scene] = {}

    def correlate(self, findings: list[Finding], transitions: list[Transition], world: World) -> list[Finding]:
        return [found for finding in findings if finding.rule in GAS_RULES for found in self._take(finding)]

    def _take(self, finding: Finding) -> list[Finding]:
        site = finding.device.rpartition("/")[0]
        scene = self._scenes.setdefault(site, Scene())
        key = (finding.device, finding.rule)
        if withdrawn(finding):  # with all its alarms, whichever is told first
            scene.standing = {other: e for other, e in scene.standing.items() if other[0] != finding.device}
        elif finding.action is Action.CLEAR:
            scene.standing.pop(key, None)
        elif not finding.late:
            scene.standing.setdefault(key, Elevation(finding.at_ms, finding.evidence))
        found = self._news(scene, finding)
        if not scene.standing:
            del self._scenes[site]
        return found

    def _news(self, scene: Scene, finding: Finding) -> list[Finding]:
        devices = scene.devices()
        if scene.told is not None:
            left = withdrawn(finding) and scene.told == finding.device
            if len(devices) > 1 and not left:
                return self._go_on(scene, finding, str(scene.told))
            return self._over(scene, finding, sorted(devices))
        partners = scene.partners(finding, self._window_ms) if finding.device in devices else set()
        if finding.action is Action.CLEAR or not partners:
            return []
        scene.tell(finding.device, {finding.device, *partners})
        return [_finding(scene, finding, finding.device, Action.RAISE, _evidence(scene))]

    def _over(self, scene: Scene, finding: Finding, rest: list[str]) -> list[Finding]:
        """Clear the alarm; where two are left, it had only lost its device, and stands at another."""
        told = str(scene.told)
        if len(rest) > 1:
            over = _finding(scene, finding, told, Action.CLEAR, {"reason": WITHDRAWN})
            scene.tell(rest[0], rest)
            return [over, _finding(scene, finding, rest[0], Action.RAISE, _evidence(scene))]
        scene.told = None
        return [_finding(scene, finding, told, Action.CLEAR, {"reason": "one_sensor_left" if rest else "gas_cleared"})]

    def _go_on(self, scene: Scene, finding: Finding, told: str) -> list[Finding]:
        """Tell who joined, and that it became more or less grave."""
        if scene.devices() <= set(scene.named) and scene.gravity() == scene.severity:
            return []
        scene.tell(told, scene.devices())
        return [_finding(scene, finding, told, Action.CHANGE, _evidence(scene))]

    def snapshot(self) -> dict[str, Any]:
        rows = [
            [site, [[*key, *e] for key, e in scene.standing.items()], scene.told, scene.named, int(scene.severity)]
            for site, scene in self._scenes.items()
        ]
        return {"scenes": rows}

    def restore(self, state: dict[str, Any]) -> None:
        self._scenes = {
            site: Scene({(d, r): Elevation(*e) for d, r, *e in standing}, told, list(named), Severity(severity))
            for site, standing, told, named, severity in state["scenes"]
        }


def _evidence(scene: Scene) -> dict[str, Any]:
    """Return the sensors, each with what its gravest alarm read, and how far apart they rose."""
    seen: list[dict[str, Any]] = []
    times = []
    for device in scene.named:
        rule, elevation = min((rule, e) for (d, rule), e in scene.standing.items() if d == device)
        facts = {
            name: elevation.evidence[name] for name in ("measurand", "value", "unit") if name in elevation.evidence
        }
        seen.append({"device": device, "rule": rule} | facts)
        times.append(elevation.at_ms)
    return {"sensors": seen, "apart_s": (max(times) - min(times)) // 1000}


def _finding(scene: Scene, finding: Finding, device: str, action: Action, evidence: dict[str, Any]) -> Finding:
    return Finding(
        offset=finding.offset,
        rule=_RULE,
        device=device,
        action=action,
        severity=scene.severity,
        at_ms=finding.at_ms,
        event_ms=finding.event_ms,
        evidence=evidence,
    )
