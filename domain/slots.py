"""Small dense integers for device paths, so that detectors keep their state in arrays indexed by slot.

Slots are given in order of first appearance in the journal, so a replay gives the same ones.
"""

from collections.abc import Sequence

from domain.places import DevicePath


class SlotTable:
    """Path ⇄ slot, append-only. `find` and `take` accept the path written `area/site/device`, already validated."""

    def __init__(self, paths: Sequence[str] = ()) -> None:
        self._paths: list[str] = []
        self._slots: dict[str, int] = {}
        for path in paths:
            self.take(path)

    def __len__(self) -> int:
        return len(self._paths)

    def find(self, path: str) -> int | None:
        return self._slots.get(path)

    def take(self, path: str) -> int:
        slot = self._slots.get(path)
        if slot is None:
            slot = self._slots[path] = len(self._paths)
            self._paths.append(path)
        return slot

    def path(self, slot: int) -> str:
        return self._paths[slot]

    def device(self, slot: int) -> str:
        """Return the last level of the path: the device's name."""
        return self._paths[slot].rpartition("/")[2]

    def place(self, slot: int) -> DevicePath:
        return DevicePath(*self._paths[slot].split("/"))

    def paths(self) -> tuple[str, ...]:
        return tuple(self._paths)
