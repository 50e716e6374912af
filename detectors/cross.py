"""X101: an arc burns where combustible gas is elevated; each may be tolerable, together they are an explosion.

The arc and the gas alarm may come in either order. The alarm is the machine's, since it is the machine that can be
stopped, and ends with the arc or with the last gas alarm of the site.
"""

from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from detectors.base import Transition, World
from detectors.catalogue import CATALOGUE
from detectors.welding.detector import ARC
from domain.findings import Action, Finding
from domain.measurands import BY_NAME, Family
from domain.places import DevicePath

RULE = "X101"
GAS_RULES = frozenset({"G101", "G102", "G104", "G105"})


class Gas(NamedTuple):
    """One alarm of combustible gas that is on; orders by gravity."""

    severity: int
    rule: str
    device: str
    late: bool
    evidence: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        told = {name: self.evidence[name] for name in ("measurand", "value", "unit") if name in self.evidence}
        return {"gas_device": self.device, "gas_rule": self.rule} | told


@dataclass(slots=True)
class Scene:
    """One site: its combustible gas alarms by (device, rule), its machines with an arc, and the alarms told (late?)."""

    gas: dict[tuple[str, str], Gas] = field(default_factory=dict)
    arcs: set[str] = field(default_factory=set)
    told: dict[str, bool] = field(default_factory=dict)


class HotWorkInGas:
    """Implements Correlator for X101. Memory: the sites where gas is elevated or an arc burns."""

    rules: tuple[str, ...] = (RULE,)

    def __init__(self) -> None:
        self._scenes: dict[str, Scene] = {}

    def correlate(self, findings: list[Finding], transitions: list[Transition], world: World) -> list[Finding]:
        news: list[Finding | Transition] = [f for f in findings if f.rule in GAS_RULES]
        news += [t for t in transitions if t.state == ARC]
        found: list[Finding] = []
        for _, group in groupby(sorted(news, key=attrgetter("offset")), attrgetter("offset")):
            found += self._moment(list(group), world)
        return found

    def _moment(self, items: list[Finding | Transition], world: World) -> list[Finding]:
        """Return what follows from all that one record decided: what begins and ends within it makes no alarm."""
        sites = {}
        for item in items:
            path = item.device if isinstance(item, Finding) else world.slots.path(item.slot)
            sites[_site(path)] = item
            _take(self._scenes.setdefault(_site(path), Scene()), item, path, world)
        found = []
        for site, item in sites.items():
            scene = self._scenes[site]
            found += _news(scene, item)
            if not (scene.gas or scene.arcs):
                del self._scenes[site]
        return found

    def snapshot(self) -> dict[str, Any]:
        rows = [
            [site, [list(gas) for gas in scene.gas.values()], sorted(scene.arcs), list(scene.told.items())]
            for site, scene in self._scenes.items()
        ]
        return {"scenes": rows}

    def restore(self, state: dict[str, Any]) -> None:
        self._scenes = {}
        for site, rows, arcs, told in state["scenes"]:
            gas = [Gas(*row) for row in rows]
            self._scenes[site] = Scene({(g.device, g.rule): g for g in gas}, set(arcs), dict(told))


def _site(path: str) -> str:
    return path.rpartition("/")[0]


def _take(scene: Scene, item: Finding | Transition, path: str, world: World) -> None:
    """Bring the scene up to date with one finding or transition."""
    if isinstance(item, Transition):
        (scene.arcs.add if item.on else scene.arcs.discard)(path)
        return
    key = (item.device, item.rule)
    if item.action is Action.CLEAR:
        scene.gas.pop(key, None)
    elif key in scene.gas or _is_combustible(item, world):
        # An alarm that was combustible stays so until it clears, even if a toxic gas joins it.
        scene.gas[key] = Gas(int(item.severity), item.rule, item.device, item.late, item.evidence)


def _is_combustible(finding: Finding, world: World) -> bool:
    """Tell by the measurand in the evidence, or else the sensor's own; a gas that nobody names may well burn."""
    device = world.view.device(DevicePath.parse(finding.device).device)
    model = world.view.model(device.model) if device else None
    name = finding.evidence.get("measurand") or (model.measurand if model else None)
    return name is None or BY_NAME[name].family is Family.COMBUSTIBLE


def _news(scene: Scene, item: Finding | Transition) -> list[Finding]:
    """Return what follows at this item: alarms on every burning machine while gas is elevated, none else."""
    late = all(gas.late for gas in scene.gas.values())
    due = dict.fromkeys(sorted(scene.arcs), late) if scene.gas else {}
    found = []
    for machine in sorted(scene.told.keys() | due.keys()):
        if machine not in due:
            reason = "gas_cleared" if machine in scene.arcs else "arc_ended"
            found.append(_finding(item, machine, Action.CLEAR, {"reason": reason}, late=scene.told.pop(machine)))
        elif machine not in scene.told or (scene.told[machine] and not late):
            action = Action.CHANGE if machine in scene.told else Action.RAISE
            scene.told[machine] = late
            found.append(_finding(item, machine, action, _evidence(scene), late=late))
    return found


def _evidence(scene: Scene) -> dict[str, Any]:
    """Return the gravest gas alarm and how many there are: one is enough to stop the work."""
    gravest = min(scene.gas.values(), key=lambda gas: gas[:3])
    return gravest.facts() | {"gas_alarms": len(scene.gas)}


def _finding(
    item: Finding | Transition, machine: str, action: Action, evidence: dict[str, Any], *, late: bool
) -> Finding:
    return Finding(
        offset=item.offset,
        rule=RULE,
        device=machine,
        action=action,
        severity=CATALOGUE[RULE].severity,
        at_ms=item.at_ms,
        event_ms=item.event_ms if isinstance(item, Finding) else item.at_ms,
        late=late,
        evidence=evidence,
    )
