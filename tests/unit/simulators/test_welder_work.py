"""A welding session looks like one: load lines, strikes, pauses, and papers in their order."""

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registers.machine import Process
from simulators.device import Saying
from simulators.incidents import Welding
from simulators.welder import ARCS, WeldingMachine, schedule

PATH = "a/s/chip"


LAWFUL = Welding(device=PATH, at_s=10.0, lasts_s=300.0, credential="C-1", guardian="G1")


def events(sayings: Iterator[Saying] | list[Saying]) -> list[str]:
    return [saying.body["type"] for saying in sayings if saying.kind == "event"]


@pytest.mark.parametrize("process", list(ARCS))
@pytest.mark.parametrize("amps", [100.0, 200.0])
def test_the_arc_burns_on_its_load_line(process: Process, amps: float) -> None:
    """The mean voltage of an arc is U = a + b·I of its process (GB/T 15579.1)."""
    machine, rng = WeldingMachine(PATH, process), Random(3)
    samples = [machine.sample(30.0, amps, rng) for _ in range(500)]
    base, slope, _ = ARCS[process]
    assert fmean(sample["voltage_v"] for sample in samples) == pytest.approx(base + slope * amps, abs=0.3)
    assert fmean(sample["current_a"] for sample in samples) == pytest.approx(amps, rel=0.02)


@pytest.mark.parametrize("process", list(ARCS))
def test_idle_is_open_circuit_and_a_strike_is_a_short(process: Process) -> None:
    """Without arc the voltage is high and the current nil; a strike is the other way round."""
    machine, rng = WeldingMachine(PATH, process), Random(4)
    idle, strike = machine.sample(None, 120.0, rng), machine.sample(0.5, 120.0, rng)
    assert idle["voltage_v"] > 45
    assert idle["current_a"] < 5
    assert strike["voltage_v"] < 12
    assert strike["current_a"] > 1.2 * 120


def test_a_chip_on_the_supply_sees_current_only() -> None:
    """A mains-side module idles below 2 A and rises well above three times that in the arc."""
    machine, rng = WeldingMachine(PATH, measures="mains"), Random(5)
    idle, arc = machine.sample(None, 150.0, rng), machine.sample(30.0, 150.0, rng)
    assert set(idle) == set(arc) == {"current_a"}
    assert idle["current_a"] < 2
    assert arc["current_a"] > 10


@given(first=st.floats(0, 1e4), length=st.floats(0.1, 5000.0), seed=st.integers())
def test_arcs_follow_each_other_with_pauses_and_end_in_time(first: float, length: float, seed: int) -> None:
    """Every arc lies inside the session, at most 120 s long, and pauses are 20–60 s."""
    arcs = schedule(first, first + length, Random(seed))
    assert arcs[0].start_s == first
    assert all(arc.start_s < arc.end_s <= first + length for arc in arcs)
    assert all(arc.end_s - arc.start_s <= 120.001 for arc in arcs)
    assert all(19.999 <= after.start_s - before.end_s <= 60.001 for before, after in pairwise(arcs))


def test_a_lawful_session_has_its_papers_in_order() -> None:
    """Power, gas test and guardian come before the scan; everybody leaves before power goes off."""
    assert events(WeldingMachine(PATH).session(LAWFUL, 10.0, Random(1))) == [
        "power.on", "gas_test", "guardian.in", "scan.in", "guardian.out", "scan.out", "watch.done", "power.off",
    ]  # fmt: skip


def test_without_credential_nobody_scans() -> None:
    """A cheat is a session that lacks something: here, the scan and the guardian."""
    cheat = Welding(device=PATH, at_s=10.0, lasts_s=300.0)
    session = WeldingMachine(PATH).session(cheat, 10.0, Random(1))
    assert events(session) == ["power.on", "power.off"]


def test_a_machine_is_silent_between_its_sessions() -> None:
    """Nothing is said before the first power.on, between sessions, or after the last."""
    welds = [Welding(device=PATH, at_s=at_s, lasts_s=60.0) for at_s in (10.0, 500.0)]
    sayings = list(WeldingMachine(PATH).sayings(welds, "1"))
    assert [s.at_s for s in sayings] == sorted(s.at_s for s in sayings)
    assert all(10 <= s.at_s <= 70 or 500 <= s.at_s <= 560 for s in sayings)
    assert events(sayings).count("power.on") == 2
