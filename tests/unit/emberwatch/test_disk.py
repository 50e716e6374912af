"""Claims about a disk that fills: what gives way in which order, and that nothing is taken in at the very end."""

from typing import Any

import pytest

from domain.errors import EngineError
from domain.history import HistoryInfo
from domain.records import Record
from emberwatch.disk import Disk, GuardedJournal
from storage.journals.memory import MemoryJournal
from storage.memory_history import MemoryHistory

LIMIT = 800
DAY_MS = 86_400_000


class Days(MemoryHistory):
    """A history of the days 0 to 9 that remembers what was dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.first_ms = 1

    def info(self) -> HistoryInfo:
        return HistoryInfo(1, self.first_ms, 10 * DAY_MS, 0)

    def drop_before(self, before_ms: int) -> int:
        self.first_ms = before_ms
        return 1


@pytest.fixture
def journal() -> MemoryJournal:
    """Return a journal of a hundred records, one a batch."""
    journal = MemoryJournal()
    for i in range(100):
        journal.append([Record(i, "safety/v1/a/s/d/telemetry", b"x" * 10)])
    return journal


def shrinking(journal: MemoryJournal, free: int) -> Disk:
    """Return a disk with `free` bytes free, and 10 more for each record dropped."""
    return Disk(LIMIT, lambda: free + 10 * journal.info().start)


def test_with_room_nothing_gives_way(journal: MemoryJournal) -> None:
    """Below the limit only."""
    history, disk = Days(), shrinking(journal, LIMIT)
    assert not disk.low
    assert disk.full is False
    disk.make_room(journal, history, decided=90, written=90)
    assert (journal.info().start, history.first_ms) == (0, 1)


def test_the_oldest_decided_messages_go_first_and_no_more_than_needed(journal: MemoryJournal) -> None:
    """An eighth at a time; readings stay as long as that helps."""
    history, disk = Days(), shrinking(journal, LIMIT - 150)
    disk.make_room(journal, history, decided=80, written=80)
    assert not disk.low
    assert 15 <= journal.info().start <= 20
    assert history.first_ms == 1
    assert disk.unwritten == 0


def test_undecided_messages_never_give_way(journal: MemoryJournal) -> None:
    """Then the oldest day of readings goes, one day a look."""
    history, disk = Days(), shrinking(journal, 0)
    disk.make_room(journal, history, decided=40, written=40)
    assert journal.info().start == 40
    assert history.first_ms == DAY_MS
    disk.make_room(journal, history, decided=40, written=40)
    assert (journal.info().start, history.first_ms) == (40, 2 * DAY_MS)


def test_messages_the_history_store_has_not_read_are_counted(journal: MemoryJournal) -> None:
    """Its outage is no reason to stop deciding, but somebody must know what it will lack."""
    disk = shrinking(journal, 0)
    disk.make_room(journal, Days(), decided=40, written=30)
    assert disk.unwritten == 10


def test_dead_letters_that_give_way_are_counted() -> None:
    """And who keeps them is told how much they may take."""
    asked: list[int] = []

    class Letters:
        def cap_dead_letters(self, most_bytes: int) -> int:
            asked.append(most_bytes)
            return 3

    disk = Disk(LIMIT, lambda: 0)
    letters: Any = Letters()
    disk.cap_letters(letters, 5_000)
    disk.cap_letters(letters, 4_000)
    assert (asked, disk.dropped_letters) == ([5_000, 4_000], 6)


def test_at_the_very_end_nothing_is_taken_in(journal: MemoryJournal) -> None:
    """What is left is for the books; when there is room again, appends go on by themselves."""
    free = LIMIT // 8 - 1
    disk = Disk(LIMIT, lambda: free)
    guarded = GuardedJournal(journal, disk)
    assert disk.full
    with pytest.raises(EngineError, match="free"):
        guarded.append([Record(1, "t", b"")])
    assert guarded.info().end == 100
    free = LIMIT // 8
    assert guarded.append([Record(1, "t", b"")]) == 100


def test_a_disk_that_does_not_answer_is_an_engine_error() -> None:
    """The file system may be gone altogether."""

    def gone() -> int:
        raise OSError("gone")

    with pytest.raises(EngineError, match="gone"):
        _ = Disk(LIMIT, gone).low
