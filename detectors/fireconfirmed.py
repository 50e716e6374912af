"""F102: two points of one site alarm within a minute: confirmed, and told to those whom a single point does not call out.

Fed by the findings of F101, so two points of one device count as two, in whatever order they come. The alarm is that of the
device which confirmed; it names every point and stands until the last point of the site is clear. If that device is withdrawn,
the alarm goes over to one whose point is still in alarm.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from detectors.base import Transition, World
from detectors.catalogue import CATALOGUE
from detectors.fire import RULE as F101
from detectors.parameters import Parameters
from detectors.withdrawals import WITHDRAWN, withdrawn
from domain.findings import Action, Finding

RULE = "F102"


class Point(NamedTuple):
    """When a point began to alarm (ours; the device's time if it came late), whether that was late, and whether it is over."""

    at_ms: int
    late: bool
    over: bool = False


Key = tuple[str, str]
"""Device and point."""


@dataclass(slots=True)
class Scene:
    """One site: its points that alarm, or did within the window, and the device whose alarm says it is confirmed."""

    points: dict[Key, Point] = field(default_factory=dict)
    told: str | None = None

    def standing(self) -> list[Key]:
        return sorted(key for key, point in self.points.items() if not point.over)


class FireConfirmed:
    """Implements Correlator for F102. Memory: the sites in which a point alarms, or did when last heard of."""

    rules: tuple[str, ...] = (RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._window_ms = parameters.of(RULE)["window_s"] * 1000
        self._scenes: dict[str, Scene] = {}

    def correlate(self, findings: list[Finding], transitions: list[Transition], world: World) -> list[Finding]:
        return [found for finding in findings if finding.rule == F101 for found in self._take(finding)]

    def _take(self, finding: Finding) -> list[Finding]:
        site = finding.device.rpartition("/")[0]
        scene = self._scenes.setdefault(site, Scene())
        self._forget(scene, finding.at_ms)
        before = scene.standing()
        _update(scene, finding)
        after = scene.standing()
        if scene.told is not None:
            return self._go_on(site, scene, finding, news=bool(set(after) - set(before)))
        pair = self._pair(scene)
        if not pair or not after:
            return []
        scene.told = finding.device
        return [_finding(finding, finding.device, Action.RAISE, _evidence(scene, pair), late=_late(scene, pair))]

    def _go_on(self, site: str, scene: Scene, finding: Finding, *, news: bool) -> list[Finding]:
        standing, told = scene.standing(), str(scene.told)
        if not standing:
            del self._scenes[site]
            return [_finding(finding, told, Action.CLEAR, {"reason": "all_points_clear"}, late=finding.late)]
        if withdrawn(finding) and told == finding.device:
            scene.told = heir = standing[0][0]
            return [
                _finding(finding, told, Action.CLEAR, {"reason": WITHDRAWN}, late=finding.late),
                _finding(finding, heir, Action.RAISE, _evidence(scene, standing), late=_late(scene, standing)),
            ]
        return [_finding(finding, told, Action.CHANGE, _evidence(scene, standing), late=finding.late)] if news else []

    def _forget(self, scene: Scene, now_ms: int) -> None:
        """Drop the points that are over and out of the window."""
        for key, point in list(scene.points.items()):
            if point.over and now_ms - point.at_ms > self._window_ms:
                del scene.points[key]

    def _pair(self, scene: Scene) -> list[Key]:
        """Return two points that began to alarm within the window, the closest in time; empty when there are none."""
        ordered = sorted(scene.points, key=lambda key: (scene.points[key].at_ms, key))
        gaps = [(scene.points[b].at_ms - scene.points[a].at_ms, [a, b]) for a, b in pairwise(ordered)]
        gap, pair = min(gaps, default=(self._window_ms + 1, []))
        return pair if gap <= self._window_ms else []

    def snapshot(self) -> dict[str, Any]:
        rows = [[s, scene.told, [[*k, *p] for k, p in scene.points.items()]] for s, scene in self._scenes.items()]
        return {"scenes": rows}

    def restore(self, state: dict[str, Any]) -> None:
        self._scenes = {
            site: Scene({(device, point): Point(*rest) for device, point, *rest in points}, told)
            for site, told, points in state["scenes"]
        }


def _update(scene: Scene, finding: Finding) -> None:
    """Bring the scene up to date with one device's points in alarm."""
    named = set() if finding.action is Action.CLEAR else set(finding.evidence["points"])
    for device, point in [key for key in scene.points if key[0] == finding.device and key[1] not in named]:
        scene.points[device, point] = scene.points[device, point]._replace(over=True)
    begun = Point(finding.event_ms if finding.late else finding.at_ms, finding.late)
    for point in sorted(named):
        known = scene.points.get((finding.device, point))
        if known is None or known.over:
            scene.points[finding.device, point] = begun


def _late(scene: Scene, keys: list[Key]) -> bool:
    return all(scene.points[key].late for key in keys)


def _evidence(scene: Scene, keys: list[Key]) -> dict[str, Any]:
    """Return the points that confirm each other and how far apart they alarmed."""
    times = [scene.points[key].at_ms for key in keys]
    devices, points = zip(*keys, strict=True)
    return {"devices": list(devices), "points": list(points), "apart_s": round((max(times) - min(times)) / 1000)}


def _finding(cause: Finding, device: str, action: Action, evidence: dict[str, Any], *, late: bool) -> Finding:
    return Finding(
        offset=cause.offset,
        rule=RULE,
        device=device,
        action=action,
        severity=CATALOGUE[RULE].severity,
        at_ms=cause.at_ms,
        event_ms=cause.event_ms,
        late=late,
        evidence=evidence,
    )
