"""G105: a lasting rise is found, and what is ordinary is not; a leak does not teach the baseline that it is normal."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Output, World
from detectors.parameters import Parameters
from detectors.unusual import GAS_RULE, Unusual
from domain.findings import Finding
from domain.measurands import INDEX
from domain.readings import Float64, Quality, Readings, Segment
from domain.slots import SlotTable

START_MS = 1_763_430_000_000
DAY = 1440


def _watch(values: Any, step_s: float = 60.0, measurand: str = "ch4_lel", quality: int = 0) -> Output:
    """Return what devices, a column each, that speak every `step_s` seconds make a fresh detector say."""
    table = np.asarray(values, float).reshape(len(values), -1)
    rows, devices = table.shape
    n = rows * devices
    row = np.repeat(np.arange(rows), devices)
    times = START_MS + (row * step_s * 1000).astype(np.int64)
    readings = Readings(
        row,
        np.tile(np.arange(devices, dtype=np.int32), rows),
        np.full(n, INDEX[measurand], np.int16),
        table.ravel(),
        times,
        times,
        np.full(n, quality, np.uint8),
    )
    world = World(SlotTable([f"a/s/g{i}" for i in range(devices)]))
    return Unusual(GAS_RULE, Parameters()).observe(Segment(0, rows, readings), world)


def _minutes(finding: Finding) -> float:
    return (finding.at_ms - START_MS) / 60_000


def _actions(output: Output) -> list[str]:
    return [str(finding.action) for finding in output.findings]


def _noise(n: int, spread: float = 0.2, seed: int = 1, devices: int = 1) -> Float64:
    return np.random.default_rng(seed).normal(0.0, spread, (n, devices))


def test_a_small_lasting_rise_is_one_alarm_that_ends_with_it() -> None:
    """2 %LEL on a sensor with 0.2 %LEL of noise is found within minutes, held as one episode, and cleared after it."""
    values = np.round(1.0 + _noise(960), 1)
    values[600:800] += 2.0
    raised, cleared = _watch(values).findings
    assert (raised.action, cleared.action) == ("raise", "clear")
    assert 601 <= _minutes(raised) <= 605
    assert 800 <= _minutes(cleared) <= 820
    assert raised.evidence["baseline"] == pytest.approx(1.0, abs=0.15)
    assert raised.evidence["baseline_of"] == "last_days"
    assert cleared.evidence["lasted_s"] >= 11_000


def test_a_rise_smaller_than_the_noise_allows_for_one_reading_is_found_when_it_lasts() -> None:
    """Two spreads, unseen in any one reading, are certain within three hours."""
    values = np.round(1.0 + _noise(1200), 2)
    values[900:] += 0.4
    (raised,) = _watch(values).findings
    assert 905 <= _minutes(raised) <= 1080


def test_a_leak_in_the_first_hour_of_life_is_found() -> None:
    """Half an hour of learning is enough."""
    values = np.round(1.0 + _noise(120), 1)
    values[50:] += 3.0
    assert _actions(_watch(values)) == ["raise"]


def test_a_leak_does_not_become_normal_by_lasting_for_hours() -> None:
    """A sensor known for two days and a leak of ten hours: the alarm stands to its end, and so does the baseline."""
    values = np.round(1.0 + _noise(3480), 1)
    values[2880:] += 3.0
    output = _watch(values)
    assert _actions(output) == ["raise"]
    assert output.scores is not None
    assert output.scores.score[-1] > 1.0


def test_a_step_that_lasts_is_a_new_normal_in_the_end_and_the_finding_says_so() -> None:
    """A quarter of the time the sensor was known later, the alarm ends with the reason, the old level and the new one."""
    values = np.round(1.0 + _noise(2400), 1)
    values[1500:] += 3.0
    raised, cleared = _watch(values).findings
    assert cleared.evidence["reason"] == "new_normal"
    assert cleared.evidence["baseline"] == pytest.approx(1.0, abs=0.3)
    assert cleared.evidence["value"] == pytest.approx(4.0, abs=0.8)
    assert 375 <= _minutes(cleared) - _minutes(raised) <= 540


@given(level=st.sampled_from([0.0, 0.1, 2.0, 20.9]), step_s=st.sampled_from([1.0, 60.0, 1200.0]))
@settings(max_examples=6)
def test_a_constant_reading_never_alarms(level: float, step_s: float) -> None:
    """No noise is no reason to see a shift in nothing."""
    assert _watch([level] * 300, step_s).findings == []


def test_the_last_digit_flickering_never_alarms() -> None:
    """A sensor that only says 0 or 1 and stands between them is not leaking."""
    flicker = np.random.default_rng(4).random(DAY) < np.linspace(0.02, 0.6, DAY)
    assert _watch(flicker.astype(float)).findings == []


def test_an_ordinary_daily_shape_never_alarms() -> None:
    """Twelve zeros that wander by a few spreads with the temperature of the day stay quiet for three days."""
    minutes = np.arange(3 * DAY)[:, None]
    values = 1.0 + 0.5 * np.sin(2 * np.pi * minutes / DAY) + _noise(len(minutes), 0.2, 3, devices=12)
    assert _watch(np.round(values, 1)).findings == []


def test_heavy_tails_hardly_ever_alarm() -> None:
    """Student's t with three degrees of freedom, 20 sensors, two days: outliers come singly, and one reading never alarms."""
    tails = np.random.default_rng(0).standard_t(3, (2 * DAY, 20))
    assert len([f for f in _watch(np.round(2.0 + 0.2 * tails, 2)).findings if f.action == "raise"]) <= 2


def test_cooking_for_some_seconds_never_alarms() -> None:
    """Thirty seconds of 10 %LEL every hour, sampled every five seconds, counts as half a minute and is forgotten."""
    values = np.round(1.0 + _noise(4 * 720), 1)
    for hour in range(1, 4):
        values[hour * 720 : hour * 720 + 6] += 10.0
    assert _watch(values, step_s=5.0).findings == []


def test_readings_once_in_twenty_minutes_find_a_leak_too() -> None:
    """A slow reporter counts each reading as one minute and never more."""
    values = np.round(1.0 + _noise(220), 1)
    values[200:] += 3.0
    assert _actions(_watch(values, step_s=1200.0)) == ["raise"]


@pytest.mark.parametrize("spike", [5.0, 90.0])
def test_one_reading_is_no_evidence_however_high(spike: float) -> None:
    """A spike of one reading, in the stream or after hours of silence, never alarms."""
    values = np.round(1.0 + _noise(200), 1)
    values[[100, 199]] = spike
    assert _watch(values).findings == []


@pytest.mark.parametrize("quality", [Quality.LATE, Quality.RETAINED])
def test_late_and_retained_readings_neither_teach_nor_alarm(quality: Quality) -> None:
    """They are history: no score, no state."""
    output = _watch([1.0, 50.0] * 50, quality=quality)
    assert output.findings == []
    assert output.scores is None


def test_every_live_reading_of_a_gas_has_a_score_and_others_none(stage: Callable[..., Any]) -> None:
    """Scores come in journal order for combustible and toxic gases; oxygen and temperature are A101's."""
    told = stage(Unusual(GAS_RULE, Parameters()))
    told.read(ch4_lel=1.0, co_ppm=2.0, o2_vol=20.9, temp_c=20.0)
    assert len(told.detector.snapshot()["keys"]) == 2
    output = _watch(np.ones(50))
    assert output.scores is not None
    assert len(output.scores.score) == 50


def test_a_score_is_one_where_the_alarm_is_and_higher_the_farther_out() -> None:
    """Below one without alarm, from one on with it, and a leak three times as strong scores higher."""
    values = np.round(1.0 + _noise(700, devices=2), 1)
    values[600:] += (2.0, 6.0)
    output = _watch(values)
    assert output.scores is not None
    score = output.scores.score.reshape(-1, 2)
    raised = {f.device: int(_minutes(f)) for f in output.findings}
    assert (score[100:600] < 1.0).all()
    assert all(score[minute, int(device[-1])] >= 1.0 for device, minute in raised.items())
    assert score[650:, 1].mean() > score[650:, 0].mean()


@given(scale=st.sampled_from([0.01, 0.1, 10.0, 1000.0]))
@settings(max_examples=4)
def test_each_sensor_is_judged_by_its_own_noise(scale: float) -> None:
    """The same shape at any scale is found at the same minute, once the spread is above the sensor's resolution."""
    values = 1.0 + _noise(460)
    values[400:] += 2.0
    (raised,) = _watch(values * scale * 50, measurand="ch4_ppm").findings
    assert 401 <= _minutes(raised) <= 405


def test_a_channel_costs_less_than_five_hundred_bytes() -> None:
    """Baseline, daily shape, sums and key of one more device with one gas."""
    detector = Unusual(GAS_RULE, Parameters())
    n = 10_000
    column = np.full(n, START_MS)
    readings = Readings(
        np.arange(n),
        np.arange(n, dtype=np.int32),
        np.full(n, INDEX["ch4_lel"], np.int16),
        np.ones(n),
        column,
        column,
        np.zeros(n, np.uint8),
    )
    detector.observe(Segment(0, n, readings), World(SlotTable([f"a/s/d{i}" for i in range(n)])))
    state = detector.snapshot()
    arrays = [state["keys"], state["suspicions"], *state["baselines"].values()]
    assert sum(array.nbytes for array in arrays) / n <= 500
