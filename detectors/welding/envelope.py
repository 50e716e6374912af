"""What an arc looks like at each machine: the load line of its process, kept as arrays by slot and read from the registers.

Conventional load voltage by GB/T 15579.1 (IEC 60974-1): MMA U = 20 + 0.04 I, TIG 10 + 0.04 I, MIG/MAG 14 + 0.05 I. Real arcs
lie around it (steel 20-35 V); above them lies the open-circuit voltage, below them the electrode's short circuit.
"""

from typing import NamedTuple

import numpy as np

from detectors.arrays import grown
from detectors.base import World
from domain.changes import RegisterChange
from domain.readings import Float64, Int32, Int64
from registers.device import DeviceKind
from registers.machine import Process

NO_MACHINE = 0
SECONDARY = 1
MAINS = 2

OUT = 0
"""Not an arc."""
HOLD = 1
"""Enough to keep an arc, too little to begin one: hysteresis."""
STRIKE = 2
"""Enough to begin one."""

_SHORT_V = 12.0
"""Below this an electrode sticks or strikes (domain-facts 3.4), unless the process's own line lies lower."""
_OPEN_V = 45.0
"""Above this no arc burns: open circuit begins (domain-facts 3.4)."""
_SAG_V = 4.0
"""How far a short arc lies under its load line; ours."""
_HOLD = 0.75
"""Share of the current that begins an arc which still keeps it: 15 A of 20 A."""
_RESISTANCE_A = 500.0
"""Spot welding draws kiloamperes at a few volts; unverified."""
_SLOW_FACTOR = 1.5
"""A machine that reports rarely is given this many of its intervals before its arc counts as ended; ours."""


class LoadLine(NamedTuple):
    """U = `base_v` + `slope` · I; `least_a`: the current below which there is no weld, None for the rule's parameter."""

    base_v: float
    slope: float
    least_a: float | None = None


LOAD_LINES: dict[Process, LoadLine] = {
    Process.MMA: LoadLine(20.0, 0.04),
    Process.TIG: LoadLine(10.0, 0.04),
    Process.MAG: LoadLine(14.0, 0.05),
    Process.RESISTANCE: LoadLine(_SAG_V + 0.5, 0.0, _RESISTANCE_A),
}
UNKNOWN = LOAD_LINES[Process.TIG]
"""The lowest line, so that the union of all arcs lies above it: unknown machines, and gas sets that show current."""


class Envelopes:
    """Arrays by slot. Call `refresh` before use; `forget` when registers changed."""

    def __init__(self, arc_a: float, off_delay_s: float) -> None:
        self._arc_a = arc_a
        self._off_delay_s = off_delay_s
        self._known = 0
        self.kind = np.empty(0, np.int8)
        self.patience_ms = np.empty(0, np.int64)
        self._line = np.empty((0, 3), np.float64)

    def forget(self, changes: list[RegisterChange], world: World) -> None:
        """Read anew what these changes concern."""
        slots = world.touched(changes)
        if slots is None:
            self.forget_all()
        for slot in slots or ():
            if slot < self._known:
                self._read(world, slot)

    def forget_all(self) -> None:
        """Read everything anew at the next `refresh`."""
        self._known = 0

    def refresh(self, world: World) -> None:
        """Learn the slots not known yet."""
        known, self._known = self._known, len(world.slots)
        self.kind, self._line = grown(self.kind, self._known), grown(self._line, self._known)
        self.patience_ms = grown(self.patience_ms, self._known)
        for slot in range(known, self._known):
            self._read(world, slot)

    def _read(self, world: World, slot: int) -> None:
        """Take what the registers say of one slot."""
        name = world.slots.place(slot).device
        machine = world.view.machine(name)
        line = UNKNOWN if machine is None else LOAD_LINES.get(machine.process, UNKNOWN)
        interval_s = 0 if machine is None else machine.interval_s
        self.patience_ms[slot] = int(1000 * max(self._off_delay_s, _SLOW_FACTOR * interval_s))
        least_a = self._arc_a if line.least_a is None else line.least_a
        self.kind[slot], self._line[slot] = _kind(world, name), (line.base_v, line.slope, least_a)

    def levels(self, slot: Int32, current: Float64, voltage: Float64) -> Int64:
        """Return OUT, HOLD or STRIKE of each pair of secondary current (A) and voltage (V); all of shape (n,)."""
        base, slope, least = self._line[slot].T
        lowest = np.minimum(_SHORT_V, base + slope * current - _SAG_V)
        inside = (voltage >= lowest) & (voltage <= _OPEN_V)
        levels: Int64 = inside * ((current >= _HOLD * least).astype(np.int64) + (current >= least))
        return levels


def _kind(world: World, name: str) -> int:
    """Return what a device's current says; one in the register of devices that does not weld says nothing."""
    machine = world.view.machine(name)
    if machine is not None:
        return MAINS if machine.measures == "mains" else SECONDARY
    device = world.view.device(name)
    model = world.view.model(device.model) if device is not None else None
    welds = device is None or (model is not None and model.kind is DeviceKind.WELDING)
    return SECONDARY if welds else NO_MACHINE
