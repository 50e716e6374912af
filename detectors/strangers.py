"""D102: something publishes that is in no register, or that is registered at another place.

Judged at a device's first live message and again after every change of a register; a welding machine's chip may speak
anywhere. The alarm ends when the registers know the device where it is.
"""

from typing import Any

import numpy as np

from detectors.arrays import grown
from detectors.base import Output, World
from detectors.catalogue import CATALOGUE
from domain.changes import RegisterChange
from domain.findings import Action, Finding
from domain.readings import Segment
from registers.place import Site

_RULE = "D102"
_UNJUDGED, _KNOWN, _STRANGE = 0, 1, 2
_NOUNS = ("device", "site", "machine")


class Strangers:
    """Implements Detector for D102. One byte a slot."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self) -> None:
        self._verdict = np.empty(0, np.uint8)

    def observe(self, segment: Segment, world: World) -> Output:
        self._verdict = grown(self._verdict, len(world.slots))
        contacts = segment.contacts
        live = np.flatnonzero(~contacts.retained)
        unjudged = live[self._verdict[contacts.slot[live]] == _UNJUDGED]
        if not len(unjudged):
            return Output()
        firsts = np.sort(np.unique(contacts.slot[unjudged], return_index=True)[1])
        findings = []
        for i in unjudged[firsts].tolist():
            slot = int(contacts.slot[i])
            evidence = _strange(slot, world)
            self._verdict[slot] = _KNOWN if evidence is None else _STRANGE
            if evidence is not None:
                findings.append(
                    _finding(int(contacts.offset[i]), int(contacts.received_ms[i]), slot, Action.RAISE, evidence, world)
                )
        return Output(findings)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        if not any(change.noun in _NOUNS for change in changes):
            return Output()
        findings = []
        for slot in np.flatnonzero(self._verdict == _STRANGE).tolist():
            if _strange(slot, world) is None:
                findings.append(_finding(offset, now_ms, slot, Action.CLEAR, {"reason": "registered"}, world))
                self._verdict[slot] = _KNOWN
        slots = None if any(change.noun == Site.noun for change in changes) else world.touched(changes)
        again = np.flatnonzero(self._verdict == _KNOWN) if slots is None else np.array(slots, np.int64)
        again = again[again < len(self._verdict)]
        self._verdict[again[self._verdict[again] == _KNOWN]] = _UNJUDGED
        return Output(findings)

    def snapshot(self) -> dict[str, Any]:
        return {"verdict": self._verdict.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        self._verdict = np.array(state["verdict"])


def _strange(slot: int, world: World) -> dict[str, Any] | None:
    """Return why the registers do not know the device of this slot where it speaks, or None when they do."""
    place = world.slots.place(slot)
    if world.view.machine(place.device) is not None:
        return None
    device = world.view.device(place.device)
    if device is None:
        return {"reason": "unregistered"}
    site = world.view.site(device.site)
    area = site.area if site is not None else place.area
    if (area, device.site) == (place.area, place.site):
        return None
    return {"reason": "registered_elsewhere", "registered_at": f"{area}/{device.site}"}


def _finding(offset: int, now_ms: int, slot: int, action: Action, evidence: dict[str, Any], world: World) -> Finding:
    return Finding(
        offset=offset,
        rule=_RULE,
        device=world.slots.path(slot),
        action=action,
        severity=CATALOGUE[_RULE].severity,
        at_ms=now_ms,
        event_ms=now_ms,
        evidence=evidence,
    )
