"""Devices look often while something happens around them, seldom else, and see the same either way."""

from itertools import islice, pairwise
from random import Random

import pytest

from simulators.gasroom import GasDetector
from simulators.incidents import Incident, Leak, Timetable, active, happens_near
from simulators.physics import Sensor, SensorType
from simulators.sampling import Sampling
from simulators.transmitter import Transmitter

DEVICE = "a/s/g"
KIND = SensorType(t90_s=15.0, noise=0.0, resolution=1e-6, full_scale=100.0, drift=0.3)


def leak(at_s: float, lasts_s: float = 60.0, every_s: float | None = None) -> Leak:
    return Leak(device=DEVICE, at_s=at_s, lasts_s=lasts_s, every_s=every_s, flow_m3h=2.0)


def looks(sampling: Sampling, end_s: float) -> list[float]:
    times = []
    while sampling.now_s < end_s:
        times.append(sampling.now_s)
        if sampling.is_due():
            sampling.reported()
        sampling.step()
    return times


def test_a_quiet_device_looks_only_when_it_reports() -> None:
    """Without incidents every look is a report."""
    assert looks(Sampling(Timetable([]), 600.0, None, 5.0, 5.0), 3000.0) == [5.0, 605.0, 1205.0, 1805.0, 2405.0]


def test_a_device_looks_every_second_while_something_happens() -> None:
    """From before a leak begins until it has cleared there is no second without a look."""
    times = looks(Sampling(Timetable([leak(5000.0)]), 600.0, None, 0.0, 0.0), 8000.0)
    near = [b - a for a, b in pairwise(times) if 5000.0 <= a <= 5600.0]
    assert len(near) == 601
    assert set(near) == {1.0}
    assert len([at for at in times if at < 4000.0]) < 10


def test_an_incident_that_comes_again_is_near_each_time() -> None:
    """Recurrence is by the clock of the scenario, before the first time there is nothing."""
    often: list[Incident] = [leak(1000.0, every_s=2000.0)]
    near = [at for at in range(0, 6000, 500) if happens_near(often, float(at), 100.0, 100.0)]
    assert near == [1000, 3000, 5000]


def test_a_brisk_device_reports_often_only_near_incidents() -> None:
    """Reports come at the long interval at rest and at the short one while gas comes and goes."""
    detector = GasDetector(DEVICE, "ch4_lel", 600.0, brisk_s=10.0)
    said = islice((s.at_s for s in detector.sayings([leak(5000.0)], "1") if s.kind == "telemetry"), 80)
    gaps = [(a, b - a) for a, b in pairwise(said)]
    assert {round(gap) for at, gap in gaps if 5000.0 <= at <= 5500.0} == {10}
    assert {round(gap) for at, gap in gaps if at < 3800.0} == {600}


def test_a_transmitter_that_moves_is_brisk_if_told_to() -> None:
    """Without shifts it keeps to its interval."""
    quiet = islice((s.at_s for s in Transmitter(DEVICE, "level_pct", 600.0, 10.0).sayings([], "1")), 2, 6)
    assert {round(b - a) for a, b in pairwise(quiet)} == {600}


def test_how_often_a_device_looks_does_not_change_what_it_sees() -> None:
    """A sensor without noise reads the same after ten steps of a minute as after one of ten."""
    often, once = (Sensor(KIND, Random(1)) for _ in range(2))
    read = [often.read(20.0, 60.0) for _ in range(10)][-1]
    assert read == once.read(20.0, 600.0)


def test_zero_drift_comes_to_an_end() -> None:
    """On the first day it is what the make says, in a year it is ten days' worth and no more."""
    day, year = (Sensor(KIND, Random(1)).read(0.0, days * 86_400.0) for days in (1, 365))
    assert 0.28 < day < 0.3
    assert 2.99 < year <= 3.0


@pytest.mark.parametrize("now_s", [0.0, 86_399.0, 10.2 * 86_400, 30.5 * 86_400])
def test_a_timetable_leaves_out_only_what_is_days_away(now_s: float) -> None:
    """What happens, or is near, by all incidents, is so by those it gives; asking back in time is allowed."""
    often = leak(50.0, every_s=7000.0)
    days = [leak(day * 86_400.0 + 3000.0 * day, lasts_s=90_000.0) for day in range(31)]
    table = Timetable([often, *days])
    table.near(15 * 86_400.0)
    near = table.near(now_s)
    assert often in near
    assert len(near) <= 6
    assert list(active(Leak, near, now_s)) == list(active(Leak, [often, *days], now_s))
    assert happens_near(near, now_s, 3600.0, 600.0) == happens_near([often, *days], now_s, 3600.0, 600.0)
