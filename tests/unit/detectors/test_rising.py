"""G104: gas on its way to the set point is told of before it gets there, and what turns back or settles is not."""

import math
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.parameters import Parameters
from detectors.rising import Rising
from registers.device import DeviceKind, DeviceModel


@pytest.fixture
def gas(stage: Callable[..., Any]) -> Any:
    """Return an empty stage with the detector on it."""
    return stage(Rising(Parameters()))


def _play(gas: Any, values: Iterable[float], step_s: float = 5.0, **kind: Any) -> list[str]:
    said: list[str] = []
    for value in values:
        said += gas.read(**kind, ch4_lel=value)
        gas.wait(step_s)
    return said


def test_a_steady_rise_is_told_minutes_before_the_set_point(gas: Any) -> None:
    """From 0 at 5 %LEL a minute: the alarm comes at about 9 %LEL, three minutes before 25."""
    said = _play(gas, [0.4 * i for i in range(60)])
    assert said == ["G104 raise"]
    evidence = gas.found[0].evidence
    assert evidence["value"] < 12.5
    assert evidence["rise_per_min"] == pytest.approx(4.8, rel=0.01)
    assert evidence["reaches_in_s"] == pytest.approx((25.0 - evidence["value"]) / 0.08, abs=1)
    assert evidence["rising_s"] >= 60


def test_a_rise_too_slow_for_the_horizon_is_none(gas: Any) -> None:
    """1 %LEL a minute at 6 %LEL needs nineteen minutes: slow leaks have a rule of their own."""
    assert _play(gas, [6.0 + i / 12 for i in range(36)]) == []


def test_cooking_is_no_rise(gas: Any) -> None:
    """Half a minute up to 20 %LEL and down again, twice."""
    fumes = [0.0, 3.0, 8.0, 14.0, 18.0, 20.0, 19.0, 15.0, 10.0, 6.0, 3.0, 1.0, 0.5, 0.5]
    assert _play(gas, fumes * 2) == []


def test_gas_that_settles_below_the_set_point_is_no_rise(gas: Any) -> None:
    """A ventilated room goes to 15 %LEL as 1 - exp(-t/60 s): the rise slows down, and is not drawn on as a line."""
    assert _play(gas, [15.0 * (1.0 - 2.718281828 ** (-i * 5 / 60)) for i in range(80)]) == []


def test_noise_seldom_makes_a_rise_of_gas_that_settles(stage: Callable[..., Any]) -> None:
    """Of fifty rooms that fill to two thirds of the set point, read every ten seconds with some noise, few alarm."""
    alarms = 0
    for seed in range(50):
        rng = Random(seed)
        values = [16.0 * (1.0 - math.exp(-10 * i / 60)) + rng.gauss(0.0, 0.4) for i in range(30)]
        alarms += len(_play(stage(Rising(Parameters())), values, 10.0)) > 0
    assert alarms <= 5


def test_one_spike_does_not_turn_the_slope(gas: Any) -> None:
    """The median of all pairs does not see a single wild value."""
    values = [6.0] * 20
    values[12] = 24.0
    assert _play(gas, values) == []


def test_the_alarm_ends_when_the_rise_does(gas: Any) -> None:
    """Level again for two minutes: cleared, with the worst value."""
    said = _play(gas, [0.4 * i for i in range(40)] + [15.6] * 40)
    assert said == ["G104 raise", "G104 clear"]
    assert gas.found[1].evidence["peaks"] == {"ch4_lel": 15.6}


def test_past_the_set_point_it_is_no_forecast(gas: Any) -> None:
    """What stands above level 1 already is G102's business."""
    assert _play(gas, [26.0 + 0.4 * i for i in range(30)]) == []


@pytest.mark.parametrize("kind", [{"late": True}, {"retained": True}])
def test_late_and_retained_readings_say_nothing_of_now(gas: Any, kind: dict[str, bool]) -> None:
    """They do not join the course."""
    assert _play(gas, [0.4 * i for i in range(60)], **kind) == []


def test_a_sensor_below_a_fifth_of_its_set_point_takes_no_memory(gas: Any) -> None:
    """Quiet sensors are filtered out before anything is kept of them."""
    _play(gas, [0.1, 4.9, 1.0])
    assert len(gas.detector.snapshot()["keys"]) == 0


def test_the_sensors_own_set_point_counts(gas: Any, entries: dict[str, Any]) -> None:
    """With level 1 at 10 %LEL the same rise is told earlier."""
    model = DeviceModel(code="M", name="型", kind=DeviceKind.GAS, measurand="ch4_lel", level1=10.0, level2=20.0)
    gas.register(entries["area"], entries["site"], model, entries["device"])
    assert _play(gas, [0.2 * i for i in range(40)]) == ["G104 raise"]
    assert gas.found[0].evidence["set_point"] == 10.0


def test_a_withdrawn_device_leaves_no_alarm_behind(gas: Any, entries: dict[str, Any]) -> None:
    """Its alarm ends with it."""
    gas.register(entries["area"], entries["site"], entries["model"], entries["device"])
    _play(gas, [0.4 * i for i in range(40)])
    assert gas.withdraw(entries["device"]) == ["G104 clear"]
    assert len(gas.detector.snapshot()["keys"]) == 0


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(step_s=st.sampled_from([1.0, 2.0, 5.0, 10.0, 20.0]), rate=st.floats(3.0, 12.0))
def test_a_steady_rise_is_found_at_any_reporting_interval(
    stage: Callable[..., Any], step_s: float, rate: float
) -> None:
    """Between 3 and 12 %LEL a minute, reported every 1 to 20 s: always told before the set point."""
    gas = stage(Rising(Parameters()))
    count = int(24.9 / rate * 60 / step_s)
    assert _play(gas, [rate * i * step_s / 60 for i in range(count)], step_s) == ["G104 raise"]


def test_a_rise_goes_on_under_a_clock_set_back(gas: Any) -> None:
    """A device that loses eight hours is judged by its new clock: it alarms, and its alarm ends."""
    _play(gas, [7.0] * 40)
    assert _play(gas, [7.0 + 0.4 * i for i in range(30)], behind_s=28_800) == ["G104 raise"]
    assert _play(gas, [19.0] * 2, behind_s=50_000) == []
    assert _play(gas, [0.0] * 40, behind_s=50_000) == ["G104 clear"]
