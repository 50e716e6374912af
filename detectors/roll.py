"""The roll of registered devices in service: which slot each of them should be heard on, kept up with the registers."""

from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown
from detectors.base import World
from domain.changes import RegisterChange
from domain.places import DevicePath
from registers.device import Device

_SHARED = ("model", "site", "enterprise")


class Move(NamedTuple):
    """A device whose entry, or place, or model may have changed: where it was, and where and what it is now (None: nowhere)."""

    old: int | None
    new: int | None
    device: Device | None


class Roll:
    """The slot of every device in service that has a site. Memory: a byte a slot."""

    def __init__(self) -> None:
        self._enrolled = np.empty(0, np.bool_)

    def update(self, changes: list[RegisterChange], world: World) -> list[Move]:
        """Return what became of each device that the changes touch, in order; slots are taken for those that are new."""
        return [self._move(code, world) for code in _touched(changes, world)]

    def _move(self, code: str, world: World) -> Move:
        device = world.view.device(code)
        path = _path(device, world)
        known = len(self._enrolled)
        old = next((slot for slot in world.slots.named(code) if slot < known and self._enrolled[slot]), None)
        if old is not None:
            self._enrolled[old] = False
        if path is None:
            return Move(old, None, None)
        new = world.slots.take(path)
        self._enrolled = grown(self._enrolled, len(world.slots))
        self._enrolled[new] = True
        return Move(old, new, device)

    def snapshot(self) -> Any:
        """Return the slots as an array; their codes are in the world."""
        return np.flatnonzero(self._enrolled).astype(np.int32)

    def restore(self, state: Any) -> None:
        """Become the state that `snapshot` gave."""
        self._enrolled = np.zeros(int(np.max(state, initial=-1)) + 1, np.bool_)
        self._enrolled[state] = True


def _touched(changes: list[RegisterChange], world: World) -> list[str]:
    """Return the codes of devices that the changes may concern: all of them when a site, model or enterprise changed."""
    if any(change.noun in _SHARED for change in changes):
        every = [device.code for device in world.view.rows(Device)]
        return sorted({*every, *(change.key for change in changes if change.noun == Device.noun)})
    return list(dict.fromkeys(change.key for change in changes if change.noun == Device.noun))


def _path(device: Device | None, world: World) -> str | None:
    """Return where the device should be heard: None when out of service or without a known site."""
    site = world.view.site(device.site) if device is not None and device.in_service else None
    return None if site is None or device is None else str(DevicePath(site.area, site.code, device.code))
