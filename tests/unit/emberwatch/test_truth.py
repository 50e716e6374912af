"""Judging alarms against what is known: definitions that a reader can check by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emberwatch.backtest.truth import MERGE_MS, Interval, judge, merge, score_auc

MINUTE = 60_000
DAY = 86_400_000
SPAN = Interval(0, 2 * DAY)

intervals = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 500)).map(lambda t: Interval(t[0], t[0] + t[1])),
    max_size=20,
)


def minutes(start: float, end: float) -> Interval:
    return Interval(round(start * MINUTE), round(end * MINUTE))


def test_an_alarm_inside_an_event_finds_it_with_its_delay() -> None:
    """Delay runs from the event's start to the first active moment."""
    verdict = judge([minutes(107, 130)], [minutes(100, 160)], SPAN)
    assert (verdict.found, verdict.total, verdict.delay_median_min, verdict.false_events) == (1, 1, 7.0, 0)


def test_an_alarm_already_active_finds_it_at_once() -> None:
    """An alarm that began before the event is not late."""
    assert judge([minutes(50, 130)], [minutes(100, 160)], SPAN).delay_median_min == 0


def test_an_alarm_after_the_event_does_not_find_it_and_is_false() -> None:
    """Nothing known was happening."""
    verdict = judge([minutes(200, 210)], [minutes(100, 160)], SPAN)
    assert (verdict.found, verdict.false_events) == (0, 1)


def test_false_alarms_close_together_count_once() -> None:
    """Less than thirty minutes apart is one event to a person."""
    alarms = [minutes(500, 501), minutes(520, 521), minutes(600, 601)]
    verdict = judge(alarms, [minutes(100, 160)], SPAN)
    assert verdict.false_events == 2


def test_false_events_are_counted_per_event_free_day() -> None:
    """Half a day of known events leaves a day and a half."""
    verdict = judge([Interval(DAY, DAY + MINUTE)], [Interval(0, DAY // 2)], SPAN)
    assert verdict.false_per_event_free_day == pytest.approx(1 / 1.5, abs=1e-3)


def test_an_alarm_that_never_ends_is_shown_for_what_it_is() -> None:
    """It finds everything at once and is never false; its share of the free time tells."""
    verdict = judge([SPAN], [Interval(0, DAY // 2)], SPAN)
    assert (verdict.found, verdict.false_events, verdict.alarmed_share_of_free_time) == (1, 0, 1.0)


def test_alarms_inside_events_take_no_free_time() -> None:
    """Only what sticks out counts."""
    verdict = judge([Interval(0, DAY // 2 + DAY * 3 // 20)], [Interval(0, DAY // 2)], SPAN)
    assert verdict.alarmed_share_of_free_time == pytest.approx(0.1)


def test_events_outside_the_recording_are_left_out() -> None:
    """What was not recorded cannot be found."""
    assert judge([], [Interval(3 * DAY, 4 * DAY)], SPAN).total == 0


@given(intervals)
def test_merged_intervals_are_in_order_apart_and_cover_the_same(given_: list[Interval]) -> None:
    """Merging loses no moment and leaves real gaps."""
    merged = merge(given_, 50)
    assert all(b.start_ms - a.end_ms > 50 for a, b in itertools.pairwise(merged))
    assert all(any(m.start_ms <= i.start_ms and i.end_ms <= m.end_ms for m in merged) for i in given_)


def test_the_area_under_the_curve_is_the_chance_of_the_right_order() -> None:
    """Of two moments within and two outside, three of the four pairs are in order, and a tie counts half."""
    times = np.array([0, 1, 2, 3]) * MINUTE
    assert score_auc(times, np.array([0.1, 0.9, 0.5, 0.5]), [minutes(1, 2)]) == pytest.approx(3.5 / 4)


def test_of_several_devices_the_highest_score_of_a_moment_counts() -> None:
    """As alarms of all devices count together."""
    times = np.array([0, 0, 1, 1]) * MINUTE
    assert score_auc(times, np.array([0.1, 0.2, 0.0, 0.9]), [minutes(1, 2)]) == 1.0


def test_without_a_moment_outside_there_is_no_order_to_judge() -> None:
    """Nor without one within."""
    times = np.array([0, 1]) * MINUTE
    assert score_auc(times, np.array([0.1, 0.2]), [minutes(0, 2)]) is None
    assert score_auc(times, np.array([0.1, 0.2]), []) is None


def test_the_gap_is_thirty_minutes() -> None:
    """The definition others published with."""
    assert MERGE_MS == 30 * MINUTE
