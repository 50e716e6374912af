"""X101, X102, X103: two facts of one site that may each be tolerable and together are not, in whichever order they come.

One is the subject, whose alarm it becomes: a machine with an arc (it can be stopped), or a device in fire alarm. The other is
the cause: elevated gas, or a fire watch that is missing. The alarm ends with the subject or with its last cause. A cause
of a neighbouring site counts too, where both places are known and close. An alarm changes when another device joins its
causes, and when it becomes more or less grave.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from detectors.base import Transition, World
from detectors.catalogue import CATALOGUE
from detectors.corroboration import FAINT
from detectors.fire import RULE as F101
from detectors.firecover import RULE as F105
from detectors.firecover import is_fire
from detectors.parameters import Parameters
from detectors.welding.detector import ARC
from domain.findings import Action, Finding, Severity
from domain.geo import Place, apart_m
from domain.measurands import BY_NAME, Family
from domain.places import ALL, DevicePath
from registers.device import Device
from registers.place import Site

X101, X102, X103 = "X101", "X102", "X103"
GAS_RULES = frozenset({"G101", "G102", "G104", "G105", "G109"})
_SILENT = "D101"

News = Finding | Transition


class Cause(NamedTuple):
    """One standing alarm that makes the subject dangerous; orders by gravity."""

    severity: int
    rule: str
    device: str
    late: bool
    place: Place | None
    evidence: dict[str, Any]


class Told(NamedTuple):
    """What was last said of a subject: how grave, whether only late data say so, and every device named so far."""

    severity: Severity
    late: bool
    devices: frozenset[str]


class Begin(NamedTuple):
    """A subject is there (`on`) or gone; `place` if known."""

    path: str
    on: bool
    place: Place | None


@dataclass(frozen=True, slots=True)
class Pairing:
    """What a rule pairs: who is a subject, which findings are causes, and the words of the evidence.

    `is_cause` is asked when a finding begins; `facts` shows the gravest cause; `near_m`: how far a cause of another site
    may lie, 0 for not at all; `over`: reasons of a clear when the subject, or the last cause, is gone. `faint`: causes that
    are nothing but statistics, and alone make the alarm one grade less grave.
    """

    rule: str
    subject: Callable[[News, World], Begin | None]
    is_cause: Callable[[Finding, World], bool]
    causes: frozenset[str]
    facts: Callable[[Cause], dict[str, Any]]
    counted: str
    over: tuple[str, str]
    near_m: float = 0.0
    faint: frozenset[str] = frozenset()

    def severity(self, causes: list[Cause]) -> Severity:
        """Return how grave the alarm is by all its causes."""
        grave = CATALOGUE[self.rule].severity
        return Severity(grave + 1) if all(cause.rule in self.faint for cause in causes) else grave


@dataclass(slots=True)
class Scene:
    """One site: its causes by (device, rule), its subjects with their places, and the alarms told."""

    causes: dict[tuple[str, str], Cause] = field(default_factory=dict)
    subjects: dict[str, Place | None] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)

    def is_empty(self) -> bool:
        return not (self.causes or self.subjects or self.told)


class Together:
    """Implements Correlator for one pairing. Memory: the sites that have a cause or a subject."""

    def __init__(self, pairing: Pairing) -> None:
        self.rules: tuple[str, ...] = (pairing.rule,)
        self._pairing = pairing
        self._scenes: defaultdict[str, Scene] = defaultdict(Scene)

    def correlate(self, findings: list[Finding], transitions: list[Transition], world: World) -> list[Finding]:
        news: list[News] = [f for f in findings if f.rule in self._pairing.causes or self._pairing.subject(f, world)]
        news += [t for t in transitions if self._pairing.subject(t, world)]
        found: list[Finding] = []
        for _, group in groupby(sorted(news, key=attrgetter("offset")), attrgetter("offset")):
            found += self._moment(list(group), world)
        return found

    def _moment(self, items: list[News], world: World) -> list[Finding]:
        """Return what follows from all that one record decided: what begins and ends within it makes no alarm."""
        concerned: set[str] = set()
        for item in items:
            begin = self._pairing.subject(item, world)
            if begin is not None:
                concerned.add(begin.path)
                self._take_subject(begin)
            elif isinstance(item, Finding):
                concerned |= self._take_cause(item, world)
        found = [finding for path in sorted(concerned) for finding in self._news(path, items[-1])]
        for site in {_site(path) for path in concerned} | {_site(i.device) for i in items if isinstance(i, Finding)}:
            if site in self._scenes and self._scenes[site].is_empty():
                del self._scenes[site]
        return found

    def _take_subject(self, begin: Begin) -> None:
        subjects = self._scenes[_site(begin.path)].subjects
        if begin.on:
            subjects[begin.path] = begin.place
        else:
            subjects.pop(begin.path, None)

    def _take_cause(self, finding: Finding, world: World) -> set[str]:
        """Keep or drop a cause; return the subjects it concerns."""
        causes, key = self._scenes[_site(finding.device)].causes, (finding.device, finding.rule)
        known = causes.get(key)
        if finding.action is Action.CLEAR:
            causes.pop(key, None)
        elif known or self._pairing.is_cause(finding, world):
            # What was a cause stays one until it clears, even if something harmless joins it.
            place = _place(finding.device, world)
            known = causes[key] = Cause(
                int(finding.severity), finding.rule, finding.device, finding.late, place, finding.evidence
            )
        return self._concerned(known) if known else set()

    def _concerned(self, cause: Cause) -> set[str]:
        here = _site(cause.device)
        found = set(self._scenes[here].subjects)
        if here.endswith(f"/{ALL}"):
            found |= {path for scene in self._scenes.values() for path in scene.subjects if _area(path) == here}
        if self._pairing.near_m and cause.place is not None:
            for scene in self._scenes.values():
                found |= {path for path, place in scene.subjects.items() if self._is_near(place, cause.place)}
        return found

    def _is_near(self, one: Place | None, other: Place | None) -> bool:
        return one is not None and other is not None and apart_m(one, other) <= self._pairing.near_m

    def _causes(self, path: str, scene: Scene) -> list[Cause]:
        """Return what makes a subject dangerous: causes of its own site, and near ones of others."""
        place, here = scene.subjects[path], _site(path)
        found = list(scene.causes.values())
        if _area(path) in self._scenes:
            found += self._scenes[_area(path)].causes.values()
        if self._pairing.near_m and place is not None:
            others: Iterable[Scene] = (other for site, other in self._scenes.items() if site != here)
            found += [c for other in others for c in other.causes.values() if self._is_near(place, c.place)]
        return found

    def _news(self, path: str, item: News) -> list[Finding]:
        """Return what follows for one subject."""
        scene = self._scenes[_site(path)]
        causes = self._causes(path, scene) if path in scene.subjects else []
        before = scene.told.pop(path, None)
        if not causes:
            reason = {"reason": self._pairing.over[path in scene.subjects]}
            return [] if before is None else [self._finding(item, path, Action.CLEAR, before, reason)]
        # What came late adds nothing to an alarm of now.
        current = [cause for cause in causes if not cause.late]
        told = scene.told[path] = self._told(before, current or causes, late=not current)
        if told == before:
            return []
        gravest = min(causes, key=lambda cause: cause[:3])
        evidence = self._pairing.facts(gravest) | {self._pairing.counted: len(causes)}
        return [self._finding(item, path, Action.CHANGE if before else Action.RAISE, told, evidence)]

    def _told(self, before: Told | None, causes: list[Cause], *, late: bool) -> Told:
        """Return what there is to say; an alarm that was current stays so, and a device is named once."""
        named = frozenset(cause.device for cause in causes)
        if before is not None:
            late, named = late and before.late, named | before.devices
        return Told(self._pairing.severity(causes), late, named)

    def _finding(self, item: News, path: str, action: Action, told: Told, evidence: dict[str, Any]) -> Finding:
        return Finding(
            offset=item.offset,
            rule=self._pairing.rule,
            device=path,
            action=action,
            severity=told.severity,
            at_ms=item.at_ms,
            event_ms=item.event_ms if isinstance(item, Finding) else item.at_ms,
            late=told.late,
            evidence=evidence,
        )

    def snapshot(self) -> dict[str, Any]:
        rows = [
            [
                site,
                [list(cause) for cause in scene.causes.values()],
                list(scene.subjects.items()),
                [[path, int(told.severity), told.late, sorted(told.devices)] for path, told in scene.told.items()],
            ]
            for site, scene in self._scenes.items()
        ]
        return {"scenes": rows}

    def restore(self, state: dict[str, Any]) -> None:
        self._scenes.clear()
        for site, rows, subjects, told in state["scenes"]:
            causes = [Cause(*row)._replace(place=_pair(row[4])) for row in rows]
            places = {path: _pair(place) for path, place in subjects}
            said = {path: Told(Severity(grave), late, frozenset(named)) for path, grave, late, named in told}
            self._scenes[site] = Scene({(c.device, c.rule): c for c in causes}, places, said)


def hot_work_in_gas(parameters: Parameters) -> Together:
    """Return X101: an arc where combustible gas is elevated or rising."""
    near_m = parameters.of(X101)["near_m"]
    over = ("arc_ended", "gas_cleared")
    return Together(Pairing(X101, _arc, _is_combustible, GAS_RULES, _gas_facts, "gas_alarms", over, near_m, FAINT))


def hot_work_unwatched() -> Together:
    """Return X102: an arc where fire points are shielded, without power or silent."""
    causes = frozenset({F105, _SILENT})
    over = ("arc_ended", "watch_restored")
    return Together(Pairing(X102, _arc, _is_unwatched, causes, _watch_facts, "points_missing", over))


def fire_in_gas() -> Together:
    """Return X103: a fire alarm where combustible gas is elevated."""
    over = ("fire_cleared", "gas_cleared")
    return Together(Pairing(X103, _fire, _is_combustible, GAS_RULES, _gas_facts, "gas_alarms", over, faint=FAINT))


def _site(path: str) -> str:
    return path.rpartition("/")[0]


def _area(path: str) -> str:
    """Return the scene of what concerns the whole area of a path."""
    return f"{path.partition('/')[0]}/{ALL}"


def _pair(place: Any) -> Place | None:
    return None if place is None else (place[0], place[1])


def _place(path: str, world: World) -> Place | None:
    device = world.view.device(DevicePath.parse(path).device)
    return None if device is None or device.lat is None or device.lon is None else (device.lat, device.lon)


def _arc(item: News, world: World) -> Begin | None:
    if not isinstance(item, Transition) or item.state != ARC:
        return None
    return Begin(world.slots.path(item.slot), item.on, item.place)


def _fire(item: News, world: World) -> Begin | None:  # noqa: ARG001  the signature of Pairing.subject
    if not isinstance(item, Finding) or item.rule != F101:
        return None
    return Begin(item.device, item.action is not Action.CLEAR, None)


def _is_combustible(finding: Finding, world: World) -> bool:
    """Tell by the measurand in the evidence, or else the sensor's own; a gas that nobody names may well burn."""
    device = world.view.device(DevicePath.parse(finding.device).device)
    model = world.view.model(device.model) if device else None
    name = finding.evidence.get("measurand") or (model.measurand if model else None)
    return name is None or BY_NAME[name].family is Family.COMBUSTIBLE


def _is_unwatched(finding: Finding, world: World) -> bool:
    return finding.rule == F105 or is_fire(finding.device, world) or _has_fire_points(finding.device, world)


def _has_fire_points(group: str, world: World) -> bool:
    """Tell whether a site or area that is silent as a whole has registered fire detectors in service."""
    place = DevicePath.parse(group)
    if place.device != ALL:
        return False
    sites = {site.code for site in world.view.rows(Site) if site.area == place.area and place.site in (ALL, site.code)}
    devices = (device for device in world.view.rows(Device) if device.in_service and device.site in sites)
    return any(is_fire(device.code, world) for device in devices)


def _gas_facts(cause: Cause) -> dict[str, Any]:
    told = {name: cause.evidence[name] for name in ("measurand", "value", "unit") if name in cause.evidence}
    return {"gas_device": cause.device, "gas_rule": cause.rule} | told


def _watch_facts(cause: Cause) -> dict[str, Any]:
    told = {name: cause.evidence[name] for name in ("gaps", "reason") if name in cause.evidence}
    return {"fire_device": cause.device, "fire_rule": cause.rule} | told
