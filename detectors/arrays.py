"""State in arrays indexed by slot: they grow on demand and keep what they hold."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", bound=np.generic)


def grown(array: NDArray[_T], size: int, fill: float = 0) -> NDArray[_T]:
    """Return `array` if it has at least `size` rows, else a longer copy (by half at least), new rows set to `fill`."""
    have = len(array)
    if size <= have:
        return array
    longer = np.full((max(size, have + have // 2), *array.shape[1:]), fill, array.dtype)
    longer[:have] = array
    return longer
