"""How often a model looks: what a channel says within seconds of the last look waits, and the next look sees the mean of it all.

One second tells a model of hours nothing that ten do not, so a device that reports every second costs little more than one that
reports every ten. The first reading after a pause is looked at as it is and at once: a slow reporter loses no time. Until the
next look the score of the last one holds.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import grown
from domain.readings import Float64, Int64

APART_MS = 10_000.0
"""Looks at a channel lie at least this far apart."""
_LOOK_MS, _SUM, _COUNT, _SCORE = range(4)
_COLUMNS = 4


class Pacing:
    """When each channel was last looked at, sum and number of readings since, and its last score: 32 bytes a channel."""

    def __init__(self) -> None:
        self._rows: Float64 = np.empty((0, _COLUMNS))

    def grow(self, size: int) -> None:
        """Make room for channels up to `size`; the next reading of a new one is looked at (its last look was in 1970)."""
        self._rows = grown(self._rows, size)

    def take(self, channels: Int64, values: Float64, times_ms: Int64) -> tuple[NDArray[np.bool_], Float64, Float64]:
        """Take one reading into each channel; return whether it is time to look, the means to look at, and the scores so far.

        A clock set back is a pause too. What waited before a pause is forgotten: it says nothing of now.
        """
        rows = self._rows.take(channels, axis=0)
        since = np.abs(times_ms - rows[:, _LOOK_MS])
        due: NDArray[np.bool_] = since >= APART_MS
        rows[since >= 2.0 * APART_MS, _SUM : _COUNT + 1] = 0.0
        rows[:, _SUM] += values
        rows[:, _COUNT] += 1.0
        means = rows[:, _SUM] / rows[:, _COUNT]
        np.copyto(rows[:, _LOOK_MS], times_ms, where=due)
        rows[due, _SUM : _COUNT + 1] = 0.0
        self._rows[channels] = rows
        return due, means, rows[:, _SCORE]

    def keep(self, channels: Int64, scores: NDArray[np.floating[Any]]) -> None:
        """Hold these scores until the next look."""
        self._rows[channels, _SCORE] = scores

    def snapshot(self, count: int) -> Float64:
        """Return the state of the first `count` channels."""
        return self._rows[:count].copy()

    def restore(self, state: Float64) -> None:
        """Become what `snapshot` gave."""
        self._rows = np.array(state)
