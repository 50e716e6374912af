"""State in arrays indexed by slot: they grow on demand, keep what they hold, and are advanced in rounds."""

from collections.abc import Collection, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.readings import Int32, Int64

_T = TypeVar("_T", bound=np.generic)


def grown(array: NDArray[_T], size: int, fill: float = 0) -> NDArray[_T]:
    """Return `array` if it has at least `size` rows, else a longer copy (by half at least), new rows set to `fill`."""
    have = len(array)
    if size <= have:
        return array
    shape = (max(size, have + have // 2), *array.shape[1:])
    # zeros take no memory before they are written
    longer = np.full(shape, fill, array.dtype) if fill else np.zeros(shape, array.dtype)
    longer[:have] = array
    return longer


def gathered(rows: NDArray[_T], channels: Int64) -> NDArray[_T]:
    """Return the rows of some channels as columns, shape (k, n), for arithmetic along channels.

    State is kept a row a channel, so that a channel costs the memory bus one visit, not one for each of its numbers.
    """
    return np.ascontiguousarray(rows.take(channels, axis=0).T)


class Marks:
    """Tells which rows are of some of many slots, without looking at all slots. Memory: a byte a slot."""

    def __init__(self) -> None:
        self._marked = np.empty(0, np.bool_)

    def among(self, slots: Int32, chosen: Collection[int], size: int) -> NDArray[np.bool_]:
        """Return the mask of rows whose slot, of `size` there are, is one of the chosen."""
        if not len(chosen):
            return np.zeros(len(slots), np.bool_)
        self._marked = grown(self._marked, size)
        marks = np.fromiter(chosen, np.int64, len(chosen))
        self._marked[marks] = True
        mask: NDArray[np.bool_] = self._marked[slots]
        self._marked[marks] = False
        return mask


def rounds(channels: Int64) -> Iterator[Int64]:
    """Yield row numbers so that no round has a channel twice and each channel's rows come in order."""
    if _is_rising(channels) or _is_rising(np.sort(channels)):  # the rule when devices report in turn: each once
        yield np.arange(len(channels))
        return
    order = np.argsort(channels, kind="stable")
    starts = np.flatnonzero(np.diff(channels[order], prepend=-1))
    rank = np.arange(len(channels)) - np.repeat(starts, np.diff(starts, append=len(channels)))
    by_rank = order[np.argsort(rank, kind="stable")]
    yield from np.split(by_rank, np.cumsum(np.bincount(rank))[:-1])


def _is_rising(numbers: Int64) -> bool:
    return bool((numbers[1:] > numbers[:-1]).all())
