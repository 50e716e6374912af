"""A recording as records: in the devices' own time, with as few ticks as change nothing."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.build import build_engine
from domain.findings import Finding
from domain.records import REGISTER, START, TICK, RecordBatch
from emberwatch.backtest.channels import Channel, in_recording
from emberwatch.backtest.feed import lead_ms, pace_ms, records, registers
from emberwatch.backtest.recording import Recording
from emberwatch.pipeline import Machine
from registers.device import DeviceKind

MINUTE = 60_000
DAY = 1440 * MINUTE
MONDAY = 1_767_571_200_000
"""2026-01-05T00:00Z."""


def recorded(values: list[list[float]], measurands: list[str], step_ms: int = MINUTE, start: int = MONDAY) -> Recording:
    channels = tuple(Channel(name, in_recording("d"), name) for name in measurands)
    return Recording(channels, start + np.arange(len(values)) * step_ms, np.array(values, float), len(values))


def test_records_begin_with_start_and_registers_and_tick_with_time() -> None:
    """One message a device and moment, without the cells that are empty."""
    recording = recorded([[1.5, 20], [np.nan, np.nan], [np.nan, 21]], ["ch4_ppm", "temp_c"])
    made = list(records(recording))
    telemetry = "safety/v1/backtest/recording/d/telemetry"
    assert [r.topic for r in made] == [START, REGISTER, TICK, telemetry, telemetry, TICK]
    moment = MONDAY + lead_ms(recording)
    assert json.loads(made[3].payload) == {"ts": moment, "v": {"ch4_ppm": 1.5, "temp_c": 20.0}}


def test_the_detectors_midnight_is_the_recordings() -> None:
    """Or the weekend of a works in Ohio would begin at eight in the morning."""
    assert (MONDAY + lead_ms(recorded([[1]], ["rh"])) + 8 * 60 * MINUTE) % DAY == 0


def test_seconds_from_an_ignition_are_times_too() -> None:
    """Devices cannot speak before 1970: the detectors see another week, at the same hour of the same day."""
    lead = lead_ms(recorded([[1]], ["rh"], start=-120_000))
    assert -120_000 + lead > 0
    assert lead % (7 * DAY) == lead_ms(recorded([[1]], ["rh"])) % (7 * DAY)


def test_silence_is_time_that_goes_on() -> None:
    """Ticks at doubling distances through a hole, so that what waits for time does not wait for the next reading."""
    recording = recorded([[1]] * 5, ["rh"])
    recording.times[4] += DAY
    ticks = [r.received_ms - lead_ms(recording) - MONDAY for r in records(recording) if r.topic == TICK]
    assert ticks[:4] == [0, 5 * MINUTE, 7 * MINUTE, 11 * MINUTE]
    assert len(ticks) < 20


def kind(temperatures: list[float], step_ms: int) -> DeviceKind:
    changes = registers(recorded([[t] for t in temperatures], ["temp_c"], step_ms))
    return next(DeviceKind((change.row or {})["kind"]) for change in changes if change.noun == "model")


def test_what_is_usually_hot_is_no_room() -> None:
    """Its heat is no fire; a machine that was started during the week was hot for most of it."""
    assert kind([21.0] * 100, 60 * MINUTE) == DeviceKind.FIRE
    assert kind([21.0] * 30 + [86.0] * 70, 60 * MINUTE) == DeviceKind.PROCESS


def test_a_room_that_burns_is_a_room() -> None:
    """Most of a fire test is hot, but it began as a room does."""
    assert kind([21.0] * 30 + [600.0] * 300, 1000) == DeviceKind.FIRE
    assert kind([86.0] * 330, 1000) == DeviceKind.PROCESS


def found(recording: Recording, pace: int) -> list[tuple[str, str, int]]:
    machine, findings = Machine(build_engine), list[Finding]()
    for decoded in machine.decoder.decode(RecordBatch(0, list(records(recording, pace)))):
        findings += machine.engine.process(decoded.segment)
    return [(f.rule, f.action, f.at_ms) for f in findings if f.rule[0] != "D"]


@pytest.mark.parametrize("measurand", ["ch4_lel", "temp_c", "value"])
@given(seed=st.integers(0, 2**32 - 1), pace=st.integers(1, 60))
@settings(max_examples=5)
def test_ticks_change_nothing_about_what_is_measured(measurand: str, seed: int, pace: int) -> None:
    """However rare they are, rules that judge readings find the same at the same readings."""
    rng = np.random.default_rng(seed)
    values = 20.0 + rng.standard_normal(120) + 30.0 * (rng.random(120) < 0.1)
    values[60:80] += 40.0 * rng.random()
    recording = recorded(values[:, None].tolist(), [measurand])
    assert found(recording, 1000) == found(recording, pace * MINUTE)


def test_ticks_are_sixty_rows_apart_within_a_second_and_a_quarter_of_an_hour() -> None:
    """Of a fast recording every minute's end, of a slow one every quarter."""
    assert [pace_ms(recorded([[1], [1]], ["rh"], step)) for step in (1, 1000, MINUTE, 60 * MINUTE)] == [
        1000,
        MINUTE,
        15 * MINUTE,
        15 * MINUTE,
    ]
