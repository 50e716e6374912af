"""Small dense integers for device paths, so that detectors keep their state in arrays indexed by slot.

Slots are given in order of first appearance in the journal, so a replay gives the same ones.
"""

import sys
from collections.abc import Sequence

from domain.places import DevicePath


class SlotTable:
    """Path ⇄ slot, append-only. `find` and `take` accept the path written `area/site/device`, already validated."""

    def __init__(self, paths: Sequence[str] = ()) -> None:
        self._paths: list[str] = []
        self._named: dict[str, tuple[int, ...] | int] = {}
        """By name; nearly every name speaks from one place only."""
        for path in paths:
            self.take(path)

    def __len__(self) -> int:
        return len(self._paths)

    def find(self, path: str) -> int | None:
        return next((slot for slot in self.named(_name(path)) if self._paths[slot] == path), None)

    def named(self, device: str) -> tuple[int, ...]:
        """Return the slots of all places from which a device of this name was ever heard or expected."""
        slots = self._named.get(device, ())
        return (slots,) if isinstance(slots, int) else slots

    def take(self, path: str) -> int:
        slot = self.find(path)
        if slot is None:
            slot, name = len(self._paths), sys.intern(_name(path))
            self._paths.append(path)
            known = self.named(name)
            self._named[name] = (*known, slot) if known else slot
        return slot

    def path(self, slot: int) -> str:
        return self._paths[slot]

    def device(self, slot: int) -> str:
        """Return the last level of the path: the device's name."""
        return _name(self._paths[slot])

    def place(self, slot: int) -> DevicePath:
        return DevicePath(*self._paths[slot].split("/"))

    def paths(self) -> tuple[str, ...]:
        return tuple(self._paths)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
