"""A101: any quantity that departs from its own habit, up or down, is told once; habits, states and counts are no departures."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from detectors.base import Output, World
from detectors.parameters import Parameters
from detectors.unusual import ANY_RULE, Unusual
from domain.findings import Severity
from domain.measurands import INDEX
from domain.readings import Float64, Readings, Segment
from domain.slots import SlotTable
from registers.local_time import LOCAL

MONDAY_MS = int(dt.datetime(2026, 1, 5, 0, 0, tzinfo=LOCAL).timestamp() * 1000)
QUARTERS = 96


def _watch(values: Any, step_s: float, measurand: str, device: str = "d") -> Output:
    """Return what a device that says `values` every `step_s` seconds from a Monday midnight on makes a fresh detector say."""
    n = len(values)
    at = MONDAY_MS + np.round(np.arange(n) * step_s * 1000).astype(np.int64)
    columns = (np.arange(n), np.zeros(n, np.int32), np.full(n, INDEX[measurand], np.int16), np.asarray(values, float))
    readings = Readings(*columns, at, at, np.zeros(n, np.uint8))
    return Unusual(ANY_RULE, Parameters()).observe(Segment(0, n, readings), World(SlotTable([f"a/s/{device}"])))


def _said(output: Output) -> list[str]:
    return [str(finding.action) for finding in output.findings]


def _noise(n: int, spread: float, seed: int = 1) -> Float64:
    return np.asarray(np.random.default_rng(seed).normal(0.0, spread, n))


def _works(days: int) -> Float64:
    """Return the electricity of a works by the quarter hour: two shifts on workdays, little on weekends."""
    hours = np.arange(days * QUARTERS) / 4
    shift = ((hours % 24 >= 8) & (hours % 24 < 18) & ((hours // 24) % 7 < 5)).astype(float)
    values: Float64 = 20.0 + 60.0 * shift + _noise(len(hours), 1.5)
    return values


@pytest.mark.parametrize("change", [4.0, -4.0])
def test_a_lasting_change_in_either_direction_is_one_alarm(change: float) -> None:
    """Temperature is unusual when it is too high and when it is too low; it is a notice with its baseline."""
    values = np.round(20.0 + _noise(700, 0.2), 2)
    values[600:660] += change
    raised, cleared = _watch(values, 60.0, "temp_c").findings
    assert (raised.action, cleared.action) == ("raise", "clear")
    assert raised.severity is Severity.NOTICE
    assert raised.evidence["baseline"] == pytest.approx(20.0, abs=0.3)
    assert cleared.evidence["peaks"]["temp_c"] == pytest.approx(20.0 + change, abs=1.0)


def test_a_sensor_switched_on_minutes_ago_sees_a_fire_grow() -> None:
    """Four minutes of a quiet room every two seconds, then a fire: told within three minutes, scored from its first."""
    seconds = np.arange(0.0, 600.0, 2.0)
    values = np.round(21.0 + _noise(300, 0.1) + 2e-3 * np.maximum(seconds - 240.0, 0.0) ** 2, 1)
    output = _watch(values, 2.0, "temp_c")
    assert _said(output) == ["raise"]
    assert output.findings[0].at_ms - MONDAY_MS <= 420_000
    assert output.scores is not None
    assert output.scores.score[150:].mean() > 5 * output.scores.score[30:120].mean()


def test_a_daily_habit_is_learned_and_its_break_is_told() -> None:
    """After two weeks of shifts an idle Tuesday is unusual although each of its values was seen before, and no other day is."""
    values = _works(19)
    tuesday = slice(15 * QUARTERS + 8 * 4, 15 * QUARTERS + 18 * 4)
    values[tuesday] = 20.0 + _noise(40, 1.5, seed=2)
    later = [f for f in _watch(values, 900.0, "power_kw").findings if f.at_ms > MONDAY_MS + 8 * 86_400_000]
    assert [str(f.action) for f in later] == ["raise", "clear"]
    assert later[0].evidence["baseline_of"] == "hour_of_day"
    assert later[0].evidence["baseline"] == pytest.approx(80.0, abs=8.0)


def test_a_weekend_is_no_workday() -> None:
    """The third weekend of a works that rests is quiet; work in its morning is not."""
    values = _works(21)
    saturday = slice(19 * QUARTERS + 8 * 4, 19 * QUARTERS + 12 * 4)
    quiet = _watch(values, 900.0, "power_kw").findings
    values[saturday] += 60.0
    worked = _watch(values, 900.0, "power_kw").findings
    since = MONDAY_MS + 12 * 86_400_000
    assert [f for f in quiet if f.at_ms > since] == []
    assert [str(f.action) for f in worked if f.at_ms > since] == ["raise", "clear"]


def test_the_first_weekend_of_what_knows_no_weekend_is_quiet() -> None:
    """A daily wave goes on as it did: the hours of the first Saturday and Sunday begin as those of workdays."""
    minute = np.arange(7 * 720) * 2
    values = np.round(20.0 + np.sin(2 * np.pi * minute / 1440) + _noise(len(minute), 0.2), 2)
    assert [f for f in _watch(values, 120.0, "temp_c").findings if f.at_ms > MONDAY_MS + 3 * 86_400_000] == []


def test_what_happens_every_hour_stops_being_news() -> None:
    """A pump that runs some minutes each hour alarms less and less: at most once on its fourth day."""
    minute = np.arange(4 * 1440)
    values = 5.0 + 3.0 * (minute % 60 < 4) + _noise(len(minute), 0.1)
    late = [f for f in _watch(values, 60.0, "flow_m3h").findings if f.at_ms > MONDAY_MS + 3 * 86_400_000]
    assert len([f for f in late if f.action == "raise"]) <= 1


def test_a_stuck_sensor_is_told_and_does_not_learn_to_be_quiet() -> None:
    """A day without any change is one alarm that says so; the old noise ends it and is no news, as the spread waited."""
    alive = np.round(50.0 + _noise(1500, 1.0), 2)
    values = np.concatenate((alive, np.full(1440, 50.0), alive[:300]))
    raised, cleared = _watch(values, 60.0, "rh").findings
    assert (raised.action, cleared.action) == ("raise", "clear")
    assert raised.evidence["unchanged_min"] == pytest.approx(60, abs=5)


def test_what_hardly_ever_changes_is_not_stuck() -> None:
    """A room of 20 or 20.5 degrees that changes once in eight hours stands still for as long as that."""
    values = np.repeat(np.tile([20.0, 20.5], 8), 96)
    assert _said(_watch(values, 300.0, "temp_c")) == []


def test_a_jump_of_what_wanders_is_told_by_the_last_hours() -> None:
    """Its level strays by ten within days, so five more are nothing to them, but they come within five minutes."""
    rng = np.random.default_rng(3)
    values = np.round(80.0 + np.cumsum(rng.normal(0.0, 0.15, 5 * 288)), 2)
    jump = 4 * 288 + int(np.argmax(values[4 * 288 : 4 * 288 + 200]))
    values[jump:] += 5.0
    raised = next(f for f in _watch(values, 300.0, "temp_c").findings if f.at_ms >= MONDAY_MS + jump * 300_000)
    assert raised.at_ms - MONDAY_MS <= (jump + 3) * 300_000
    assert raised.evidence["baseline_of"] == "last_hours"


def test_a_little_for_long_says_for_how_long() -> None:
    """Two spreads, unseen in any reading, are told with the time since when."""
    values = np.round(20.0 + _noise(4000, 0.2), 2)
    values[3600:] += 0.4
    raised = _watch(values, 60.0, "temp_c").findings[0]
    assert raised.at_ms - MONDAY_MS >= 3600 * 60_000
    assert raised.evidence["departed_min"] >= 5


def test_a_counting_meter_is_watched_by_its_rate() -> None:
    """A count that grows for ever is no rise; using three times as much is."""
    rate = 6.0 + _noise(600, 0.2)
    rate[500:] = 18.0
    output = _watch(np.round(np.cumsum(rate / 60.0) + 1000.0, 3), 60.0, "energy_kwh")
    assert _said(output) == ["raise"]
    assert output.findings[0].evidence["baseline"] == pytest.approx(6.0, abs=0.5)


def test_a_meter_that_starts_anew_is_no_fall() -> None:
    """A replaced meter counts from zero."""
    count = np.round(np.cumsum(0.1 + _noise(600, 0.003)), 3)
    count[400:] -= count[400]
    assert _said(_watch(count, 60.0, "energy_kwh")) == []


def test_a_meter_that_tells_use_and_not_a_count_is_taken_as_it_is() -> None:
    """Values that fall as often as they rise are no count: an idle afternoon is told by them."""
    use = np.round(0.5 + _noise(600, 0.02), 3)
    use[500:560] = 0.05
    assert _said(_watch(use, 900.0, "energy_kwh")) == ["raise", "clear"]


def test_an_arc_is_scored_and_never_alarms_but_a_meters_current_does(
    stage: Callable[..., Any], entries: dict[str, Any]
) -> None:
    """Welders come and go; the same step at a registered device is unusual."""
    said: dict[str, list[str]] = {"m1": [], "g1": []}
    for device, found in said.items():
        told = stage(Unusual(ANY_RULE, Parameters()))
        told.register(entries["area"], entries["site"], entries["model"], entries["device"], entries["machine"])
        for value in (*(20.0 + _noise(120, 0.2)), *([120.0] * 10)):
            told.wait(60)
            found.extend(told.read(device, current_a=float(value)))
        assert len(told.detector.snapshot()["keys"]) == 1
    assert said == {"m1": [], "g1": ["A101 raise"]}


def test_states_places_and_gases_are_not_its_business(stage: Callable[..., Any]) -> None:
    """A valve opens and closes; gas is G105's."""
    told = stage(Unusual(ANY_RULE, Parameters()))
    told.read(valve=1.0, lat=33.7, lon=113.3, ch4_lel=1.0, flame=0.0)
    assert len(told.detector.snapshot()["keys"]) == 0


def test_two_quantities_of_one_device_are_one_alarm(stage: Callable[..., Any]) -> None:
    """The second joins as a change; it ends with the last of them."""
    told = stage(Unusual(ANY_RULE, Parameters()))
    noise = _noise(120, 0.2)
    said: list[str] = []
    for i in range(120):
        told.wait(60)
        said += told.read(temp_c=20.0 + noise[i], rh=50.0 + noise[-i] * 5)
    for i in range(40):
        told.wait(60)
        said += told.read(temp_c=35.0 if i < 15 else 20.0, rh=50.0 if i < 5 else 90.0 if i < 20 else 50.0)
    assert said == ["A101 raise", "A101 change", "A101 clear"]
    assert set(told.found[-1].evidence["peaks"]) == {"temp_c", "rh"}


def test_a_withdrawn_device_leaves_no_alarm_behind(stage: Callable[..., Any], entries: dict[str, Any]) -> None:
    """Its alarm ends with it, and nothing is said of it afterwards."""
    told = stage(Unusual(ANY_RULE, Parameters()))
    told.register(entries["area"], entries["site"], entries["model"], entries["device"])
    for value in (*(20.0 + _noise(120, 0.2)), *([30.0] * 5)):
        told.wait(60)
        told.read(temp_c=float(value))
    assert told.withdraw(entries["device"]) == ["A101 clear"]
    assert told.found[-1].evidence["reason"] == "withdrawn"
    for _ in range(40):
        told.wait(60)
        assert told.read(temp_c=20.0) == []
