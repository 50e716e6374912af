"""The cumulative sum of Page (1954), one-sided, for many channels at once: the fastest test for a shift of known size.

`bench/detection/mean_shift.py` compares it with the theory of its delay and false alarms.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", bound=np.floating)


def climb(
    total: NDArray[_T], z: NDArray[_T], weight: NDArray[_T] | float, k: float, ceiling: NDArray[_T] | float
) -> NDArray[_T]:
    """Return the sums after one more standardised reading `z` each, in σ times the unit of `weight`.

    The sum grows by the excess over `k` (half the shift looked for is best), never falls below zero, and is held at
    `ceiling`, so that an episode ends soon after its cause.
    """
    grown: NDArray[_T] = np.maximum(np.minimum(total + (z - k) * weight, ceiling), 0.0)
    return grown
