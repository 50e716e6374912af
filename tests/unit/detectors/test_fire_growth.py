"""F103 and F104: a fire seen before any point alarms, by how heat and carbon monoxide rise and how dense the smoke is."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Detector, World
from detectors.firegrowth import FireGrowth
from detectors.parameters import Parameters
from domain.findings import Severity
from domain.measurands import INDEX
from domain.readings import Readings, Segment
from registers.device import Device, DeviceKind, DeviceModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.detectors.conftest import Stage

NOISE = 0.3


@pytest.fixture
def room(stage: "Callable[[Detector], Stage]") -> "Stage":
    return stage(FireGrowth(Parameters()))


def warm(
    room: "Stage", rate: float, minutes: float, step_s: float = 10, start: float = 22.0, **others: Any
) -> list[str]:
    """Report a temperature that rises by `rate` °C a minute, every `step_s` seconds."""
    said = []
    for i in range(int(minutes * 60 / step_s) + 1):
        said += room.read("f1", temp_c=start + rate * i * step_s / 60, **others)
        room.wait(step_s)
    return said


@pytest.mark.parametrize("step_s", [1, 10, 30, 60])
def test_eight_degrees_a_minute_is_f104_however_often_it_is_reported(room: "Stage", step_s: float) -> None:
    """The rate class of a heat detector, well before the fixed temperature, from samples a second or a minute apart."""
    assert warm(room, 8.5, 3.2, step_s) == ["F104 raise"]
    evidence = room.found[0].evidence
    assert (evidence["reason"], evidence["rate_limit_c_min"], evidence["measurand"]) == ("rising", 8.0, "temp_c")
    assert evidence["rate_c_min"] == pytest.approx(8.5, abs=0.2)
    assert evidence["value"] < 54


def test_slow_warming_is_no_alarm_until_the_fixed_temperature(room: "Stage") -> None:
    """A kitchen that warms by two degrees a minute alarms at 54 °C, as a heat detector would."""
    assert warm(room, 2.0, 15.5) == []
    assert warm(room, 2.0, 1, start=53.5) == ["F104 raise"]
    assert room.found[0].evidence["reason"] == "hot"
    assert room.found[0].evidence["set_point"] == 54.0


def test_the_first_reading_of_a_burning_room_alarms(room: "Stage") -> None:
    """There is no delay: a hot reading needs no history."""
    assert room.read("f1", temp_c=70.0) == ["F104 raise"]
    assert room.found[0].severity is Severity.HIGH


def test_f104_clears_when_the_room_has_cooled(room: "Stage") -> None:
    """Five degrees below the fixed temperature and no longer rising."""
    room.read("f1", temp_c=60.0)
    room.wait(60)
    assert room.read("f1", temp_c=50.0) == []
    room.wait(60)
    assert room.read("f1", temp_c=48.0) == ["F104 clear"]
    assert room.found[-1].evidence == {"reason": "subsided"}


def test_one_wild_sample_proves_nothing(room: "Stage") -> None:
    """The slope is a median: a single reading 20 °C too high, below the fixed temperature, raises nothing."""
    assert warm(room, 0.0, 2) == []
    assert room.read("f1", temp_c=42.0) == []
    room.wait(10)
    assert warm(room, 0.0, 2) == []


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32))
def test_an_ordinary_day_is_silent(seed: int) -> None:
    """Eleven hours of noise, sunshine and a heater that adds two degrees in five minutes raises no rule."""
    rng, detector, world = np.random.default_rng(seed), FireGrowth(Parameters()), World()
    world.slots.take("a/s/f1")
    n = 4000
    seconds = np.arange(n) * 10
    temp = 22 + 4 * np.sin(seconds / 13_000) + 2 * np.clip(np.sin(seconds / 400), 0, 1) + rng.normal(0, NOISE, n)
    readings = Readings(
        np.arange(n),
        np.zeros(n, np.int32),
        np.full(n, INDEX["temp_c"], np.int16),
        temp,
        1000 * seconds + 10**12,
        1000 * seconds + 10**12,
        np.zeros(n, np.uint8),
    )
    assert detector.observe(Segment(0, n, readings), world).findings == []


def test_two_faint_signs_together_are_f103(room: "Stage") -> None:
    """Smoke alone is frying, a slow rise alone is a heater; both are a fire that begins."""
    assert room.read("f1", temp_c=22.0, smoke_dbm=0.06) == []
    assert warm(room, 4.0, 1.5, smoke_dbm=0.06) == ["F103 raise"]
    evidence = room.found[0].evidence
    assert evidence["criteria"] == ["smoke", "heat"]
    assert evidence["smoke_dbm"] == 0.06
    assert evidence["rate_c_min"] == pytest.approx(4.0, abs=0.3)
    assert evidence["limits"] == {"smoke_dbm": 0.05, "temp_rate": 3.0, "co_ppm": 10.0}


def test_a_third_sign_is_told_and_the_end_is_when_all_are_gone(room: "Stage") -> None:
    """One alarm an episode: it does not come and go with each sign."""
    said = []
    for minute in range(6):
        said += room.read("f1", co_ppm=4.0 * minute, smoke_dbm=0.08)
        room.wait(60)
    assert said == ["F103 raise"]
    assert warm(room, 5.0, 1) == ["F103 change"]
    assert room.read("f1", smoke_dbm=0.0) == []
    room.wait(700)
    assert room.read("f1", co_ppm=20.0) + warm(room, 0.0, 1, start=27.0) == ["F103 clear"]


def test_obscuration_in_percent_is_smoke_too(room: "Stage") -> None:
    """1.14 %/m is 0.05 dB/m."""
    room.say("fire.prealarm", "f2")
    assert warm(room, 5.0, 1, smoke_pct=1.1) == []
    assert room.read("f1", smoke_pct=1.2) == ["F103 raise"]


def test_the_detectors_own_pre_alarm_is_believed(room: "Stage") -> None:
    """A device that says it may be a fire has looked at several criteria itself."""
    assert room.say("fire.prealarm", "f1", point="smoke") == ["F103 raise"]
    assert room.found[0].evidence["criteria"] == ["device"]
    assert room.say("fire.clear", "f1", point="smoke") == ["F103 clear"]


def test_a_point_that_alarms_takes_over(room: "Stage") -> None:
    """From F101 on the pre-alarm has nothing to add; F104 stands on its own."""
    room.read("f1", temp_c=60.0, smoke_dbm=0.2)
    assert {f.rule for f in room.found} == {"F103", "F104"}
    assert room.say("fire.alarm", "f1", point="smoke") == ["F103 clear"]
    assert room.found[-1].evidence == {"reason": "point_alarmed"}
    assert room.read("f1", co_ppm=30.0) == []


def test_what_is_late_or_retained_is_history(room: "Stage") -> None:
    """Old heat is no heat now."""
    assert room.read("f1", temp_c=90.0, late=True) + room.read("f1", temp_c=90.0, retained=True) == []


@pytest.mark.parametrize(("kind", "watched"), [("fire", True), ("gas", True), ("electric", False), ("process", False)])
def test_the_heat_of_a_cable_is_not_the_rooms(room: "Stage", kind: str, watched: bool) -> None:  # noqa: FBT001  a column of the table
    """Temperatures of electricity and process are other rules' business."""
    room.register(DeviceModel(code="M", name="型", kind=DeviceKind(kind)), Device(code="f1", site="s", model="M"))
    assert bool(room.read("f1", temp_c=90.0)) is watched


def test_a_clock_set_back_begins_a_new_history(room: "Stage") -> None:
    """Samples of before are forgotten when the device's time jumps back by more than ten minutes."""
    warm(room, 1.0, 2)
    room.now_ms -= 3_600_000
    assert warm(room, 9.0, 1.5) == ["F104 raise"]


def test_state_comes_back_from_a_snapshot(room: "Stage") -> None:
    """The same readings after a restore give the same alarm."""
    warm(room, 8.5, 0.4)
    state: dict[str, Any] = room.detector.snapshot()
    room.detector = FireGrowth(Parameters())
    room.detector.restore(state)
    assert warm(room, 8.5, 0.5, start=26.25) == ["F104 raise"]


def test_what_turns_out_to_be_a_cable_is_no_fire_for_ever(room: "Stage") -> None:
    """A hot device of no register alarms as a room; registered as electric its temperature is another rule's."""
    assert room.read("k1", temp_c=70.0, smoke_dbm=0.2) == ["F103 raise", "F104 raise"]
    room.register(DeviceModel(code="E", name="型", kind=DeviceKind.ELECTRIC))
    assert room.register(Device(code="k1", site="s", model="E")) == ["F103 clear", "F104 clear"]
    assert room.detector.snapshot()["cases"] == []
    assert room.read("k1", temp_c=70.0) == []
