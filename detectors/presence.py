"""D101: a registered device that has gone silent, or whose connection broke (its MQTT will says so).

Silence counts from the last message, from the registration, or from our own start, whichever is latest, so a restart of
ours raises no storm. Any message but the will ends it. A welding machine may be switched off: it is watched only from its
`power.on` to its `power.off`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import grown
from detectors.base import Output, World
from detectors.catalogue import CATALOGUE
from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.findings import Action, Finding, Severity
from domain.places import DevicePath
from domain.readings import Int32, Quality, Segment
from registers.device import Device

_RULE = "D101"
_OFFLINE = "status.offline"
_POWER = ("power.on", "power.off")
_UNWATCHED = 2**62
_SHARED = ("model", "site")


class _Event(NamedTuple):
    """A message of a device that needs a closer look: `type` of its signal, or empty."""

    offset: int
    slot: int
    received_ms: int
    type: str


class Silence:
    """Watches every registered device in service. Arrays by slot: 26 bytes a device."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._intervals = parameters.of(_RULE)["intervals"]
        self._heard = np.empty(0, np.int64)
        self._allowed = np.empty(0, np.int64)
        """Longest silence in ms; _UNWATCHED where none matters."""
        self._silent = np.empty(0, np.bool_)
        self._spoke = np.empty(0, np.bool_)
        self._powered: set[int] = set()
        """Slots of welding machines between power.on and power.off."""
        self._slot_of: dict[str, int] | None = {}
        """Watched device's code → slot; None until first needed after a restore."""

    def _grow(self, world: World) -> None:
        size = len(world.slots)
        self._heard = grown(self._heard, size)
        self._allowed = grown(self._allowed, size, fill=_UNWATCHED)
        self._silent, self._spoke = grown(self._silent, size), grown(self._spoke, size)

    def observe(self, segment: Segment, world: World) -> Output:
        self._grow(world)
        findings = []
        contacts = segment.contacts
        live = np.flatnonzero(~contacts.retained)
        special = self._special(segment, contacts.slot[live])
        for event in self._events(segment, live[special]):
            findings += self._look(event, world)
        plain = live[~special]
        self._heard[contacts.slot[plain]] = contacts.received_ms[plain]
        self._spoke[contacts.slot[plain]] = True
        return Output(findings)

    def _events(self, segment: Segment, rows: NDArray[np.intp]) -> list[_Event]:
        """Return those contacts and the live wills, which are no contacts, in journal order."""
        contacts, types = segment.contacts, {s.offset: s.type for s in segment.signals if s.type in _POWER}
        columns = (contacts.offset[rows], contacts.slot[rows], contacts.received_ms[rows])
        events = [_Event(o, s, ms, types.get(o, "")) for o, s, ms in zip(*(c.tolist() for c in columns), strict=True)]
        wills = (s for s in segment.signals if s.type == _OFFLINE and not s.quality & Quality.RETAINED)
        return sorted([*events, *(_Event(s.offset, s.slot, s.received_ms, s.type) for s in wills)])

    def _special(self, segment: Segment, slots: Int32) -> NDArray[np.bool_]:
        """Return the mask of contacts by devices that are silent, or say in this segment that they go or come."""
        marked = self._silent.copy()
        marked[[s.slot for s in segment.signals if s.type in (_OFFLINE, *_POWER)]] = True
        return marked[slots]

    def _look(self, event: _Event, world: World) -> list[Finding]:
        slot = event.slot
        if event.type == _OFFLINE:
            return self._raise(event.offset, slot, event.received_ms, "will", world)
        silent_s = (event.received_ms - self._heard[slot]) // 1000
        self._heard[slot] = event.received_ms
        self._spoke[slot] = True
        found = self._clear(
            event.offset, slot, event.received_ms, {"reason": "heard", "silent_s": int(silent_s)}, world
        )
        if event.type in _POWER:
            self._power(slot, event.type, world)
        return found

    def _power(self, slot: int, kind: str, world: World) -> None:
        machine = world.view.machine(world.slots.place(slot).device)
        if machine is not None:
            on = kind == "power.on" and machine.in_service
            self._allowed[slot] = self._patience(machine.interval_s) if on else _UNWATCHED
            (self._powered.add if on else self._powered.discard)(slot)

    def _patience(self, interval_s: int) -> int:
        return int(self._intervals * interval_s * 1000)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        self._grow(world)
        overdue = np.flatnonzero((now_ms - self._heard > self._allowed) & ~self._silent)
        return Output([f for slot in overdue.tolist() for f in self._raise(offset, slot, now_ms, "silent", world)])

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        self._grow(world)
        np.maximum(self._heard, now_ms, out=self._heard)
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        self._grow(world)
        findings = []
        for code in _touched(changes, world):
            findings += self._rewatch(offset, now_ms, code, world)
        if any(change.noun == "machine" for change in changes):
            gone = [
                slot for slot in sorted(self._powered) if world.view.machine(world.slots.place(slot).device) is None
            ]
            findings += [f for slot in gone for f in self._unwatch(offset, slot, now_ms, world)]
        return Output(findings)

    def _rewatch(self, offset: int, now_ms: int, code: str, world: World) -> list[Finding]:
        """Make the watch of one device what the registers now say."""
        watched = self._watched(world)
        device = world.view.device(code)
        path = _path(device, world)
        old, new = watched.pop(code, None), world.slots.take(path) if path is not None else None
        found = self._unwatch(offset, old, now_ms, world) if old is not None and old != new else []
        if new is not None and device is not None:
            watched[code] = new
            self._grow(world)
            if self._allowed[new] == _UNWATCHED:
                self._heard[new] = max(int(self._heard[new]), now_ms)
            model = world.view.model(device.model)
            self._allowed[new] = self._patience(model.interval_s) if model is not None else _UNWATCHED
        return found

    def _unwatch(self, offset: int, slot: int, now_ms: int, world: World) -> list[Finding]:
        self._allowed[slot] = _UNWATCHED
        self._powered.discard(slot)
        return self._clear(offset, slot, now_ms, {"reason": "withdrawn"}, world)

    def _watched(self, world: World) -> dict[str, int]:
        if self._slot_of is None:
            slots = [s for s in np.flatnonzero(self._allowed < _UNWATCHED).tolist() if s not in self._powered]
            self._slot_of = {world.slots.place(slot).device: slot for slot in slots}
        return self._slot_of

    def _raise(self, offset: int, slot: int, now_ms: int, reason: str, world: World) -> list[Finding]:
        if self._silent[slot] or self._allowed[slot] == _UNWATCHED:
            return []
        self._silent[slot] = True
        evidence = {
            "reason": reason,
            "silent_s": (now_ms - int(self._heard[slot])) // 1000,
            "allowed_s": int(self._allowed[slot]) // 1000,
            "ever_heard": bool(self._spoke[slot]),
        }
        return [_finding(offset, slot, now_ms, Action.RAISE, evidence, world)]

    def _clear(self, offset: int, slot: int, now_ms: int, evidence: dict[str, Any], world: World) -> list[Finding]:
        if not self._silent[slot]:
            return []
        self._silent[slot] = False
        return [_finding(offset, slot, now_ms, Action.CLEAR, evidence, world)]

    def snapshot(self) -> dict[str, Any]:
        arrays = {name: getattr(self, f"_{name}").copy() for name in _ARRAYS}
        return {**arrays, "powered": sorted(self._powered)}

    def restore(self, state: dict[str, Any]) -> None:
        for name in _ARRAYS:
            setattr(self, f"_{name}", np.array(state[name]))
        self._powered = set(state["powered"])
        self._slot_of = None


_ARRAYS = ("heard", "allowed", "silent", "spoke")


def _touched(changes: list[RegisterChange], world: World) -> list[str]:
    """Return the codes of devices whose watch the changes may alter: all of them when a site or model changed."""
    if any(change.noun in _SHARED for change in changes):
        every = [device.code for device in world.view.rows(Device)]
        return sorted({*every, *(change.key for change in changes if change.noun == Device.noun)})
    return [change.key for change in changes if change.noun == Device.noun]


def _path(device: Device | None, world: World) -> str | None:
    """Return where the device should be heard: None when out of service or without a known site."""
    site = world.view.site(device.site) if device is not None and device.in_service else None
    return None if site is None or device is None else str(DevicePath(site.area, site.code, device.code))


def _finding(offset: int, slot: int, now_ms: int, action: Action, evidence: dict[str, Any], world: World) -> Finding:
    site = world.view.site(world.slots.place(slot).site)
    grave = site is not None and site.risk.is_high
    return Finding(
        offset=offset,
        rule=_RULE,
        device=world.slots.path(slot),
        action=action,
        severity=Severity.HIGH if grave else CATALOGUE[_RULE].severity,
        at_ms=now_ms,
        event_ms=now_ms,
        evidence=evidence,
    )
