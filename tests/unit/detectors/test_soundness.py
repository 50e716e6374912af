"""D104: sensors whose readings cannot be believed, and sound ones that look odd."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from detectors.parameters import Parameters
from detectors.soundness import Soundness

Stages = Callable[..., Any]


@pytest.fixture
def sensor(stage: Stages) -> Any:
    return stage(Soundness(Parameters({"D104": {"span_days": 1.0}})))


def hours(sensor: Any, count: float, value: Callable[[Random], float], name: str = "ch4_lel") -> list[str]:
    """Read once a minute for some hours; readings are rounded to a tenth as sensors do."""
    rng, said = Random(1), []
    for _ in range(round(60 * count)):
        sensor.wait(60)
        said += sensor.read(**{name: round(value(rng), 1)})
    return said


def lively(rng: Random) -> float:
    return 2.0 + rng.gauss(0.0, 0.3)


def test_a_value_frozen_to_the_last_digit(sensor: Any) -> None:
    """After two hours without a change from a sensor that never rests; the first change ends it."""
    assert hours(sensor, 3, lively) == []
    assert hours(sensor, 1.9, lambda _: 3.2) == []
    assert hours(sensor, 0.2, lambda _: 3.2) == ["D104 raise"]
    evidence = sensor.found[-1].evidence
    assert (evidence["reason"], evidence["value"], evidence["unchanged_min"]) == ("frozen", 3.2, 120.0)
    assert evidence["usual_readings"] < 2
    assert hours(sensor, 0.1, lively) == ["D104 clear"]


def test_a_sensor_that_reports_seldom_need_not_stand_still_for_longer(sensor: Any) -> None:
    """Every ten minutes, hardly ever twice the same: seventeen equal readings, three hours, are enough."""
    rng = Random(2)
    for _ in range(300):
        sensor.wait(600)
        assert sensor.read(ch4_lel=round(lively(rng), 1)) == []
    said = []
    for _ in range(20):
        sensor.wait(600)
        said += sensor.read(ch4_lel=3.2)
    assert said == ["D104 raise"]
    assert 100 < sensor.found[-1].evidence["unchanged_min"] <= 170


def test_nought_is_where_a_clean_sensor_rests(sensor: Any) -> None:
    """Clean air may last all night."""
    hours(sensor, 3, lively)
    assert hours(sensor, 12, lambda _: 0.0) == []


def test_a_sensor_that_often_stands_still_is_given_longer(sensor: Any) -> None:
    """How long it usually stands still decides, not a fixed time."""
    assert hours(sensor, 40, lambda rng: 3.0 + (rng.random() < 0.02)) == []


def test_noise_far_beyond_the_usual(sensor: Any) -> None:
    """Jumping back and forth for ten minutes is a loose contact, and ends when it is quiet again."""
    assert hours(sensor, 4, lively) == []
    assert hours(sensor, 0.5, lambda rng: 10.0 + rng.gauss(0.0, 8.0)) == ["D104 raise"]
    evidence = sensor.found[-1].evidence
    assert evidence["reason"] == "noise"
    assert evidence["noise"] > 8 * evidence["usual_noise"]
    assert hours(sensor, 2, lively) == ["D104 clear"]


def test_gas_that_comes_and_goes_is_no_noise(sensor: Any) -> None:
    """A leak swings far, but from one reading to the next it keeps its direction."""
    hours(sensor, 4, lively)
    minute = iter(range(10_000))
    assert hours(sensor, 6, lambda rng: abs((next(minute) % 60) - 30.0) + lively(rng)) == []


def test_a_zero_that_has_drifted_up(sensor: Any) -> None:
    """A day without once coming near clean air; one good hour of clean air clears it."""
    assert hours(sensor, 23.9, lambda rng: 7.0 + rng.gauss(0.0, 0.3)) == []
    assert hours(sensor, 0.2, lambda rng: 7.0 + rng.gauss(0.0, 0.3)) == ["D104 raise"]
    assert sensor.found[-1].evidence["drift_limit"] == 5.0
    assert hours(sensor, 1, lively) == ["D104 clear"]


def test_a_zero_that_has_drifted_below(sensor: Any) -> None:
    """No gas makes a reading negative: an hour is enough."""
    assert hours(sensor, 1.1, lambda rng: -6.0 + rng.gauss(0.0, 0.3)) == ["D104 raise"]


def test_oxygen_is_judged_by_the_air(sensor: Any) -> None:
    """A cell that shows 20.1 %VOL all day is spent; 20.9 is where it should be."""
    assert hours(sensor, 25, lambda rng: 20.9 + rng.gauss(0.0, 0.05), "o2_vol") == []
    assert hours(sensor, 25, lambda rng: 20.1 + rng.gauss(0.0, 0.03), "o2_vol") == ["D104 raise"]


def test_a_sensor_that_has_lost_its_span(sensor: Any) -> None:
    """A poisoned bead moves a tenth as much as it used to, for days."""
    assert hours(sensor, 72, lambda rng: 2.0 + rng.gauss(0.0, 1.0)) == []
    assert hours(sensor, 96, lambda rng: 0.6 + rng.gauss(0.0, 0.06)) == ["D104 raise"]
    evidence = sensor.found[-1].evidence
    assert evidence["reason"] == "span_loss"
    assert evidence["noise_of_day"] == pytest.approx(0.2 * evidence["usual_noise"], rel=0.01)
    assert hours(sensor, 24, lambda rng: 2.0 + rng.gauss(0.0, 1.0)) == ["D104 clear"]


def test_a_failed_selftest_needs_no_statistics(sensor: Any) -> None:
    """The device's own word, each time it says so, until it passes one."""
    assert sensor.say("selftest", ok=False) == ["D104 raise"]
    assert sensor.say("selftest", ok=False) == ["D104 change"]
    assert sensor.say("selftest", ok=True) == ["D104 clear"]
    assert sensor.say("selftest") == []


def test_late_and_retained_readings_teach_nothing(sensor: Any) -> None:
    """What the line delivers in a lump is no freeze."""
    hours(sensor, 3, lively)
    before = sensor.detector.snapshot()["rows"].tolist()
    sensor.read(ch4_lel=3.2, late=True)
    sensor.read(ch4_lel=3.2, retained=True)
    assert sensor.detector.snapshot()["rows"].tolist() == before


def test_a_frozen_sensor_that_leaves_and_returns_alarms_again(sensor: Any, entries: dict[str, Any]) -> None:
    """The alarm ends with its leave, not for ever: it has its time again, and is still frozen after it."""
    sensor.register(*entries.values())
    hours(sensor, 12, lively)
    assert hours(sensor, 12, lambda _: 3.1) == ["D104 raise"]
    assert sensor.withdraw(entries["device"]) == ["D104 clear"]
    sensor.register(entries["device"])
    assert hours(sensor, 12, lambda _: 3.1) == ["D104 raise"]


def test_a_device_that_never_reported_gas_may_leave(sensor: Any, entries: dict[str, Any]) -> None:
    """There is nothing to forget of it."""
    sensor.register(*entries.values())
    hours(sensor, 1, lively)
    sensor.say("selftest", "g2", ok=True)
    assert sensor.withdraw(entries["quiet_device"]) == []
