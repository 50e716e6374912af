"""The disk before it is full: what gives way early, in which order, and when we stop taking messages in.

First dead letters, but for a few; then the oldest messages that are decided, before their time; then the oldest days of
readings. The books, in which every alarm keeps its evidence, give way to nothing. When even that does not help, nothing is
acknowledged any more: the broker keeps the messages. On a disk without a byte left nothing can even be dropped, so some space
is set aside for that.
"""

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from domain.errors import EngineError
from domain.history import History
from domain.records import Journal, JournalInfo, Record, RecordBatch
from ledger.books import DeadLetters

_LOG = logging.getLogger(__name__)
_FLOOR = 8
"""Below this part of the limit nothing is taken in: what is left is for the books, so that alarms still go out."""
_STEP = 8
"""The part of the oldest messages that gives way at once before the disk is looked at again."""
_RESERVE = 64 << 20
"""Bytes set aside: databases write before they drop."""
_DAY_MS = 86_400_000


class Disk:
    """Free space against a limit (bytes); `free` is asked each time and may raise OSError. `reserve`: a file of ours."""

    def __init__(self, limit: int, free: Callable[[], int], reserve: Path | None = None) -> None:
        self.limit = limit
        self._free = free
        self._reserve = reserve
        self.unwritten = 0
        """Messages that gave way before the history store had their readings."""
        self.dropped_letters = 0
        """Dead letters that gave way before their time."""

    @classmethod
    def under(cls, folder: Path, limit: int) -> "Disk":
        """Return the disk that holds `folder`."""
        return cls(limit, lambda: shutil.disk_usage(folder).free, folder / "reserve")

    @property
    def free(self) -> int:
        """Free bytes; raises EngineError when the disk does not answer."""
        try:
            return self._free()
        except OSError as error:
            raise EngineError(f"cannot look at the disk: {error}") from error

    @property
    def low(self) -> bool:
        """Whether old things should give way."""
        return self.free < self.limit

    @property
    def full(self) -> bool:
        """Whether nothing more may be taken in."""
        return self.free < self.limit // _FLOOR

    def set_aside(self) -> None:
        """Hold some space that nobody else can take, while there is enough; raise EngineError when the disk refuses."""
        if self._reserve is None or self._held >= _RESERVE:
            return
        try:
            with self._reserve.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, _RESERVE)
        except OSError as error:
            raise EngineError(f"no space can be set aside: {error}") from error

    @property
    def _held(self) -> int:
        """Bytes set aside; fewer than there should be after a stop in the middle of it."""
        return self._reserve.stat().st_size if self._reserve is not None and self._reserve.exists() else 0

    def use_reserve(self) -> None:
        """Give up what was set aside if hardly anything else is left."""
        if self._reserve is not None and self._reserve.exists() and self.free < _RESERVE:
            _LOG.warning("the disk is full: using the space that was set aside to make room")
            self._reserve.unlink()

    def cap_letters(self, letters: DeadLetters, most_bytes: int) -> None:
        """Drop the oldest dead letters of whoever sends most of them, until they take no more than this."""
        dropped = letters.cap_dead_letters(most_bytes)
        if dropped:
            self.dropped_letters += dropped
            _LOG.warning("%d dead letters gave way before their time: who sends so much that nobody can read?", dropped)

    def make_room(self, journal: Journal, *, decided: int, written: int) -> None:
        """Drop the oldest messages, until there is room or nothing is left that may go.

        `decided`: messages before this offset are needed by nobody but the history store, which has those before `written`.
        """
        before = journal.info()
        while self.low and (start := journal.info().start) < decided:
            if journal.trim(start + max(1, (decided - start) // _STEP)) == start and journal.trim(decided) == start:
                break
        start = journal.info().start
        if start > before.start:
            self.unwritten += max(0, start - max(before.start, written))
            _LOG.warning("the disk is nearly full: messages before record %d gave way before their time", start)

    def drop_oldest_day(self, history: History) -> None:
        """Drop a day of readings; their space is for newer ones, and not always for the disk."""
        first_ms = history.info().first_ms
        if first_ms is not None:
            dropped = history.drop_before((first_ms // _DAY_MS + 1) * _DAY_MS)
            _LOG.warning("the disk is nearly full: %d readings of the oldest day gave way before their time", dropped)


class GuardedJournal:
    """A Journal that takes nothing while the disk is full, so that nobody acknowledges what could not be kept."""

    def __init__(self, journal: Journal, disk: Disk) -> None:
        self._journal = journal
        self._disk = disk

    def append(self, records: Sequence[Record]) -> int:
        if self._disk.full:
            raise EngineError(f"only {self._disk.free >> 20} MiB are free on the disk of the journal")
        return self._journal.append(records)

    def read(self, offset: int, limit: int) -> RecordBatch:
        return self._journal.read(offset, limit)

    def info(self) -> JournalInfo:
        return self._journal.info()

    def trim(self, before: int) -> int:
        return self._journal.trim(before)

    def begin_at(self, offset: int, device_records: int) -> None:
        self._journal.begin_at(offset, device_records)

    def skip(self, offset: int) -> tuple[int, int]:
        return self._journal.skip(offset)

    def close(self) -> None:
        self._journal.close()
