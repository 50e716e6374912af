"""Claims about a disk that fills: what gives way in which order, and that nothing is taken in at the very end."""

from pathlib import Path
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
    disk = shrinking(journal, LIMIT)
    assert not disk.low
    assert disk.full is False
    disk.make_room(journal, decided=90, written=90)
    assert journal.info().start == 0


def test_the_oldest_decided_messages_go_first_and_no_more_than_needed(journal: MemoryJournal) -> None:
    """An eighth at a time."""
    disk = shrinking(journal, LIMIT - 150)
    disk.make_room(journal, decided=80, written=80)
    assert not disk.low
    assert 15 <= journal.info().start <= 20
    assert disk.unwritten == 0


def test_undecided_messages_never_give_way(journal: MemoryJournal) -> None:
    """However little space there is."""
    shrinking(journal, 0).make_room(journal, decided=40, written=40)
    assert journal.info().start == 40


def test_readings_give_way_a_day_at_a_time(journal: MemoryJournal) -> None:
    """The oldest day, by the time of the readings."""
    history, disk = Days(), shrinking(journal, 0)
    disk.drop_oldest_day(history)
    assert history.first_ms == DAY_MS
    disk.drop_oldest_day(history)
    assert history.first_ms == 2 * DAY_MS


def test_messages_the_history_store_has_not_read_are_counted(journal: MemoryJournal) -> None:
    """Its outage is no reason to stop deciding, but somebody must know what it will lack."""
    disk = shrinking(journal, 0)
    disk.make_room(journal, decided=40, written=30)
    assert disk.unwritten == 10


def test_space_is_set_aside_and_given_up_when_nothing_else_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Databases write before they drop; what is set aside is real, and taken once."""
    monkeypatch.setattr("emberwatch.disk._RESERVE", 100_000)
    free = 200_000
    reserve = tmp_path / "reserve"
    disk = Disk(LIMIT, lambda: free, reserve)
    disk.set_aside()
    disk.set_aside()
    assert reserve.stat().st_blocks * 512 >= 100_000
    disk.use_reserve()
    assert reserve.exists()
    free = 99_999
    disk.use_reserve()
    disk.use_reserve()
    assert not reserve.exists()


def test_a_reserve_that_a_stop_left_half_made_is_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty file of the right name is no space; nor is one for which the disk had none."""
    monkeypatch.setattr("emberwatch.disk._RESERVE", 100_000)
    reserve = tmp_path / "reserve"
    reserve.touch()
    disk = Disk(LIMIT, lambda: 200_000, reserve)
    with monkeypatch.context() as full:
        full.setattr("os.posix_fallocate", _refuse)
        with pytest.raises(EngineError, match="set aside"):
            disk.set_aside()
    disk.set_aside()
    assert reserve.stat().st_blocks * 512 >= 100_000


def _refuse(*_: object) -> None:
    raise OSError("no space left")


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
