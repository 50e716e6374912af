"""G106: the bands of EN 50291-1, at any reporting interval; and what a dose forgives and what not."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.carbonmonoxide import CarbonMonoxide, growth, minutes_to_alarm
from detectors.parameters import Parameters

BANDS = ((30.0, 120.0, None), (50.0, 60.0, 90.0), (100.0, 10.0, 40.0), (300.0, 0.0, 3.0))
"""Concentration (ppm), minutes without alarm, minutes by which it must alarm: EN 50291-1."""


@pytest.fixture
def co(stage: Callable[..., Any]) -> Any:
    """Return an empty stage with the detector on it."""
    return stage(CarbonMonoxide(Parameters()))


def _expose(co: Any, ppm: float, minutes: float, step_s: float = 60.0, **kind: Any) -> float | None:
    """Return after how many minutes of this concentration the alarm was raised."""
    began, found = co.now_ms, len(co.found)
    while co.now_ms - began < minutes * 60_000:
        co.wait(step_s)
        co.read(**kind, co_ppm=ppm)
        if len(co.found) > found and co.found[-1].action == "raise":
            return float(co.now_ms - began) / 60_000
    return None


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(band=st.sampled_from(BANDS), step_s=st.floats(1.0, 30.0), noise=st.floats(-0.02, 0.02))
def test_constant_concentrations_alarm_within_their_bands(
    stage: Callable[..., Any], band: tuple[float, float, float | None], step_s: float, noise: float
) -> None:
    """From clean air, at any interval up to half a minute and an error of 2 %: never before the band, never after it."""
    ppm, no_sooner, no_later = band
    co = stage(CarbonMonoxide(Parameters()))
    co.read(co_ppm=0.0)
    raised = _expose(co, ppm * (1.0 + noise), (no_later or no_sooner) + 1.0, step_s)
    if no_later is None:
        assert raised is None
    else:
        assert raised is not None
        assert no_sooner <= raised <= no_later


@given(low=st.floats(0.0, 1000.0), high=st.floats(0.0, 1000.0))
def test_more_gas_is_never_less_dose(low: float, high: float) -> None:
    """The dose taken in a minute rises with the concentration."""
    low, high = sorted((low, high))
    assert growth(low) <= growth(high) + 1e-12


@given(ppm=st.floats(30.0, 20_000.0))
def test_the_time_to_the_alarm_is_what_the_dose_takes(ppm: float) -> None:
    """Constant concentration and its own growth reach 1 in exactly `minutes_to_alarm`."""
    minutes = minutes_to_alarm(ppm)
    assert 0.0 < minutes <= 170.0
    dose = growth(ppm) * 180.0 * (1.0 - 2.718281828459045 ** (-minutes / 180.0))
    assert dose == pytest.approx(1.0, rel=1e-6)


def test_air_that_people_may_breathe_all_day_never_alarms(co: Any) -> None:
    """17 ppm, the limit of a workplace, for a day."""
    assert _expose(co, 17.0, 1440.0) is None


def test_two_exposures_add_up(co: Any) -> None:
    """Forty minutes of 50 ppm, twenty of clean air: the second time it takes less than the standard's hour."""
    assert _expose(co, 50.0, 40.0) is None
    assert _expose(co, 0.0, 20.0) is None
    raised = _expose(co, 50.0, 90.0)
    assert raised is not None
    assert raised < 60.0


def test_a_gap_counts_as_ten_minutes_at_most(co: Any) -> None:
    """A sensor silent for three hours that comes back with 100 ppm has not poisoned anybody yet."""
    co.read(co_ppm=0.0)
    co.wait(3 * 3600)
    assert co.read(co_ppm=100.0) == []


def test_the_alarm_ends_in_fresh_air(co: Any) -> None:
    """Cleared within the hour below 27 ppm, with the worst value; evidence says dose, value and how fast this level acts."""
    assert _expose(co, 120.0, 40.0) is not None
    co.wait(60)
    assert co.read(co_ppm=40.0) == []
    for _ in range(40):
        co.wait(60)
        co.read(co_ppm=2.0)
    raised, cleared = co.found
    assert (raised.action, cleared.action) == ("raise", "clear")
    assert raised.evidence["minutes_at_this_level"] == pytest.approx(minutes_to_alarm(120.0), abs=0.1)
    assert raised.evidence["dose"] >= 1.0
    assert cleared.evidence["peaks"] == {"co_ppm": 120.0}


def test_clean_air_takes_no_memory(co: Any) -> None:
    """Only sensors with CO in the air, or in the account, are followed."""
    co.read(co_ppm=2.0)
    assert co.detector.snapshot()["doses"] == []


def test_late_and_retained_readings_give_no_dose(co: Any) -> None:
    """They say nothing of the air now."""
    for _ in range(60):
        co.wait(60)
        co.read(co_ppm=300.0, late=True)
        co.read(co_ppm=300.0, retained=True)
    assert co.found == []


def test_a_withdrawn_device_leaves_no_alarm_behind(co: Any, entries: dict[str, Any]) -> None:
    """Its alarm and its account end with it."""
    co.register(entries["area"], entries["site"], entries["model"], entries["device"])
    assert _expose(co, 300.0, 5.0) is not None
    assert co.withdraw(entries["device"]) == ["G106 clear"]
    assert co.detector.snapshot()["doses"] == []


def test_the_dose_goes_on_under_a_clock_set_back(co: Any) -> None:
    """A device that loses eight hours in the middle of poisoned air alarms within its band all the same."""
    _expose(co, 20.0, 10.0)
    raised = _expose(co, 300.0, 10.0, behind_s=28_800)
    assert raised is not None
    assert raised <= 5.0
