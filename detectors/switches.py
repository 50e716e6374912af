"""Quantities that are on or off (a fan, a machine): readings that turn one, and which devices stand beside each other."""

from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown
from detectors.base import World
from domain.measurands import COUNT
from domain.readings import NOT_LIVE, Segment
from domain.slots import SlotTable

_UNKNOWN = -1


class Turn(NamedTuple):
    """A reading of a device whose switch is, or in this segment becomes, another than before."""

    offset: int
    slot: int
    measurand: int
    value: float
    event_ms: int
    received_ms: int

    @property
    def on(self) -> bool:
        return self.value > 0


class Switches:
    """One byte a slot and switch; only devices that ever reported one are remembered by site."""

    def __init__(self, measurands: tuple[int, ...]) -> None:
        self._watched = measurands
        self._lane = np.full(COUNT, -1, np.int8)
        self._lane[list(measurands)] = range(len(measurands))
        self._state = np.empty((0, len(measurands)), np.int8)
        self._sites: dict[str, set[int]] | None = {}

    def turns(self, segment: Segment, world: World) -> list[Turn]:
        """Return, in order, the live readings of switches of devices of which one turns in this segment."""
        readings = segment.of(self._watched, NOT_LIVE)
        if not len(readings):
            return []
        self._state = grown(self._state, len(world.slots), fill=_UNKNOWN)
        changed = self._state[readings.slot, self._lane[readings.measurand]] != (readings.value > 0)
        chosen = readings.take(world.among(readings.slot, readings.slot[changed].tolist()))
        columns = (getattr(chosen, name).tolist() for name in Turn._fields)
        return [Turn(*row) for row in zip(*columns, strict=True)]

    def take(self, turn: Turn, slots: SlotTable) -> None:
        """Remember what a switch is now."""
        self._state[turn.slot, self._lane[turn.measurand]] = turn.on
        self._by_site(slots).setdefault(_site(slots, turn.slot), set()).add(turn.slot)

    def forget(self, slot: int) -> None:
        """Know nothing of a device that leaves: what it said last is not so for ever."""
        if slot < len(self._state):
            self._state[slot] = _UNKNOWN
            self._sites = None

    def state(self, slot: int, measurand: int) -> bool | None:
        """Return whether a switch is on; None when the device never said."""
        if slot >= len(self._state) or self._state[slot, self._lane[measurand]] == _UNKNOWN:
            return None
        return bool(self._state[slot, self._lane[measurand]])

    def beside(self, slot: int, slots: SlotTable) -> list[int]:
        """Return the devices of the site that ever reported a switch, this one among them."""
        return sorted(self._by_site(slots).get(_site(slots, slot), ()))

    def _by_site(self, slots: SlotTable) -> dict[str, set[int]]:
        if self._sites is None:
            self._sites = {}
            for slot in np.flatnonzero((self._state != _UNKNOWN).any(axis=1)).tolist():
                self._sites.setdefault(_site(slots, slot), set()).add(slot)
        return self._sites

    def snapshot(self) -> Any:
        return self._state.copy()

    def restore(self, state: Any) -> None:
        self._state, self._sites = np.array(state), None


def _site(slots: SlotTable, slot: int) -> str:
    return slots.path(slot).rpartition("/")[0]
