"""A long curve drawn with few points, so that no peak is lost."""

import numpy as np
from numpy.typing import NDArray

from domain.readings import Float64, Int64


def bucket_ms(first_ms: int, last_ms: int, buckets: int) -> int:
    """Return the width of a bucket: whole milliseconds, at most `buckets` from the first reading to the last."""
    return (last_ms - first_ms) // buckets + 1


def extremes(time_ms: Int64, value: Float64, buckets: int) -> NDArray[np.intp]:
    """Return, in order of time, the rows of the least and the greatest value of each bucket; `time_ms` ascends."""
    first, last = int(time_ms[0]), int(time_ms[-1])
    bucket = (time_ms - first) // bucket_ms(first, last, buckets)
    order = np.lexsort((value, bucket))
    starts = np.flatnonzero(np.diff(bucket[order], prepend=-1))
    ends = np.append(starts[1:], len(order)) - 1
    return np.unique(order[np.concatenate([starts, ends])])
