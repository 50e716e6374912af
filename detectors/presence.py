"""D101: a registered device that has gone silent, or whose connection broke (its MQTT will says so).

Silence counts from the last message, from the registration, or from our own start, whichever is latest, so a restart of
ours raises no storm. Any message but the will ends it. A welding machine may be switched off: it is watched only from its
`power.on` to its `power.off`. When nearly all devices of a site or area fall silent together, one alarm says so and stands
for theirs (`outages.py`).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import Output, World
from detectors.outages import UNWATCHED, Outages, Watch
from detectors.parameters import Parameters
from detectors.roll import Move, Roll
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.readings import Int32, Quality, Segment

_RULE = "D101"
_OFFLINE = "status.offline"
_POWER = ("power.on", "power.off")


class _Event(NamedTuple):
    """A message of a device that needs a closer look: `type` of its signal, or empty."""

    offset: int
    slot: int
    received_ms: int
    type: str


class Silence:
    """Watches every registered device in service. Arrays by slot: 35 bytes a device."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        values = parameters.of(_RULE)
        self._intervals = values["intervals"]
        self._watch = Watch()
        self._outages = Outages(self._watch, values)
        self._powered: set[int] = set()
        """Slots of welding machines between power.on and power.off."""
        self._roll = Roll()

    def observe(self, segment: Segment, world: World) -> Output:
        self._outages.grow(world.slots)
        findings = []
        contacts = segment.contacts
        live = np.flatnonzero(~contacts.retained)
        special = self._special(segment, contacts.slot[live], world)
        for event in self._events(segment, live[special]):
            findings += self._look(event, world)
        plain = live[~special]
        self._watch.heard[contacts.slot[plain]] = contacts.received_ms[plain]
        self._watch.spoke[contacts.slot[plain]] = True
        return Output(findings)

    def _events(self, segment: Segment, rows: NDArray[np.intp]) -> list[_Event]:
        """Return those contacts and the live wills, which are no contacts, in journal order."""
        contacts, types = segment.contacts, {s.offset: s.type for s in segment.signals if s.type in _POWER}
        columns = (contacts.offset[rows], contacts.slot[rows], contacts.received_ms[rows])
        events = [_Event(o, s, ms, types.get(o, "")) for o, s, ms in zip(*(c.tolist() for c in columns), strict=True)]
        wills = (s for s in segment.signals if s.type == _OFFLINE and not s.quality & Quality.RETAINED)
        return sorted([*events, *(_Event(s.offset, s.slot, s.received_ms, s.type) for s in wills)])

    def _special(self, segment: Segment, slots: Int32, world: World) -> NDArray[np.bool_]:
        """Return the mask of contacts by devices that are silent, or say in this segment that they go or come."""
        turning = [s.slot for s in segment.signals if s.type in (_OFFLINE, *_POWER)]
        return self._watch.silent[slots] | world.among(slots, turning)

    def _look(self, event: _Event, world: World) -> list[Finding]:
        watch, slot, now_ms = self._watch, event.slot, event.received_ms
        if event.type == _OFFLINE:
            return self._outages.broken(event.offset, slot, now_ms, world)
        silent_s = (now_ms - int(watch.heard[slot])) // 1000
        watch.heard[slot] = now_ms
        watch.spoke[slot] = True
        found = self._outages.back(event.offset, slot, now_ms, {"reason": "heard", "silent_s": silent_s}, world)
        if event.type in _POWER:
            self._power(slot, event.type, world)
        return found

    def _power(self, slot: int, kind: str, world: World) -> None:
        machine = world.view.machine(world.slots.place(slot).device)
        if machine is not None:
            on = kind == "power.on" and machine.in_service
            self._watch.allowed[slot] = self._patience(machine.interval_s) if on else UNWATCHED
            (self._powered.add if on else self._powered.discard)(slot)

    def _patience(self, interval_s: int) -> int:
        return int(self._intervals * interval_s * 1000)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        self._outages.grow(world.slots)
        return Output(self._outages.tick(offset, now_ms, world))

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        self._outages.grow(world.slots)
        np.maximum(self._watch.heard, now_ms, out=self._watch.heard)
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        moves = self._roll.update(changes, world)
        self._outages.grow(world.slots)
        findings = [f for move in moves for f in self._rewatch(offset, now_ms, move, world)]
        if any(change.noun == "machine" for change in changes):
            gone = [
                slot for slot in sorted(self._powered) if world.view.machine(world.slots.place(slot).device) is None
            ]
            findings += [f for slot in gone for f in self._unwatch(offset, slot, now_ms, world)]
        return Output(findings)

    def _rewatch(self, offset: int, now_ms: int, move: Move, world: World) -> list[Finding]:
        """Make the watch of one device what the registers now say."""
        old, new, device = move
        found = self._unwatch(offset, old, now_ms, world) if old is not None and old != new else []
        if new is not None and device is not None:
            watch = self._watch
            if watch.allowed[new] == UNWATCHED:
                watch.heard[new] = max(int(watch.heard[new]), now_ms)
            model = world.view.model(device.model)
            watch.allowed[new] = self._patience(model.interval_s) if model is not None else UNWATCHED
            self._outages.group(new, member=True)
        return found

    def _unwatch(self, offset: int, slot: int, now_ms: int, world: World) -> list[Finding]:
        self._watch.allowed[slot] = UNWATCHED
        self._outages.group(slot, member=False)
        self._powered.discard(slot)
        return self._outages.back(offset, slot, now_ms, {"reason": "withdrawn"}, world)

    def snapshot(self) -> dict[str, Any]:
        return {
            "watch": self._watch.snapshot(),
            "outages": self._outages.snapshot(),
            "powered": sorted(self._powered),
            "roll": self._roll.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._watch.restore(state["watch"])
        self._outages.restore(state["outages"])
        self._powered = set(state["powered"])
        self._roll.restore(state["roll"])
