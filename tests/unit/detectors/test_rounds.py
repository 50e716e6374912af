"""Rounds: how arrays of channels are advanced when a channel comes several times."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.arrays import rounds


@given(st.lists(st.integers(0, 6), max_size=30))
def test_no_round_has_a_channel_twice_and_each_channel_comes_in_order(channels: list[int]) -> None:
    """Every row comes once; the rows of one channel in the order given."""
    parts = [part.tolist() for part in rounds(np.array(channels, np.int64))]
    assert sorted(row for part in parts for row in part) == list(range(len(channels)))
    assert all(len({channels[row] for row in part}) == len(part) for part in parts)
    for channel in set(channels):
        rows = [row for part in parts for row in part if channels[row] == channel]
        assert rows == sorted(rows)
