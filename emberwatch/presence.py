"""Who has been heard, and when: the online rate on the screen. Alarms about silence are D101's business, not this one's."""

import threading
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from detectors.base import World
from domain.readings import Contacts, Int64
from registers.device import Device

PATIENCE = 2.5
"""A device is online for this many reporting intervals after its last message (domain-facts 1.5)."""
_UNKNOWN_INTERVAL_S = 60


class DeviceCounts(NamedTuple):
    """Registered detectors by state, and devices heard lately that are in no register."""

    registered: int
    online: int
    unknown: int


class Presence:
    """Last contact by slot; written by the pipeline's thread, read by others."""

    def __init__(self) -> None:
        self._last: Int64 = np.zeros(1024, np.int64)
        self._lock = threading.Lock()

    def take(self, contacts: Contacts) -> None:
        """Take in who spoke; retained messages are not speech."""
        fresh = ~contacts.retained
        if not fresh.any():
            return
        slots = contacts.slot[fresh]
        with self._lock:
            top = int(slots.max()) + 1
            if top > len(self._last):
                self._last = np.concatenate([self._last, np.zeros(max(top, len(self._last)), np.int64)])
            np.maximum.at(self._last, slots, contacts.received_ms[fresh])

    def heard_ms(self, slot: int) -> int:
        """Return when the slot was last heard (0: never)."""
        return int(self._last[slot]) if slot < len(self._last) else 0

    def online(self, world: World, now_ms: int) -> Mapping[str, bool]:
        """Return path → whether it was heard in time, for every device ever heard or registered."""
        states = {}
        for slot, path in enumerate(world.slots.paths()):
            states[path] = now_ms - self.heard_ms(slot) <= PATIENCE * 1000 * _interval_s(world, path)
        return states

    def count(self, world: World, now_ms: int) -> DeviceCounts:
        """Return how many devices are in which state."""
        online = unknown = 0
        for path, heard in self.online(world, now_ms).items():
            name = path.rsplit("/", 1)[1]
            if world.view.device(name) is not None:
                online += heard
            elif world.view.machine(name) is None:
                unknown += heard
        return DeviceCounts(len(world.view.rows(Device)), online, unknown)


def _interval_s(world: World, path: str) -> int:
    name = path.rsplit("/", 1)[1]
    device = world.view.device(name)
    if device is not None:
        model = world.view.model(device.model)
        return model.interval_s if model is not None else _UNKNOWN_INTERVAL_S
    machine = world.view.machine(name)
    return machine.interval_s if machine is not None else _UNKNOWN_INTERVAL_S
