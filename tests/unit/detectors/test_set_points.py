"""Which value a gas sensor alarms at, and on whose word."""

from typing import Any

import pytest

from detectors.parameters import Parameters
from detectors.setpoints import Limit, profile
from domain.measurands import INDEX
from registers.device import Device, DeviceKind, DeviceModel


def _limits(of: str, /, device: Device | None = None, **model: Any) -> dict[str, Limit]:
    made = DeviceModel(code="M", name="型", kind=DeviceKind.GAS, **model) if model or device else None
    return {limit.rule: limit for limit in profile(Parameters(), device, made)[INDEX[of]]}


@pytest.mark.parametrize(
    ("measurand", "level1", "level2"),
    [
        ("ch4_lel", 25.0, 50.0),
        ("lel", 25.0, 50.0),
        ("ch4_ppm", 12_500.0, 25_000.0),
        ("co_ppm", 17.2, 34.4),
        ("h2s_ppm", 7.1, 14.1),
        ("nh3_ppm", 28.3, 56.5),
        ("cl2_ppm", 0.34, 0.68),
    ],
)
def test_defaults_are_those_of_the_standard(measurand: str, level1: float, level2: float) -> None:
    """GB/T 50493-2019: combustible 25 and 50 %LEL (methane at 5.0 %VOL), toxic 100 and 200 % OEL."""
    limits = _limits(measurand)
    assert (limits["G102"].high, limits["G101"].high) == (level1, level2)


def test_a_model_sets_the_convention_of_its_ppm() -> None:
    """At a lower limit of 4.4 %VOL, 25 %LEL of methane are 11,000 ppm, and the limit says which convention it used."""
    limit = _limits("ch4_ppm", lel_vol=4.4)["G102"]
    assert limit.high == pytest.approx(11_000)
    assert limit.lel_vol == 4.4


def test_the_device_goes_before_its_model_and_the_model_before_the_rule() -> None:
    """Each level is taken from the nearest register that states it, and its basis with it."""
    device = Device(code="g", site="s", model="M", level1=8.0, set_point_basis="验收单")
    limits = _limits("ch4_lel", device, measurand="ch4_lel", level1=10.0, level2=20.0, set_point_basis="说明书")
    assert (limits["G102"].high, limits["G102"].basis) == (8.0, "设备登记：验收单")
    assert (limits["G101"].high, limits["G101"].basis) == (20.0, "型号登记：说明书")


def test_own_set_points_hold_only_for_the_models_measurand() -> None:
    """A set point in %LEL says nothing about another gas of the same device."""
    assert _limits("co_ppm", measurand="ch4_lel", level1=10.0)["G102"].high == 17.2


def test_a_small_set_point_keeps_room_to_clear() -> None:
    """The deadband is never more than half the set point, so that an alarm can always clear."""
    limit = _limits("ch4_lel", measurand="ch4_lel", level1=1.0)["G102"]
    assert limit.clears(0.4)
    assert not limit.clears(0.6)


def test_oxygen_alarms_on_both_sides() -> None:
    """Below 19.5 and above 23.5 %VOL, not at them, and the set point named is the side that was passed."""
    (limit,) = _limits("o2_vol").values()
    assert [limit.trips(value) for value in (19.49, 19.5, 20.9, 23.5, 23.51)] == [True, False, False, False, True]
    assert (limit.set_point(19.0), limit.set_point(24.0)) == (19.5, 23.5)
