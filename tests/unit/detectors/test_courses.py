"""Courses of sensors: what they keep, and that a rise is never taken for a hover before it was judged exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.courses import FEWEST, POINTS, WINDOW_MS, Courses
from detectors.rising import _trend

ROW = np.zeros(1, np.int64)
LIMIT, HORIZON_S, LASTING_MS = 25.0, 300.0, 60_000.0


def _courses(points: list[tuple[int, float]]) -> Courses:
    courses = Courses()
    courses.grow(1)
    for at_ms, value in points:
        courses.add(ROW, np.array([at_ms]), np.array([value]))
    return courses


def _may(courses: Courses) -> bool:
    return bool(courses.may_reach(ROW, np.array([LIMIT]), HORIZON_S, LASTING_MS)[0])


def test_of_points_close_together_the_newest_counts() -> None:
    """A second apart for an hour: never more than a window's worth, the last among them, none too close but the last."""
    times, values = _courses([(i * 1000, float(i)) for i in range(3600)]).points(0)
    assert len(times) <= POINTS
    assert times[-1] == 3_599_000
    assert values[-1] == 3599.0
    assert times[-1] - times[0] <= WINDOW_MS
    assert (times[2:] - times[:-2] >= WINDOW_MS // POINTS).all()


def test_a_few_points_are_kept_however_old() -> None:
    """A sensor that speaks every ten minutes has its last four."""
    times, _ = _courses([(i * 600_000, 1.0) for i in range(10)]).points(0)
    assert times.tolist() == [i * 600_000 for i in range(10 - FEWEST, 10)]


def test_what_is_no_news_is_not_added() -> None:
    """A reading older than the last, or as old, changes nothing."""
    courses = _courses([(0, 1.0), (10_000, 2.0)])
    assert not courses.add(ROW, np.array([10_000]), np.array([9.0]))[0]
    assert courses.points(0)[1].tolist() == [1.0, 2.0]


def test_a_clock_set_back_begins_anew() -> None:
    """By hours: what came before is forgotten. By seconds, messages only came in another order."""
    hour = 3_600_000
    courses = _courses([(hour, 1.0), (hour + 10_000, 2.0), (hour + 4_000, 9.0)])
    assert courses.points(0)[1].tolist() == [1.0, 2.0]
    assert courses.add(ROW, np.array([0]), np.array([3.0]))[0]
    assert courses.points(0)[1].tolist() == [3.0]


def test_a_cleared_course_begins_anew() -> None:
    """Also with a clock that was set back."""
    courses = _courses([(100_000, 1.0), (110_000, 2.0)])
    courses.clear(ROW)
    assert courses.is_empty(ROW)[0]
    courses.add(ROW, np.array([0]), np.array([3.0]))
    assert courses.points(0)[1].tolist() == [3.0]


@pytest.mark.parametrize(("rise", "may"), [(0.4, True), (0.0, False), (-0.4, False), (0.01, False)])
def test_only_what_rises_fast_enough_may_reach_the_limit(rise: float, may: bool) -> None:  # noqa: FBT001  a table of cases
    """By 5 %LEL a minute it does; level, falling, or by an eighth of that it does not."""
    assert _may(_courses([(i * 5000, 5.0 + rise * i) for i in range(24)])) is may


_steps = st.lists(st.tuples(st.integers(500, 40_000), st.floats(-2.0, 6.0)), min_size=FEWEST, max_size=60)


@given(steps=_steps, start=st.floats(5.0, 20.0))
def test_whatever_the_exact_slopes_call_a_rise_is_let_through(steps: list[tuple[int, float]], start: float) -> None:
    """The quick look over all sensors may err on the side of looking closer, never on the other."""
    at, value = np.cumsum([0] + [dt for dt, _ in steps]), start + np.cumsum([0.0] + [by for _, by in steps])
    courses = _courses(list(zip(at.tolist(), value.tolist(), strict=True)))
    times, values = courses.points(0)
    if len(times) < FEWEST or times[-1] - times[0] < LASTING_MS:
        return
    trend = _trend(times, values, HORIZON_S)
    if trend.low > 0 and values[-1] < LIMIT <= values[-1] + trend.gain:
        assert _may(courses)
