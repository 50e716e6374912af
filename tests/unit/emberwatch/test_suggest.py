"""Proposed set points: low enough to be of use, high enough not to cry wolf, never above what the standard allows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emberwatch.backtest.channels import Channel, parse_mapping
from emberwatch.backtest.recording import Recording
from emberwatch.backtest.suggest import Suggestion, suggest
from emberwatch.backtest.truth import Interval

MINUTE = 60_000
LEL = parse_mapping("x=kitchen:ch4_lel")


def recorded(values: list[float], channel: Channel = LEL) -> Recording:
    return Recording((channel,), np.arange(len(values)) * MINUTE, np.array(values)[:, None], len(values))


def one(values: list[float], truth: list[Interval] | None = None) -> Suggestion:
    (proposal,) = suggest(recorded(values), truth or [])
    return proposal


def test_a_quiet_sensor_gets_low_set_points() -> None:
    """Noise of 1 %LEL leaves room far below the 25 %LEL of the standard."""
    values = np.random.default_rng(1).normal(1.0, 0.3, 10_000).clip(0).tolist()
    proposal = one(values)
    assert 2.5 <= proposal.level1 < 10
    assert proposal.false_alarms_level1 <= 1


def test_cooking_spikes_lift_the_proposal() -> None:
    """Daily spikes to 8 %LEL must not alarm daily."""
    values = [1.0] * 10_000
    for start in range(500, 10_000, 1_000):
        values[start : start + 3] = [8.0] * 3
    proposal = one(values)
    assert proposal.level1 > 8
    assert proposal.false_alarms_level1 == 0


def test_known_events_do_not_count_as_false() -> None:
    """A leak in the history is what the set point is for."""
    values = [1.0] * 5_000
    values[2_000:2_100] = [20.0] * 100
    leak = Interval(2_000 * MINUTE, 2_100 * MINUTE)
    assert one(values, [leak]).level1 < one(values).level1 or one(values, [leak]).level1 < 20


@given(st.lists(st.floats(0, 100), min_size=2, max_size=200))
def test_no_proposal_exceeds_the_standard(values: list[float]) -> None:
    """And level 1 stays below level 2."""
    proposal = one(values)
    assert 0 < proposal.level1 < proposal.level2 <= proposal.bound2
    assert proposal.level1 <= proposal.bound1


def test_what_has_no_set_points_gets_no_proposal() -> None:
    """Temperature is judged by other rules."""
    assert suggest(recorded([20.0, 21.0], parse_mapping("x=k:rh")), []) == []
