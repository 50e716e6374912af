"""Who has been heard, and when: the online rate on the screen. Alarms about silence are D101's business, not this one's."""

import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import World
from detectors.engine import OURSELVES
from domain.places import DevicePath
from domain.readings import Contacts, Int64
from registers.device import Device

PATIENCE = 2.5
"""A device is online for this many reporting intervals after its last message (domain-facts 1.5)."""
_UNKNOWN_INTERVAL_S = 60
_OURSELVES = f"{OURSELVES}/"  # has a slot, for what the service says of itself, and is no device
Bool = NDArray[np.bool_]


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
        self._known = _Known.of(World(), 0, ())

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
        known = self._look_up(world)
        heard = zip(world.slots.paths(), self._heard(known, now_ms).tolist(), strict=False)
        return {path: is_heard for path, is_heard in heard if not path.startswith(_OURSELVES)}

    def count(self, world: World, now_ms: int) -> DeviceCounts:
        """Return how many devices are in which state."""
        known = self._look_up(world)
        heard = self._heard(known, now_ms)
        online, unknown = np.count_nonzero(heard & known.registered), np.count_nonzero(heard & known.stranger)
        registered = sum(device.in_service for device in world.view.rows(Device))
        return DeviceCounts(registered, int(online), int(unknown))

    def _heard(self, known: "_Known", now_ms: int) -> Bool:
        last = np.zeros(len(known.patience_ms), np.int64)
        heard = self._last[: len(last)]
        last[: len(heard)] = heard
        return (last > 0) & (now_ms - last <= known.patience_ms)

    def _look_up(self, world: World) -> "_Known":
        """Return what the registers say of every slot; asked of them again only when they or the slots have grown."""
        last_id, paths, known = world.view.last_id, world.slots.paths(), self._known
        if known.last_id != last_id:
            known = _Known.of(world, last_id, ())
        if len(known.patience_ms) < len(paths):
            known = known.and_then(_Known.of(world, last_id, paths[len(known.patience_ms) :]))
        self._known = known
        return known


class _Known(NamedTuple):
    """What the registers say, by slot, after their change `last_id`: silence that is no absence, and whose device it is."""

    last_id: int
    patience_ms: Int64
    registered: Bool
    stranger: Bool

    @classmethod
    def of(cls, world: World, last_id: int, paths: Sequence[str]) -> "_Known":
        names = [path.rsplit("/", 1)[1] for path in paths]
        registered = np.array([_is_at(world, path) for path in paths], np.bool_)
        machine = np.array([world.view.machine(name) is not None for name in names], np.bool_)
        patience_ms = np.array([PATIENCE * 1000 * _interval_s(world, name) for name in names], np.int64)
        return cls(last_id, patience_ms, registered, ~registered & ~machine)

    def and_then(self, more: "_Known") -> "_Known":
        return _Known(
            more.last_id,
            np.concatenate([self.patience_ms, more.patience_ms]),
            np.concatenate([self.registered, more.registered]),
            np.concatenate([self.stranger, more.stranger]),
        )


def _is_at(world: World, path: str) -> bool:
    """Return whether a device in service is registered at just this place: one that speaks from elsewhere is a stranger."""
    place = DevicePath(*path.split("/"))
    device = world.view.device(place.device)
    site = world.view.site(device.site) if device is not None and device.in_service else None
    return site is not None and (site.area, site.code) == (place.area, place.site)


def _interval_s(world: World, name: str) -> int:
    device = world.view.device(name)
    if device is not None:
        model = world.view.model(device.model)
        return model.interval_s if model is not None else _UNKNOWN_INTERVAL_S
    machine = world.view.machine(name)
    return machine.interval_s if machine is not None else _UNKNOWN_INTERVAL_S
