"""The electric load of enterprises by quarter hours, all their meters together: from power, else from energy counters.

A quarter is closed by the first record after it, so nothing depends on how the journal is cut.
"""

from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown
from detectors.base import World
from detectors.roll import Move, Roll
from detectors.weeks import quarter_of
from domain.changes import RegisterChange
from domain.measurands import INDEX
from domain.readings import NOT_LIVE, Float64, Int32, Readings, Segment
from registers.device import DeviceKind

_POWER, _ENERGY = INDEX["power_kw"], INDEX["energy_kwh"]
_METERS = ("power_kw", "energy_kwh")
_HOURS = 0.25


class Loads(NamedTuple):
    """One closed quarter hour: its number, and by enterprise the load in kW, meters that reported, and meters there are."""

    quarter: int
    kw: Float64
    reporting: Float64
    meters: Float64


class Meters:
    """Registered meters with an enterprise. Memory: 36 bytes a slot."""

    def __init__(self) -> None:
        self.enterprises: list[str] = []
        """Codes, in order of appearance."""
        self.quarter = 0
        """The open one."""
        self._roll = Roll()
        self._owner: Int32 = np.empty(0, np.int32)
        self._sum, self._count = np.empty(0), np.empty(0)
        self._before, self._energy = np.empty(0), np.empty(0)
        """Energy counters at the end of the last quarter, and now; NaN while unknown."""

    def register(self, changes: list[RegisterChange], world: World) -> None:
        """Follow the registers: which slot is a meter, and whose."""
        moves = self._roll.update(changes, world)
        self._grow(len(world.slots))
        for move in moves:
            if move.old is not None:
                self._owner[move.old] = -1
            if move.new is not None:
                self._owner[move.new] = self._number(move, world)

    def _number(self, move: Move, world: World) -> int:
        model = world.view.model(move.device.model) if move.device else None
        site = world.view.site(move.device.site) if move.device else None
        if model is None or site is None or site.enterprise is None:
            return -1
        if model.kind is not DeviceKind.ELECTRIC or model.measurand not in _METERS:
            return -1
        if site.enterprise not in self.enterprises:
            self.enterprises.append(site.enterprise)
        return self.enterprises.index(site.enterprise)

    def _grow(self, size: int) -> None:
        self._owner = grown(self._owner, size, fill=-1)
        self._sum, self._count = grown(self._sum, size), grown(self._count, size)
        self._before, self._energy = grown(self._before, size, np.nan), grown(self._energy, size, np.nan)

    def live(self, segment: Segment, slots: int) -> Readings:
        """Return the live readings of meters."""
        readings = segment.of((_POWER, _ENERGY), NOT_LIVE)
        if not len(readings):
            return readings
        self._grow(slots)
        return readings.take(self._owner[readings.slot] >= 0)

    def add(self, readings: Readings) -> None:
        """Take readings of the open quarter, in order."""
        power = readings.measurand == _POWER
        np.add.at(self._sum, readings.slot[power], readings.value[power])
        np.add.at(self._count, readings.slot[power], 1.0)
        self._energy[readings.slot[~power]] = readings.value[~power]

    def close(self, now_ms: int) -> Loads:
        """End the open quarter, begin the one of `now_ms`, and return the loads."""
        kw = self._kw()
        closed, self.quarter = self.quarter, quarter_of(now_ms)
        self._before = self._energy.copy() if self.quarter == closed + 1 else np.full_like(self._energy, np.nan)
        self._sum[:] = self._count[:] = 0.0
        size, owned = len(self.enterprises), np.flatnonzero(self._owner >= 0)
        known = owned[~np.isnan(kw[owned])]
        return Loads(
            closed,
            np.bincount(self._owner[known], kw[known], size).astype(float),
            np.bincount(self._owner[known], minlength=size).astype(float),
            np.bincount(self._owner[owned], minlength=size).astype(float),
        )

    def _kw(self) -> Float64:
        """Return the mean load of each meter in the open quarter; NaN where nothing is known."""
        used = self._energy - self._before
        by_energy = np.where(used >= 0, used / _HOURS, np.nan)
        kw: Float64 = np.where(self._count > 0, self._sum / np.maximum(self._count, 1.0), by_energy)
        return kw

    def paths(self, enterprise: int, world: World) -> list[str]:
        """Return the paths of an enterprise's meters in order."""
        return sorted(world.slots.path(slot) for slot in np.flatnonzero(self._owner == enterprise).tolist())

    def snapshot(self) -> dict[str, Any]:
        arrays = {name: getattr(self, f"_{name}").copy() for name in _ARRAYS}
        return {
            **arrays,
            "enterprises": list(self.enterprises),
            "quarter": self.quarter,
            "roll": self._roll.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        for name in _ARRAYS:
            setattr(self, f"_{name}", np.array(state[name]))
        self.enterprises, self.quarter = list(state["enterprises"]), state["quarter"]
        self._roll.restore(state["roll"])


_ARRAYS = ("owner", "sum", "count", "before", "energy")
