"""The port behind which readings are kept for curves and reports."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from domain.readings import Float64, Int64, Readings

MIN_POINTS = 2
"""A curve of fewer points cannot keep both a minimum and a maximum."""


class Series(NamedTuple):
    """A curve: `time_ms` and `value` of shape (n,), ascending in time; `total` readings it stands for."""

    time_ms: Int64
    value: Float64
    total: int


class HistoryInfo(NamedTuple):
    """How many readings are held, from when to when (event time), on how many bytes."""

    readings: int
    first_ms: int | None
    last_ms: int | None
    bytes: int


class History(Protocol):
    """Readings by device and time. Idempotent: writing the same offsets again changes nothing.

    Every method raises EngineError when the engine fails.
    """

    def write(self, readings: Readings, paths: Sequence[str], end_offset: int) -> None:
        """Store the readings and the offset in one transaction; `paths[i]` is the device path of slot `i`.

        Readings whose offset is below the stored `offset()` are skipped.
        """
        ...

    def offset(self) -> int:
        """Return the journal offset up to which readings are stored."""
        ...

    def series(self, device: str, measurand: str, from_ms: int, to_ms: int, points: int) -> Series:
        """Return at most `points` points of `[from_ms, to_ms)`, chosen so that each bucket's minimum and maximum survive.

        All points when there are no more than that. Raises InputError when `points` is below MIN_POINTS.
        """
        ...

    def latest(self, device: str) -> dict[str, tuple[int, float]]:
        """Return measurand name → (event_ms, value) of the newest reading of each measurand."""
        ...

    def drop_before(self, before_ms: int) -> int:
        """Delete readings older than `before_ms`; return how many."""
        ...

    def info(self) -> HistoryInfo:
        """Return what is held."""
        ...

    def close(self) -> None:
        """Flush and release files."""
        ...
