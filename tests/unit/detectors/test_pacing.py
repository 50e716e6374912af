"""Readings that come seconds after a look are looked at together with the next; slow reporters are looked at as they speak."""

import numpy as np
import pytest

from detectors.pacing import APART_MS, Pacing

ONE = np.zeros(1, np.int64)


def _say(pacing: Pacing, value: float, at_s: float) -> tuple[bool, float, float]:
    due, means, scores = pacing.take(ONE, np.array([value]), np.array([10**12 + int(at_s * 1000)]))
    return bool(due[0]), float(means[0]), float(scores[0])


@pytest.fixture
def pacing() -> Pacing:
    """Return the pacing of one channel."""
    made = Pacing()
    made.grow(1)
    return made


def test_slow_reporters_are_looked_at_as_they_speak(pacing: Pacing) -> None:
    """Every reading that comes long enough after the last is due, with its own value."""
    apart = APART_MS / 1000
    assert [_say(pacing, value, i * apart)[:2] for i, value in enumerate((1.0, 5.0, 2.0))] == [
        (True, 1.0),
        (True, 5.0),
        (True, 2.0),
    ]


def test_what_comes_soon_waits_for_the_next_look(pacing: Pacing) -> None:
    """The next look sees the mean of all that was said since the last."""
    said = [_say(pacing, value, at_s)[:2] for value, at_s in ((1.0, 0.0), (2.0, 3.0), (4.0, 9.0), (6.0, 12.0))]
    assert said[0] == (True, 1.0)
    assert [due for due, _ in said] == [True, False, False, True]
    assert said[3][1] == pytest.approx(4.0)


def test_after_a_pause_a_reading_is_looked_at_as_it_is(pacing: Pacing) -> None:
    """A device that speaks five times in five seconds every ten minutes: what it said ten minutes ago is not mixed in."""
    for second in range(5):
        _say(pacing, 1.0, second)
    assert _say(pacing, 100.0, 600.0)[:2] == (True, 100.0)


def test_the_last_score_holds_until_the_next_look(pacing: Pacing) -> None:
    """A reading that waits has the score that the channel has."""
    _say(pacing, 1.0, 0.0)
    pacing.keep(ONE, np.array([0.75]))
    assert _say(pacing, 2.0, 1.0) == (False, 1.5 + 0.5, 0.75)


def test_a_clock_set_back_is_a_pause(pacing: Pacing) -> None:
    """A device whose clock goes back an hour is not ignored for an hour."""
    _say(pacing, 1.0, 7200.0)
    assert _say(pacing, 2.0, 3600.0)[0]


def test_restored_it_goes_on_where_it_was(pacing: Pacing) -> None:
    """What waits is part of the state."""
    _say(pacing, 1.0, 0.0)
    _say(pacing, 2.0, 5.0)
    other = Pacing()
    other.restore(pacing.snapshot(1))
    assert _say(other, 4.0, 10.0) == _say(pacing, 4.0, 10.0) == (True, 3.0, 0.0)
