"""Welders at work: a session at a coded machine, from power.on over scans, strikes, arcs and electrode changes to power.off.

Arc voltage follows the conventional load line of the process (GB/T 15579.1, IEC 60974-1), which detectors rely on; the
figures here are this simulator's own, so that a mistake on one side is not hidden by the other.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from registers.machine import Process
from simulators.device import Saying, event, status
from simulators.incidents import Incident, Welding, of_kind


class ArcType(NamedTuple):
    """Load line U = `base_v` + `slope_v_a`·I, and the open-circuit voltage between arcs."""

    base_v: float
    slope_v_a: float
    open_circuit_v: float


ARCS: dict[Process, ArcType] = {
    Process.MMA: ArcType(20.0, 0.04, 70.0),
    Process.TIG: ArcType(10.0, 0.04, 82.0),
    Process.MAG: ArcType(14.0, 0.05, 55.0),
}
_MAINS_V = 230.0
_EFFICIENCY = 0.85
_MAINS_IDLE_A = 0.8

_SCAN_S = 2.0
_FIRST_ARC_S = 5.0
_STRIKE_S = 1.0
_STICK_S = (60.0, 120.0)
_PAUSE_S = (20.0, 60.0)
_LEAVE_S = 3.0


class Arc(NamedTuple):
    """One electrode's burn, in seconds of the scenario."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class WeldingMachine:
    """A machine whose chip speaks under `path`; `measures`: secondary (arc current and voltage) or mains (supply current)."""

    path: str
    process: Process = Process.MMA
    measures: str = "secondary"
    interval_s: float = 1.0

    def sayings(self, incidents: Sequence[Incident], seed: str) -> Iterator[Saying]:
        """Yield every session in order of time; between sessions the machine is off and says nothing."""
        welds = [_occurrences(self, weld, f"{seed}/{i}") for i, weld in enumerate(of_kind(Welding, incidents))]
        return heapq.merge(*welds, key=lambda saying: saying.at_s)

    def session(self, weld: Welding, start_s: float, rng: Random) -> Iterator[Saying]:
        """Yield one session that begins at `start_s`."""
        end_s = start_s + weld.lasts_s
        arcs = schedule(start_s + _FIRST_ARC_S, end_s - _LEAVE_S, rng)
        return heapq.merge(
            _paperwork(weld, start_s, end_s),
            self._telemetry(weld, start_s, end_s, arcs, rng),
            key=lambda saying: saying.at_s,
        )

    def _telemetry(
        self, weld: Welding, start_s: float, end_s: float, arcs: Sequence[Arc], rng: Random
    ) -> Iterator[Saying]:
        now_s = start_s + self.interval_s / 2
        while now_s < end_s:
            arc = next((arc for arc in arcs if arc.start_s <= now_s < arc.end_s), None)
            age_s = None if arc is None else now_s - arc.start_s
            yield Saying(now_s, "telemetry", self.sample(age_s, weld.current_a, rng))
            now_s += self.interval_s

    def sample(self, arc_age_s: float | None, set_current_a: float, rng: Random) -> dict[str, float]:
        """Return one reading: without arc (None), while striking, or in the arc."""
        current, voltage = _electrical(ARCS[self.process], arc_age_s, set_current_a, rng)
        if self.measures == "mains":
            return {"current_a": round(_MAINS_IDLE_A + current * voltage / (_MAINS_V * _EFFICIENCY), 2)}
        return {"current_a": round(current, 1), "voltage_v": round(voltage, 1)}


def schedule(first_s: float, last_s: float, rng: Random) -> list[Arc]:
    """Return arcs of 60–120 s with pauses of 20–60 s for the electrode, none past `last_s`."""
    arcs = []
    while first_s < last_s:
        end_s = min(last_s, first_s + rng.uniform(*_STICK_S))
        arcs.append(Arc(first_s, end_s))
        first_s = end_s + rng.uniform(*_PAUSE_S)
    return arcs


def _electrical(arc: ArcType, age_s: float | None, set_a: float, rng: Random) -> tuple[float, float]:
    if age_s is None:
        return abs(rng.gauss(0.3, 0.1)), arc.open_circuit_v + rng.gauss(0.0, 0.5)
    if age_s < _STRIKE_S:
        return set_a * rng.uniform(1.3, 1.5), rng.uniform(4.0, 9.0)
    current = set_a * (1.0 + rng.gauss(0.0, 0.04))
    return current, arc.base_v + arc.slope_v_a * current + rng.gauss(0.0, 0.8)


def _occurrences(machine: WeldingMachine, weld: Welding, seed: str) -> Iterator[Saying]:
    for start_s in weld.starts():
        yield from machine.session(weld, start_s, Random(f"{seed}/{start_s}"))


def _paperwork(weld: Welding, start_s: float, end_s: float) -> Iterator[Saying]:
    """Return everything of a session that is not electricity, in order of time."""
    said = [status(start_s, online=True), event(start_s, "power.on")]
    if weld.guardian is not None:
        said += _guarding(weld, weld.guardian, start_s, end_s)
    if weld.credential is not None:
        who = {"credential": weld.credential, "permit": weld.permit}
        said.append(event(start_s + _SCAN_S, "scan.in", **who, lat=weld.lat, lon=weld.lon))
        said.append(event(end_s - 1.0, "scan.out", **who))
    if weld.lock_s is not None:
        said.append(Saying(start_s + weld.lock_s, "reply", {"id": "simulated", "ok": True, "state": "locked"}))
    said.append(event(end_s, "power.off"))
    return iter(sorted(said, key=lambda saying: saying.at_s))


def _guarding(weld: Welding, guardian: str, start_s: float, end_s: float) -> Iterator[Saying]:
    """Yield the gas test before the work, the guardian's coming and going, and the fire watch after it."""
    if weld.gas_test:
        yield event(start_s + 1.0, "gas_test", measurand="ch4_lel", value=weld.gas_lel, by=guardian)
    yield event(start_s + 1.0, "guardian.in", person=guardian)
    leaves_s = end_s - 1.0 if weld.guardian_s is None else start_s + weld.guardian_s
    yield event(leaves_s, "guardian.out", person=guardian)
    if weld.watch:
        yield event(end_s, "watch.done")
