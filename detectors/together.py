"""Which devices belong together: those of one site, and those of one area, for rules that speak of a group as a whole.

A group is named like a device, with `-` for "all of them": `area/site/-` is a whole site, `area/-/-` a whole area.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import grown
from domain.places import ALL
from domain.readings import Int32, Int64
from domain.slots import SlotTable

Mask = NDArray[np.bool_]


class Groups:
    """Groups by number, in order of appearance of their devices' slots; a function of the slots alone, so it has no state."""

    def __init__(self) -> None:
        self._of: Int32 = np.empty((0, 2), np.int32)
        """Slot → numbers of its area and of its site."""
        self._known = 0
        self._paths: list[str] = []
        self._numbers: dict[str, int] = {}

    def grow(self, slots: SlotTable) -> bool:
        """Learn of the slots that are new; return whether there were any."""
        size = len(slots)
        if size == self._known:
            return False
        self._of = grown(self._of, size)
        for slot in range(self._known, size):
            place = slots.place(slot)
            self._of[slot] = (
                self.number(f"{place.area}/{ALL}/{ALL}"),
                self.number(f"{place.area}/{place.site}/{ALL}"),
            )
        self._known = size
        return True

    def number(self, path: str) -> int:
        """Return the number of a group, a new one if need be."""
        if path not in self._numbers:
            self._numbers[path] = len(self._paths)
            self._paths.append(path)
        return self._numbers[path]

    def path(self, group: int) -> str:
        return self._paths[group]

    def area_of(self, slot: int) -> int:
        return int(self._of[slot, 0])

    def site_of(self, slot: int) -> int:
        return int(self._of[slot, 1])

    def members(self, group: int, among: Mask) -> Mask:
        """Return the mask of those of the chosen slots that belong to a group."""
        mask = among.copy()
        mask[: self._known] &= (self._of[: self._known] == group).any(axis=1)
        return mask

    def sites_in(self, mask: Mask) -> int:
        """Return in how many sites the chosen slots are."""
        return len(np.unique(self._of[np.flatnonzero(mask), 1]))

    def sizes(self, mask: Mask) -> Int64:
        """Return how many of the chosen slots each group has, by its number."""
        return np.bincount(self._of[np.flatnonzero(mask)].ravel(), minlength=len(self._paths))
