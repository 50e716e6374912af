"""Who is silent, alone or together: the alarms of D101.

A device that is overdue is in doubt until it is plain that it is alone: until enough others of its site and area have been
heard since it went. If nearly all of them are quiet, the site or area as a whole is out (a gateway, a line, the mains): one
alarm of the group (`together.py`), and none of its members'. When enough of them are back, the others are given as long as a
silence may last before each is missed by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown
from detectors.base import World
from detectors.catalogue import CATALOGUE
from detectors.together import Groups, Mask
from domain.findings import Action, Finding, Severity
from domain.places import ALL, DevicePath
from domain.readings import Int64
from domain.slots import SlotTable

_RULE = "D101"
UNWATCHED = 2**62
_MISSED = 1.2
"""Reporting intervals after which a device has plainly missed a report."""
_PATIENCE = 2
"""Times the silence allowed, after which a device is missed by itself however quiet its neighbours are."""


@dataclass(slots=True)
class Watch:
    """What is known of each slot: last heard (our time), longest silence allowed (ms), and what follows."""

    heard: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    allowed: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    silent: Mask = field(default_factory=lambda: np.empty(0, np.bool_))
    alarmed: Mask = field(default_factory=lambda: np.empty(0, np.bool_))
    """Has an alarm of its own."""
    spoke: Mask = field(default_factory=lambda: np.empty(0, np.bool_))
    grouped: Mask = field(default_factory=lambda: np.empty(0, np.bool_))
    """Counts as a member of its site and area: a registered detector, not a machine that comes and goes."""

    def grow(self, size: int) -> None:
        for name in self.__slots__:
            setattr(self, name, grown(getattr(self, name), size, UNWATCHED if name == "allowed" else 0))

    def snapshot(self) -> dict[str, Any]:
        return {name: getattr(self, name).copy() for name in self.__slots__}

    def restore(self, state: dict[str, Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, np.array(state[name]))


class _Doubt(NamedTuple):
    """Why a device is thought silent, since when (who speaks after that is not), and when it is missed in any case."""

    reason: str
    since_ms: int
    deadline_ms: int


class Outages:
    """The silent ones of a watch. Memory: the devices in doubt and the groups that are out."""

    def __init__(self, watch: Watch, values: Mapping[str, float]) -> None:
        self._watch = watch
        self._intervals, self._least, self._share = values["intervals"], values["group_min"], values["group_share"]
        self._groups = Groups()
        self._counted: Int64 | None = None
        """Size of each group; None when it must be counted again."""
        self._doubts: dict[int, _Doubt] = {}
        self._out: dict[str, int] = {}
        """Path of a group that is silent as a whole → since when."""

    def grow(self, slots: SlotTable) -> None:
        self._watch.grow(len(slots))
        if self._groups.grow(slots):
            self._counted = None

    def group(self, slot: int, *, member: bool) -> None:
        """Let a slot count, or count no longer, as a member of its site and area."""
        self._watch.grouped[slot] = member
        self._counted = None

    def _sizes(self) -> Int64:
        if self._counted is None:
            self._counted = self._groups.sizes(self._watch.grouped)
        return self._counted

    def broken(self, offset: int, slot: int, now_ms: int, world: World) -> list[Finding]:
        """Take the will of a device; a small group is not waited for."""
        watch = self._watch
        if watch.silent[slot] or watch.allowed[slot] == UNWATCHED:
            return []
        watch.silent[slot] = True
        self._doubts[slot] = _Doubt("will", now_ms, now_ms + int(watch.allowed[slot]))
        return [] if self._large_groups(slot) else self._miss(offset, slot, now_ms, world)

    def tick(self, offset: int, now_ms: int, world: World) -> list[Finding]:
        """Return what follows from the silence of all devices now."""
        watch = self._watch
        overdue = np.flatnonzero((now_ms - watch.heard > watch.allowed) & ~watch.silent)
        for slot in overdue.tolist():
            watch.silent[slot] = True
            heard_ms, allowed_ms = int(watch.heard[slot]), int(watch.allowed[slot])
            since_ms = heard_ms + int(allowed_ms / self._intervals)
            self._doubts[slot] = _Doubt("silent", since_ms, heard_ms + _PATIENCE * allowed_ms)
        return self._settle(offset, now_ms, world) if self._doubts else []

    def _settle(self, offset: int, now_ms: int, world: World) -> list[Finding]:
        found = [f for group in self._falling(now_ms) for f in self._fall(offset, group, now_ms, world)]
        heard: dict[int, Int64] = {}
        for slot in list(self._doubts):
            if self._is_out(slot):
                del self._doubts[slot]
            elif self._is_alone(slot, now_ms, heard):
                found += self._miss(offset, slot, now_ms, world)
        return found

    def _falling(self, now_ms: int) -> Iterator[int]:
        """Yield the groups that are silent as a whole, areas of several sites first; asked again after each fall."""
        watch = self._watch
        quiet = watch.silent | (now_ms - watch.heard > watch.allowed / self._intervals * _MISSED)
        sizes, quiets = self._sizes(), self._groups.sizes(watch.grouped & quiet)
        fallen = (sizes >= self._least) & (quiets >= self._share * sizes)
        areas = dict.fromkeys(self._groups.area_of(slot) for slot in self._doubts)
        sites = dict.fromkeys(self._groups.site_of(slot) for slot in self._doubts)
        for group in (*areas, *sites):
            is_wide = group in sites or self._groups.sites_in(self._groups.members(group, watch.grouped)) > 1
            if fallen[group] and is_wide and not self._covered(self._groups.path(group)):
                watch.silent |= self._groups.members(group, watch.grouped & quiet)
                yield group

    def _covered(self, path: str) -> bool:
        """Tell whether a group is out already, by itself or with its area."""
        return path in self._out or f"{path.partition('/')[0]}/{ALL}/{ALL}" in self._out

    def _fall(self, offset: int, group: int, now_ms: int, world: World) -> list[Finding]:
        """Raise the group's alarm; those of its members and, in an area, of its sites go on in it."""
        watch, path = self._watch, self._groups.path(group)
        members = self._groups.members(group, watch.grouped)
        inside = [
            p for p in self._out if path.endswith(f"/{ALL}/{ALL}") and p.startswith(path.removesuffix(f"{ALL}/{ALL}"))
        ]
        inside += [world.slots.path(slot) for slot in np.flatnonzero(members & watch.alarmed).tolist()]
        self._out = {p: since for p, since in self._out.items() if p not in inside} | {path: now_ms}
        watch.alarmed[members] = False
        facts = {"reason": "together", "members": int(members.sum()), "silent": int((members & watch.silent).sum())}
        joined = {"reason": "in_group", "group": path}
        found = [_finding(offset, p, now_ms, Action.CLEAR, joined, world) for p in inside]
        return [*found, _finding(offset, path, now_ms, Action.RAISE, facts, world)]

    def _is_out(self, slot: int) -> bool:
        return bool(self._watch.grouped[slot]) and self._covered(self._groups.path(self._groups.site_of(slot)))

    def _large_groups(self, slot: int) -> list[int]:
        """Return the groups that could fall with the device."""
        sizes, both = self._sizes(), (self._groups.area_of(slot), self._groups.site_of(slot))
        return [group for group in both if self._watch.grouped[slot] and sizes[group] >= self._least]

    def _is_alone(self, slot: int, now_ms: int, heard: dict[int, Int64]) -> bool:
        """Tell whether no group of the device can be silent as a whole: enough of it were heard since.

        `heard`: when each member of a group was last heard, ascending, as far as it was asked for before.
        """
        doubt = self._doubts[slot]
        if now_ms > doubt.deadline_ms:
            return True
        for group in self._large_groups(slot):
            if group not in heard:
                members = self._groups.members(group, self._watch.grouped)
                heard[group] = np.sort(self._watch.heard[members])
            times = heard[group]
            alive = len(times) - int(np.searchsorted(times, doubt.since_ms, side="right"))
            if alive <= (1 - self._share) * len(times):
                return False
        return True

    def _miss(self, offset: int, slot: int, now_ms: int, world: World) -> list[Finding]:
        """Raise the alarm of one device."""
        watch, doubt = self._watch, self._doubts.pop(slot)
        watch.alarmed[slot] = True
        evidence = {
            "reason": doubt.reason,
            "silent_s": (now_ms - int(watch.heard[slot])) // 1000,
            "allowed_s": int(watch.allowed[slot]) // 1000,
            "ever_heard": bool(watch.spoke[slot]),
        }
        return [_finding(offset, world.slots.path(slot), now_ms, Action.RAISE, evidence, world)]

    def back(self, offset: int, slot: int, now_ms: int, evidence: dict[str, Any], world: World) -> list[Finding]:
        """Take a device that is heard again, or watched no longer; a group of which enough are back is out no more."""
        watch, was_silent = self._watch, bool(self._watch.silent[slot])
        found = []
        if watch.alarmed[slot]:
            found.append(_finding(offset, world.slots.path(slot), now_ms, Action.CLEAR, evidence, world))
        watch.alarmed[slot] = watch.silent[slot] = False
        self._doubts.pop(slot, None)
        if self._out and was_silent:  # else whether we ask would depend on what else its segment holds
            for group in (self._groups.area_of(slot), self._groups.site_of(slot)):
                found += self._rise(offset, group, now_ms, world)
        return found

    def _rise(self, offset: int, group: int, now_ms: int, world: World) -> list[Finding]:
        path, watch = self._groups.path(group), self._watch
        members = self._groups.members(group, watch.grouped)
        quiet = int((members & watch.silent).sum())
        if path not in self._out or (quiet and quiet >= self._share * int(members.sum())):
            return []
        since_ms = self._out.pop(path)
        rest = members & watch.silent & ~watch.alarmed
        watch.silent[rest] = False
        watch.heard[rest] = now_ms
        self._doubts = {slot: doubt for slot, doubt in self._doubts.items() if not rest[slot]}
        facts = {"reason": "heard", "lasted_s": (now_ms - since_ms) // 1000, "still_silent": int(rest.sum())}
        return [_finding(offset, path, now_ms, Action.CLEAR, facts, world)]

    def snapshot(self) -> dict[str, Any]:
        doubts = [[slot, *doubt] for slot, doubt in self._doubts.items()]
        return {"doubts": doubts, "out": list(self._out.items())}

    def restore(self, state: dict[str, Any]) -> None:
        self._doubts = {slot: _Doubt(*doubt) for slot, *doubt in state["doubts"]}
        self._out = dict(state["out"])


def _finding(offset: int, path: str, now_ms: int, action: Action, evidence: dict[str, Any], world: World) -> Finding:
    place = DevicePath.parse(path)
    site = world.view.site(place.site)
    grave = place.site == ALL or (site is not None and site.risk.is_high)
    return Finding(
        offset=offset,
        rule=_RULE,
        device=path,
        action=action,
        severity=Severity.HIGH if grave else CATALOGUE[_RULE].severity,
        at_ms=now_ms,
        event_ms=now_ms,
        evidence=evidence,
    )
