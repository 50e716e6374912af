"""Who is welding, electrically: an arc is read from current and voltage together, never from current alone.

An arc begins with one reading inside the envelope of the machine's process (idle at open-circuit voltage and the short
circuit of a strike lie outside), or with fainter ones for ten seconds, and ends after a delay without one, so that the
pauses between electrodes (20-60 s) stay within one job. Boxes that see the supply current only are judged against the
machine's own idle current. A pair of values repeated to the last digit is a stuck sensor, not an arc.
"""

from dataclasses import astuple, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import World
from detectors.welding.envelope import HOLD, MAINS, NO_MACHINE, OUT, SECONDARY, STRIKE, Envelopes
from domain.measurands import INDEX
from domain.readings import Float64, Int64, Quality, Readings, Segment

_CURRENT = INDEX["current_a"]
_VOLTAGE = INDEX["voltage_v"]

# Supply current of a single-phase inverter (domain-facts 3.4, unverified): idle 0.2-2 A, welding 10-45 A.
_IDLE_LOW_A = 0.2
_IDLE_HIGH_A = 2.0
_MAINS_A = 4.0
_ON_TIMES_IDLE = 3.0
_OFF_TIMES_IDLE = 2.0
_MAINS_MS = 1000
"""An inrush is shorter."""
_FAINT_MS = 10_000
"""Current too small to begin an arc (HOLD) has begun one when it has burned for so long; ours."""


class Sample(NamedTuple):
    """One moment of one machine; `voltage` is 0 where only the supply current is measured, `level` as in envelope.py."""

    offset: int
    slot: int
    current: float
    voltage: float
    event_ms: int
    received_ms: int
    late: bool
    level: int
    mains: bool


@dataclass(slots=True)
class Arc:
    """An arc job by its last arcing reading: record, time (ours, or the device's if it came late), and values.

    `expires_from_ms`: our time from which the off-delay runs.
    """

    offset: int
    at_ms: int
    expires_from_ms: int
    late: bool
    current: float
    voltage: float
    mains: bool

    def evidence(self) -> dict[str, Any]:
        if self.mains:
            return {"supply_current_a": round(self.current, 1)}
        return {"current_a": round(self.current, 1), "voltage_v": round(self.voltage, 1)}


class Run(NamedTuple):
    """Arcing readings without a break: the last values, how often they came unchanged, the device's time of the first."""

    current: float
    voltage: float
    repeats: int
    since_ms: int


class Arcs:
    """Which machines weld: `burning` by slot; `ended`: arcs that ended, until somebody takes them from there.

    Memory is bounded by the number of machines.
    """

    def __init__(self, envelopes: Envelopes, frozen_readings: int) -> None:
        self.burning: dict[int, Arc] = {}
        self.ended: dict[int, Arc] = {}
        self._envelopes = envelopes
        self._frozen = frozen_readings
        self._runs: dict[int, Run] = {}
        self._idle: dict[int, float] = {}

    def samples(self, segment: Segment, world: World) -> list[Sample]:
        """Return, in journal order, every sample of the machines that weld or may begin to; no other changes anything."""
        kind, readings = self._envelopes.kind, segment.of((_CURRENT, _VOLTAGE), int(Quality.RETAINED))
        electric = readings.take(kind[readings.slot] != NO_MACHINE)
        if not len(electric):
            return []
        rows, voltage = _moments(electric, kind)
        table = electric.take(rows)
        mains = kind[table.slot] == MAINS
        level = self._envelopes.levels(table.slot, table.value, voltage)
        hot = [*self.burning, *self._runs, *table.slot[mains | (level != OUT)].tolist()]
        chosen = world.among(table.slot, hot)
        late = table.quality & int(Quality.LATE) != 0
        columns = (table.offset, table.slot, table.value, voltage, table.event_ms, table.received_ms, late)
        return [Sample(*row) for row in zip(*(c[chosen].tolist() for c in (*columns, level, mains)), strict=True)]

    def take(self, sample: Sample) -> bool:
        """Take in one sample; tell whether the arc began, ended, or after late data was seen live."""
        level = self._level(sample)
        arc = self.burning.get(sample.slot)
        if arc is None:
            if level == STRIKE:
                self.burning[sample.slot] = _arc(sample)
            return level == STRIKE
        if level == OUT:
            return self._expire(sample.slot, sample.received_ms)
        if sample.late and not arc.late:
            return False
        self.burning[sample.slot] = _arc(sample)
        return arc.late and not sample.late

    def _level(self, sample: Sample) -> int:
        """Return what a sample amounts to in its run: OUT for a stuck sensor, and for what has not lasted long enough."""
        slot = sample.slot
        level = self._mains_level(sample) if sample.mains else sample.level
        burning = slot in self.burning
        if level == OUT or (level == HOLD and sample.mains and not burning):
            self._runs.pop(slot, None)
            return OUT
        run = _extended(self._runs.get(slot), sample)
        self._runs[slot] = run
        if run.repeats >= self._frozen:
            return OUT
        if burning:
            return level
        least_ms = _MAINS_MS if sample.mains else 0 if level == STRIKE else _FAINT_MS
        return STRIKE if sample.event_ms - run.since_ms >= least_ms else OUT

    def _mains_level(self, sample: Sample) -> int:
        """Compare the supply current with the machine's own idle current, which follows its readings below 2 A."""
        amperes = sample.current
        if amperes <= _IDLE_HIGH_A:
            self._idle[sample.slot] = max(amperes, _IDLE_LOW_A)
            return OUT
        idle = self._idle.get(sample.slot, _IDLE_LOW_A)
        if amperes > max(_MAINS_A, _ON_TIMES_IDLE * idle):
            return STRIKE
        return OUT if amperes < _OFF_TIMES_IDLE * idle else HOLD

    def _expire(self, slot: int, now_ms: int) -> bool:
        over = now_ms - self.burning[slot].expires_from_ms >= self._envelopes.patience_ms[slot]
        return bool(over) and self.end(slot)

    def end(self, slot: int) -> bool:
        """End the machine's arc at once (it lost its power); tell whether there was one.

        The run of a stuck sensor is kept: it must not look like a new arc.
        """
        run = self._runs.get(slot)
        if run is not None and run.repeats < self._frozen:
            del self._runs[slot]
        arc = self.burning.pop(slot, None)
        if arc is not None:
            self.ended[slot] = arc
        return arc is not None

    def tick(self, now_ms: int) -> list[int]:
        """End the arcs not seen for longer than the off-delay; return their slots."""
        return [slot for slot in sorted(self.burning) if self._expire(slot, now_ms)]

    def forgive(self, now_ms: int) -> None:
        """Count no silence before `now_ms`: it was ours."""
        for arc in self.burning.values():
            arc.expires_from_ms = max(arc.expires_from_ms, now_ms)

    def snapshot(self) -> dict[str, Any]:
        return {
            "burning": [[slot, *astuple(arc)] for slot, arc in self.burning.items()],
            "runs": [[slot, *run] for slot, run in self._runs.items()],
            "idle": [[slot, idle] for slot, idle in self._idle.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.burning = {slot: Arc(*fields) for slot, *fields in state["burning"]}
        self._runs = {slot: Run(*fields) for slot, *fields in state["runs"]}
        self._idle = dict(state["idle"])


def _arc(sample: Sample) -> Arc:
    at_ms = sample.event_ms if sample.late else sample.received_ms
    return Arc(sample.offset, at_ms, sample.received_ms, sample.late, sample.current, sample.voltage, sample.mains)


def _extended(run: Run | None, sample: Sample) -> Run:
    """Return the run with one more sample in it."""
    if run is None:
        return Run(sample.current, sample.voltage, 1, sample.event_ms)
    same = (run.current, run.voltage) == (sample.current, sample.voltage)
    return Run(sample.current, sample.voltage, run.repeats + 1 if same else 1, run.since_ms)


def _moments(electric: Readings, kind: NDArray[np.int8]) -> tuple[Int64, Float64]:
    """Return the rows of current to judge, ascending, and the voltage that belongs to each (0 for supply currents).

    A secondary current without its voltage proves nothing.
    """
    supply = (electric.measurand == _CURRENT) & (kind[electric.slot] == MAINS)
    first = np.flatnonzero(pair_starts(electric) & (kind[electric.slot] == SECONDARY))
    leads = electric.measurand[first] == _CURRENT
    voltage = np.zeros(len(electric))
    voltage[first + ~leads] = electric.value[first + leads]
    rows = np.flatnonzero(supply)
    rows = np.sort(np.concatenate([rows, first + ~leads]))
    return rows, voltage[rows]


def pair_starts(readings: Readings) -> NDArray[np.bool_]:
    """Return the mask of rows that pair with the next: every other one in a run of matching neighbours.

    `readings` hold two measurands that belong together when they stand side by side in one message at one device time.
    """
    joins = np.zeros(len(readings), np.bool_)
    joins[:-1] = readings.measurand[1:] != readings.measurand[:-1]
    for column in (readings.offset, readings.slot, readings.event_ms):
        joins[:-1] &= column[1:] == column[:-1]
    index = np.arange(len(readings))
    begins = np.ones(len(readings), np.bool_)
    begins[1:] = ~joins[:-1]
    place = index - np.maximum.accumulate(np.where(begins, index, 0))
    first: NDArray[np.bool_] = joins & (place % 2 == 0)
    return first
