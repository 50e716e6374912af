"""G101, G102, G103: when a gas alarm comes, changes and goes, and what it says."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from detectors.gas import GasThresholds
from detectors.parameters import Parameters


@pytest.fixture
def gas(stage: Callable[..., Any]) -> Any:
    """Return an empty stage with the gas detector on it."""
    return stage(GasThresholds(Parameters()))


def test_level_one_then_level_two_and_back(gas: Any) -> None:
    """A rising concentration raises G102, then G101; falling, each clears below its own deadband."""
    said = [gas.read(ch4_lel=value) for value in (24.9, 25.0, 49.0, 50.0, 49.0, 47.9, 24.0, 22.9)]
    assert said == [[], ["G102 raise"], [], ["G101 raise"], [], ["G101 clear"], [], ["G102 clear"]]


def test_the_first_sample_past_level_two_raises_both_at_once(gas: Any) -> None:
    """On-delay is zero: one reading is enough."""
    assert sorted(gas.read(ch4_lel=60.0)) == ["G101 raise", "G102 raise"]


def test_evidence_says_what_decided_and_on_what_basis(gas: Any) -> None:
    """Value, unit, set point, its basis, measurand and LEL convention are in the raise; peak and length in the clear."""
    gas.read(ch4_lel=26.0)
    gas.read(ch4_lel=31.5)
    gas.wait(90)
    gas.read(ch4_lel=1.0)
    raised, cleared = gas.found
    assert raised.evidence == {
        "source": "value",
        "measurand": "ch4_lel",
        "value": 26.0,
        "unit": "%LEL",
        "set_point": 25.0,
        "set_point_basis": "GB/T 50493-2019 报警值设定",
        "lel_vol": 5.0,
    }
    assert cleared.evidence == {"peaks": {"ch4_lel": 31.5}, "lasted_s": 90}


def test_an_active_alarm_is_not_repeated(gas: Any) -> None:
    """However many readings stay above the set point, one raise is all."""
    for i in range(20):
        gas.read(ch4_lel=26.0 + i / 10)
    assert [finding.action for finding in gas.found] == ["raise"]


def test_several_gases_of_one_device_are_one_alarm(gas: Any) -> None:
    """A second gas changes the alarm once; it clears when the last gas is clear."""
    said = [gas.read(ch4_lel=30.0), gas.read(co_ppm=20.0), gas.read(co_ppm=21.0)]
    said += [gas.read(ch4_lel=0.0), gas.read(co_ppm=0.0)]
    assert said == [["G102 raise"], ["G102 change"], [], [], ["G102 clear"]]


def test_the_devices_own_bit_raises_without_a_value(gas: Any) -> None:
    """`alarm.high` is G101 and `alarm.low` G102, whatever the telemetry says."""
    assert gas.say("alarm.low", measurand="ch4_lel", value=12.0) == ["G102 raise"]
    assert gas.say("alarm.high", measurand="ch4_lel") == ["G101 raise"]
    assert gas.found[0].evidence["source"] == "device"


def test_an_oxygen_bit_is_an_oxygen_alarm(gas: Any) -> None:
    """Either bit of an oxygen sensor is G103."""
    assert gas.say("alarm.low", measurand="o2_vol") == ["G103 raise"]


def test_clear_needs_both_the_bit_and_the_value(gas: Any) -> None:
    """The alarm stands while either the device's bit or the threshold holds it."""
    gas.say("alarm.low", measurand="ch4_lel")
    assert gas.read(ch4_lel=30.0) == []
    assert gas.say("alarm.clear", measurand="ch4_lel") == []
    assert gas.read(ch4_lel=20.0) == ["G102 clear"]


def test_a_clear_without_a_gas_clears_every_bit(gas: Any) -> None:
    """`alarm.clear` that names no measurand takes all bits back."""
    gas.say("alarm.low", measurand="ch4_lel")
    gas.say("alarm.low", measurand="co_ppm")
    assert gas.say("alarm.clear") == ["G102 clear"]


def test_oxygen_clears_only_well_inside_its_band(gas: Any) -> None:
    """19.4 raises G103, 19.6 is within the deadband, 19.8 clears; the peak is the lowest value."""
    assert [gas.read(o2_vol=v) for v in (19.4, 18.0, 19.6, 19.8)] == [["G103 raise"], [], [], ["G103 clear"]]
    assert gas.found[-1].evidence["peaks"] == {"o2_vol": 18.0}


def test_retained_messages_neither_raise_nor_clear(gas: Any) -> None:
    """A stored message is history."""
    assert gas.read(ch4_lel=60.0, retained=True) == []
    assert gas.say("alarm.high", retained=True) == []
    gas.read(ch4_lel=30.0)
    assert gas.read(ch4_lel=0.0, retained=True) == []


def test_late_data_raise_marked_late_and_a_live_reading_ends_it(gas: Any) -> None:
    """A backlog that carries an alarm raises it as 迟报; what is true now decides how long it stands."""
    assert gas.read(ch4_lel=30.0, late=True) == ["G102 raise"]
    assert gas.found[0].late
    assert gas.read(ch4_lel=1.0) == ["G102 clear"]


def test_a_late_alarm_confirmed_live_is_no_longer_late(gas: Any) -> None:
    """The first live reading past the set point changes the alarm to a current one."""
    gas.read(ch4_lel=30.0, late=True)
    assert gas.read(ch4_lel=31.0) == ["G102 change"]
    assert not gas.found[-1].late


def test_late_data_cannot_clear_a_live_alarm(gas: Any) -> None:
    """What was true ten minutes ago says nothing of now."""
    gas.read(ch4_lel=30.0)
    assert gas.read(ch4_lel=0.0, late=True) == []
    assert gas.say("alarm.clear", late=True) == []
    assert gas.read(ch4_lel=0.0) == ["G102 clear"]


def test_a_changed_set_point_holds_from_the_next_reading(gas: Any, entries: dict[str, Any]) -> None:
    """The register is live: lowering a device's level raises on a value that was quiet before."""
    gas.register(entries["area"], entries["site"], entries["model"], entries["device"])
    assert gas.read(ch4_lel=12.0) == []
    gas.register(msgspec.structs.replace(entries["device"], level1=10.0))
    assert gas.read(ch4_lel=12.0) == ["G102 raise"]
    assert gas.found[-1].evidence["set_point_basis"] == "设备登记"


def test_an_unregistered_sensor_is_judged_by_the_defaults(gas: Any) -> None:
    """Danger does not ask for registration."""
    assert gas.read("nobody", ch4_ppm=12_500.0) == ["G102 raise"]


def test_other_measurands_never_alarm_here(gas: Any) -> None:
    """Temperature, however high, is not gas, even on a device in alarm."""
    gas.read(ch4_lel=30.0)
    assert gas.read(temp_c=900.0, current_a=500.0) == []


def test_the_end_of_the_range_is_an_alarm_of_its_own_with_a_caution(gas: Any) -> None:
    """At 100 %LEL a reading says only `at least`; a bead without air may even read less afterwards."""
    assert "G109 raise" in gas.read(ch4_lel=100.0)
    raised = next(f for f in gas.found if f.rule == "G109")
    assert raised.evidence["caution"] == "ambiguous_past_lel"
    assert raised.evidence["set_point"] == 100.0
    assert gas.read(ch4_lel=98.5) == []
    assert gas.read(ch4_lel=97.0) == ["G109 clear"]


def test_a_models_full_scale_counts(gas: Any, entries: dict[str, Any]) -> None:
    """A sensor in ppm has the range its model says, and without one nobody knows it."""
    model = msgspec.structs.replace(entries["model"], measurand="ch4_ppm", full_scale=50_000.0)
    assert not any("G109" in said for said in gas.read(ch4_ppm=60_000.0))
    gas.register(entries["area"], entries["site"], model, entries["device"])
    assert "G109 raise" in gas.read(ch4_ppm=50_000.0)


def test_what_comes_belatedly_from_an_alarm_that_is_over_says_nothing_new(gas: Any) -> None:
    """A reading out of order, or one from before, does not raise the cleared alarm again; a newer one does."""
    gas.read(ch4_lel=30.0)
    gas.wait(1200)
    gas.read(ch4_lel=1.0)
    gas.wait(60)
    assert gas.read(ch4_lel=31.0, late=True) == []
    gas.wait(600)
    assert gas.read(ch4_lel=31.0) == ["G102 raise"]
    assert not gas.found[-1].late
