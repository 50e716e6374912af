"""Fires grow as the handbooks say, and the detectors above them latch and are reset."""

from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.device import Saying
from simulators.fire import FireDetector, FireRoom, Surroundings, ceiling_jet_rise, heat_release_kw
from simulators.incidents import Burning, Cooking, Incident

PATH = "a/s/d"
HEATS = st.floats(1.0, 5000.0)


def said(measurand: str, seconds: float, *incidents: Incident) -> list[Saying]:
    sayings = FireDetector(PATH, measurand, 10.0).sayings(incidents, "1")
    return list(takewhile(lambda saying: saying.at_s < seconds, sayings))


def events(sayings: list[Saying]) -> list[tuple[str, str]]:
    return [(s.body["type"], s.body["data"]["point"]) for s in sayings if s.kind == "event"]


@pytest.mark.parametrize(("growth", "seconds"), [(0.00293, 600), (0.01172, 300), (0.0469, 150), (0.1876, 75)])
def test_each_growth_class_reaches_a_megawatt_in_its_time(growth: float, seconds: float) -> None:
    """Slow, medium, fast and ultra-fast fires reach 1055 kW after 600, 300, 150 and 75 s (NFPA 72 Annex B)."""
    assert heat_release_kw(growth, seconds) == pytest.approx(1055, rel=0.01)


@given(heat=HEATS, height=st.floats(2.0, 12.0), near=st.floats(0.1, 20.0), further=st.floats(1.01, 5.0))
def test_the_ceiling_jet_cools_with_distance(heat: float, height: float, near: float, further: float) -> None:
    """Further from the plume it is never warmer, and a stronger fire is always warmer."""
    # Alpert's two branches meet at r/H = 0.18 only to a few per cent.
    assert ceiling_jet_rise(heat, near * further, height) <= ceiling_jet_rise(heat, near, height) * 1.02
    assert ceiling_jet_rise(2 * heat, near, height) > ceiling_jet_rise(heat, near, height)


def test_the_ceiling_jet_equals_a_worked_example() -> None:
    """1000 kW under 4 m at 2 m: 5.38·(500)^(2/3)/4 = 84.7 K."""
    assert ceiling_jet_rise(1000.0, 2.0, 4.0) == pytest.approx(84.7, abs=0.1)


@given(heat=HEATS, steps=st.lists(st.floats(0.1, 60.0), min_size=1, max_size=30))
def test_smoke_gathers_while_it_burns_and_thins_afterwards(heat: float, steps: list[float]) -> None:
    """Smoke and carbon monoxide rise together under a steady fire and fall when it is out."""
    room = FireRoom()
    burning = [room.advance(step, Surroundings(heat)) for step in steps]
    clearing = [room.advance(step, Surroundings(), exhaust=True) for step in steps]
    assert [air.smoke_dbm for air in burning] == sorted(air.smoke_dbm for air in burning)
    assert [air.co_ppm for air in clearing] == sorted((air.co_ppm for air in clearing), reverse=True)


def test_a_smoke_point_alarms_within_the_minute_and_is_reset_when_the_air_is_clean() -> None:
    """A fast fire is seen soon; the alarm stays until the smoke is gone, then clears once."""
    sayings = said("smoke_dbm", 900.0, Burning(device=PATH, at_s=10, lasts_s=40))
    assert events(sayings) == [("fire.alarm", "smoke"), ("fire.clear", "smoke")]
    assert next(s.at_s for s in sayings if s.kind == "event") < 60


def test_a_heat_point_needs_a_larger_fire() -> None:
    """What a smoke point reports at once leaves a heat point cold; a fierce fire does not."""
    assert events(said("temp_c", 300.0, Burning(device=PATH, at_s=10, lasts_s=40))) == []
    fierce = Burning(device=PATH, at_s=10, lasts_s=90, growth_kw_s2=0.19)
    assert events(said("temp_c", 300.0, fierce)) == [("fire.alarm", "heat"), ("fire.clear", "heat")]


def test_a_combined_detector_reports_smoke_heat_and_carbon_monoxide() -> None:
    """All three criteria are in one message."""
    telemetry = [s for s in said("co_ppm", 60.0) if s.kind == "telemetry"]
    assert {tuple(s.body) for s in telemetry} == {("smoke_dbm", "temp_c", "co_ppm")}


def test_frying_is_seen_but_is_no_fire() -> None:
    """Cooking fumes raise the smoke reading to about half the threshold."""
    sayings = said("smoke_dbm", 300.0, Cooking(device=PATH, at_s=20, lasts_s=200))
    assert events(sayings) == []
    assert 0.03 < max(s.body["smoke_dbm"] for s in sayings if s.kind == "telemetry") < 0.09
