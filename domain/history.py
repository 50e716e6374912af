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

    Values keep at least 12 digits. Readings alike in device, measurand, time and value may be held as one. Every method raises
    EngineError when the engine fails.
    """

    def write(self, readings: Readings, paths: Sequence[str], end_offset: int) -> None:
        """Store the readings, and with or behind them the offset; `paths[i]` is the device path of slot `i`.

        Readings whose offset is below that of an earlier write are skipped. After an EngineError go on from `offset()`: an
        engine may have lost what it had taken but not yet stored.
        """
        ...

    def offset(self) -> int:
        """Return the journal offset up to which readings are stored for good; it may lag behind `write`. Never blocks."""
        ...

    def series(self, device: str, measurand: str, from_ms: int, to_ms: int, points: int) -> Series:
        """Return at most `points` points of `[from_ms, to_ms)`, chosen so that no peak is lost.

        Of `points // 2` buckets of equal width (whole ms) from the first reading on, each keeps its minimum and its maximum; all
        points when there are no more than `points`. Raises InputError when `points` is below MIN_POINTS.
        """
        ...

    def latest(self, device: str) -> dict[str, tuple[int, float]]:
        """Return measurand name → (event_ms, value) of the newest reading of each measurand."""
        ...

    def drop_before(self, before_ms: int) -> int:
        """Delete readings older than `before_ms`; return how many. A server that forgets by a rule of its own deletes none."""
        ...

    def info(self) -> HistoryInfo:
        """Return what is held."""
        ...

    def close(self) -> None:
        """Flush and release files."""
        ...
