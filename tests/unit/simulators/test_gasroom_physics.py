"""The gas room obeys its differential equation, and the detector in it behaves like a real one."""

import math
from itertools import islice, takewhile
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.device import Saying
from simulators.gasroom import MEASURANDS, AlarmBits, GasDetector, GasRoom
from simulators.incidents import Cooking, Incident, Leak
from simulators.physics import Sensor, SensorType, quantise, relax

LEAKS = st.floats(0.01, 50.0)
VENTILATIONS = st.floats(1.0, 2000.0)
SECONDS = st.floats(0.1, 3600.0)
PATH = "a/s/d"


def detector(**changes: float) -> GasDetector:
    return GasDetector(PATH, "ch4_lel", changes.get("interval_s", 5.0), 25.0, 50.0)


def said(seconds: float, *incidents: Incident, seed: str = "1") -> list[Saying]:
    sayings = detector().sayings(incidents, seed)
    return list(takewhile(lambda saying: saying.at_s < seconds, sayings))


def events(sayings: list[Saying]) -> list[str]:
    return [saying.body["type"] for saying in sayings if saying.kind == "event"]


@given(leak=LEAKS, ventilation=VENTILATIONS)
def test_a_leak_settles_at_leak_over_all_air_that_leaves(leak: float, ventilation: float) -> None:
    """After many time constants the concentration is leak / (leak + ventilation)."""
    room = GasRoom(2.0, ventilation)
    for _ in range(60):
        room.advance(3600.0, leak)
    assert room.concentration == pytest.approx(100 * leak / (leak + ventilation), rel=1e-6)


@given(leak=LEAKS, ventilation=VENTILATIONS, seconds=SECONDS, cuts=st.integers(2, 20))
def test_how_finely_time_is_cut_does_not_matter(leak: float, ventilation: float, seconds: float, cuts: int) -> None:
    """The step is exact: many small steps and one large one give the same room."""
    coarse, fine = GasRoom(2.0, ventilation), GasRoom(2.0, ventilation)
    coarse.advance(seconds, leak)
    for _ in range(cuts):
        fine.advance(seconds / cuts, leak)
    assert fine.concentration == pytest.approx(coarse.concentration, rel=1e-9)


@given(leak=LEAKS, ventilation=VENTILATIONS, steps=st.lists(SECONDS, min_size=1, max_size=20))
def test_gas_only_rises_while_it_leaks_and_only_falls_afterwards(
    leak: float, ventilation: float, steps: list[float]
) -> None:
    """Concentration is monotone in each phase and never below zero or above pure gas."""
    room = GasRoom(2.0, ventilation)
    rising = [room.advance(step, leak) for step in steps]
    falling = [room.advance(step, 0.0) for step in steps]
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    assert 0.0 <= falling[-1] <= rising[-1] <= 100.0


def test_the_fan_clears_the_room_faster() -> None:
    """The emergency fan shortens the time constant."""
    still, blown = GasRoom(), GasRoom()
    still.concentration = blown.concentration = 5.0
    assert blown.advance(10.0, 0.0, fan=True) < still.advance(10.0, 0.0)


@given(t90=st.floats(1.0, 120.0), step=st.floats(0.1, 100.0))
def test_a_sensor_shows_ninety_per_cent_of_a_step_after_t90(t90: float, step: float) -> None:
    """T90 means what the standard says."""
    sensor = Sensor(SensorType(t90_s=t90, noise=0.0, resolution=1e-6, full_scale=1e6), Random(1))
    assert sensor.read(step, t90) == pytest.approx(0.9 * step, rel=1e-4, abs=2e-6)


def test_a_sensor_drifts_rounds_and_stops_at_full_scale() -> None:
    """A day's drift is added, readings are whole multiples of the resolution, and none is past the range."""
    sensor = Sensor(SensorType(t90_s=1.0, noise=0.0, resolution=0.5, full_scale=10.0, drift=2.0), Random(1))
    assert sensor.read(1.2, 86_400.0) == 3.0
    assert sensor.read(1000.0, 60.0) == 10.0


@given(st.floats(-1000, 1000), st.sampled_from([0.001, 0.1, 0.5, 10.0]))
def test_quantised_values_are_at_most_half_a_digit_off(value: float, resolution: float) -> None:
    """Rounding moves a value by no more than half the last digit."""
    assert abs(quantise(value, resolution) - value) <= resolution / 2 + 1e-6


def test_relaxation_is_the_textbook_exponential() -> None:
    """One time constant leaves 1/e of the distance."""
    assert relax(1.0, 0.0, 7.0, 7.0) == pytest.approx(math.exp(-1))


def test_alarm_bits_have_hysteresis() -> None:
    """A value that hovers around a set point does not chatter, and the bits clear only below 90 % of it."""
    bits = AlarmBits(25.0, 50.0)
    values = [24.9, 25.1, 24.9, 25.1, 51.0, 49.0, 44.9, 23.0, 22.4, 24.9]
    assert [bits.update(value) for value in values] == [
        None, "alarm.low", None, None, "alarm.high", None, "alarm.low", None, "alarm.clear", None,
    ]  # fmt: skip


def test_a_jump_past_both_set_points_is_a_high_alarm_at_once() -> None:
    """Nothing is sent between normal and high when the value jumps."""
    bits = AlarmBits(25.0, 50.0)
    assert bits.update(80.0) == "alarm.high"
    assert bits.update(0.0) == "alarm.clear"


def test_a_leak_goes_through_low_and_high_to_clear() -> None:
    """The detector of a leaking room says low, high and, after fan and time, clear."""
    leak = Leak(device=PATH, at_s=10, lasts_s=60, flow_m3h=8)
    assert events(said(400.0, leak)) == ["alarm.low", "alarm.high", "alarm.low", "alarm.clear"]


def test_cooking_shows_but_does_not_alarm() -> None:
    """A wok's flare-up is a spike of several %LEL below the first set point."""
    sayings = said(200.0, Cooking(device=PATH, at_s=60, lasts_s=20))
    values = [saying.body["ch4_lel"] for saying in sayings if saying.kind == "telemetry"]
    assert 3.0 < max(values) < 25.0
    assert events(sayings) == []


def test_an_alarm_does_not_wait_for_the_report_interval() -> None:
    """The reading that trips the alarm is sent with it."""
    sayings = said(60.0, Leak(device=PATH, at_s=10, lasts_s=60, flow_m3h=8))
    alarm = next(i for i, saying in enumerate(sayings) if saying.kind == "event")
    assert sayings[alarm - 1].kind == "telemetry"
    assert sayings[alarm - 1].at_s == sayings[alarm].at_s


@pytest.mark.parametrize("measurand", sorted(MEASURANDS))
def test_every_measurand_is_quiet_at_rest(measurand: str) -> None:
    """A detector with no incident stays near its resting value: 20.9 for oxygen, zero for the rest."""
    sayings = islice(GasDetector(PATH, measurand, 10.0).sayings((), "7"), 500)
    values = [saying.body[measurand] for saying in sayings if saying.kind == "telemetry"]
    rest, near = (20.9, 0.3) if measurand == "o2_vol" else (0.0, 300.0 if measurand == "ch4_ppm" else 3.0)
    assert max(abs(value - rest) for value in values) < near


def test_a_leak_takes_the_oxygen_away() -> None:
    """Any gas displaces air, so the oxygen sensor falls."""
    sayings = GasDetector(PATH, "o2_vol", 5.0).sayings([Leak(device=PATH, at_s=0, lasts_s=300, flow_m3h=30)], "1")
    values = [s.body["o2_vol"] for s in islice(sayings, 60) if s.kind == "telemetry"]
    assert values[-1] < 19.5
