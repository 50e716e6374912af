"""G105: a lasting rise is found, and what is ordinary is not; a leak does not teach the baseline that it is normal."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Output, World
from detectors.parameters import Parameters
from detectors.slowleak import SlowLeak
from domain.findings import Finding
from domain.measurands import INDEX
from domain.readings import Float64, Quality, Readings, Segment
from domain.slots import SlotTable

START_MS = 1_763_430_000_000
DAY = 1440


def _watch(
    values: Sequence[float] | Float64, step_s: float = 60.0, measurand: str = "ch4_lel", quality: int = 0
) -> Output:
    """Return what one device that says `values` every `step_s` seconds makes a fresh detector say."""
    n = len(values)
    times = START_MS + (np.arange(n) * step_s * 1000).astype(np.int64)
    readings = Readings(
        np.arange(n),
        np.zeros(n, np.int32),
        np.full(n, INDEX[measurand], np.int16),
        np.asarray(values, float),
        times,
        times,
        np.full(n, quality, np.uint8),
    )
    return SlowLeak(Parameters()).observe(Segment(0, n, readings), World(SlotTable(["a/s/g1"])))


def _minutes(finding: Finding) -> float:
    return (finding.at_ms - START_MS) / 60_000


def _actions(output: Output) -> list[str]:
    return [str(finding.action) for finding in output.findings]


def _noise(n: int, spread: float = 0.2, seed: int = 1) -> Float64:
    return np.random.default_rng(seed).normal(0.0, spread, n)


def test_a_small_lasting_rise_is_one_alarm_that_ends_with_it() -> None:
    """2 %LEL on a sensor with 0.2 %LEL of noise is found within minutes, held as one episode, and cleared after it."""
    values = np.round(1.0 + _noise(DAY), 1)
    values[600:900] += 2.0
    raised, cleared = _watch(values).findings
    assert (raised.action, cleared.action) == ("raise", "clear")
    assert 600 <= _minutes(raised) <= 605
    assert 900 <= _minutes(cleared) <= 925
    assert raised.evidence["baseline"] == pytest.approx(1.0, abs=0.15)
    assert cleared.evidence["lasted_s"] >= 17_000


def test_a_leak_in_the_first_hour_of_life_is_found() -> None:
    """Half an hour of learning is enough."""
    values = np.round(1.0 + _noise(120), 1)
    values[50:] += 3.0
    assert _actions(_watch(values)) == ["raise"]


def test_a_leak_does_not_become_normal_by_lasting() -> None:
    """After two days of leak the alarm still stands: an elevated channel hardly learns."""
    values = np.round(1.0 + _noise(3 * DAY), 1)
    values[DAY:] += 3.0
    output = _watch(values)
    assert _actions(output) == ["raise"]
    assert output.scores is not None
    assert output.scores.score[-1] > 1.0


@given(level=st.sampled_from([0.0, 0.1, 2.0, 20.9]), step_s=st.sampled_from([1.0, 10.0, 60.0, 1200.0]))
@settings(max_examples=16, deadline=None)
def test_a_constant_reading_never_alarms(level: float, step_s: float) -> None:
    """No noise is no reason to see a shift in nothing."""
    assert _watch([level] * 500, step_s).findings == []


def test_the_last_digit_flickering_never_alarms() -> None:
    """A sensor that only says 0 or 1 and stands between them is not leaking."""
    flicker = np.random.default_rng(4).random(2 * DAY) < np.linspace(0.02, 0.6, 2 * DAY)
    assert _watch(flicker.astype(float)).findings == []


@pytest.mark.parametrize("seed", range(2))
def test_an_ordinary_daily_shape_never_alarms(seed: int) -> None:
    """A zero that wanders by a few spreads with the temperature of the day stays quiet for a week."""
    minutes = np.arange(7 * DAY)
    values = 1.0 + 0.5 * np.sin(2 * np.pi * minutes / DAY) + _noise(len(minutes), 0.2, seed)
    assert _watch(np.round(values, 1)).findings == []


@pytest.mark.parametrize("seed", range(2))
def test_heavy_tails_never_alarm(seed: int) -> None:
    """Student's t with three degrees of freedom: outliers come singly and count singly."""
    tails = np.random.default_rng(seed).standard_t(3, 7 * DAY)
    assert _watch(np.round(2.0 + 0.2 * tails, 2)).findings == []


def test_cooking_for_some_seconds_never_alarms() -> None:
    """Thirty seconds of 10 %LEL every hour, sampled every five seconds, counts as half a minute and is forgotten."""
    values = np.round(1.0 + _noise(12 * 720), 1)
    for hour in range(1, 12):
        values[hour * 720 : hour * 720 + 6] += 10.0
    assert _watch(values, step_s=5.0).findings == []


def test_readings_once_in_twenty_minutes_find_a_leak_too() -> None:
    """A slow reporter counts each reading as one minute and never more."""
    values = np.round(1.0 + _noise(300), 1)
    values[200:] += 3.0
    assert _actions(_watch(values, step_s=1200.0)) == ["raise"]


def test_a_gap_is_no_evidence() -> None:
    """One high reading after six hours of silence is one reading."""
    values = np.round(1.0 + _noise(200), 1)
    first = _watch(values)
    assert first.findings == []
    detector, world = SlowLeak(Parameters()), World(SlotTable(["a/s/g1"]))
    times = np.append(START_MS + np.arange(200) * 60_000, START_MS + 200 * 60_000 + 6 * 3_600_000)
    n = len(times)
    column = np.full(n, INDEX["ch4_lel"], np.int16)
    readings = Readings(
        np.arange(n), np.zeros(n, np.int32), column, np.append(values, 5.0), times, times, np.zeros(n, np.uint8)
    )
    assert detector.observe(Segment(0, n, readings), world).findings == []


@pytest.mark.parametrize("quality", [Quality.LATE, Quality.RETAINED])
def test_late_and_retained_readings_neither_teach_nor_alarm(quality: Quality) -> None:
    """They are history: no score, no state."""
    output = _watch([1.0, 50.0] * 200, quality=quality)
    assert output.findings == []
    assert output.scores is None


def test_every_live_reading_of_a_gas_has_a_score_and_others_none(stage: Callable[..., Any]) -> None:
    """Scores come in journal order for combustible and toxic gases; oxygen and temperature have none."""
    told = stage(SlowLeak(Parameters()))
    told.read(ch4_lel=1.0, co_ppm=2.0, o2_vol=20.9, temp_c=20.0)
    assert told.detector.snapshot()["rows"].shape[0] == 2
    output = _watch(np.ones(50))
    assert output.scores is not None
    assert len(output.scores.score) == 50


def test_a_leak_scores_above_one_from_its_alarm_on() -> None:
    """The score is the sum over its limit, so 1 is where the alarm is."""
    values = np.round(1.0 + _noise(DAY), 1)
    values[600:700] += 2.0
    output = _watch(values)
    assert output.scores is not None
    raised = int(_minutes(output.findings[0]))
    assert output.scores.score[raised] >= 1.0
    assert (output.scores.score[100:600] < 1.0).all()


@given(scale=st.sampled_from([0.01, 0.1, 10.0, 1000.0]))
@settings(max_examples=4, deadline=None)
def test_each_sensor_is_judged_by_its_own_noise(scale: float) -> None:
    """The same shape at any scale is found at the same minute, once the spread is above the sensor's resolution."""
    values = 1.0 + _noise(DAY)
    values[600:900] += 2.0
    (raised, _) = _watch(values * scale * 50, measurand="ch4_ppm").findings
    assert 600 <= _minutes(raised) <= 605


def test_a_channel_costs_at_most_two_hundred_bytes() -> None:
    """State, key and index of one more device with one gas."""
    detector = SlowLeak(Parameters())
    n = 10_000
    readings = Readings(
        np.arange(n),
        np.arange(n, dtype=np.int32),
        np.full(n, INDEX["ch4_lel"], np.int16),
        np.ones(n),
        np.full(n, START_MS),
        np.full(n, START_MS),
        np.zeros(n, np.uint8),
    )
    detector.observe(Segment(0, n, readings), World(SlotTable([f"a/s/d{i}" for i in range(n)])))
    held = detector._rows.nbytes + detector._keys.nbytes + detector._index.nbytes
    assert held / n <= 200
