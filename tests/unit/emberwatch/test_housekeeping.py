"""Claims about what is done from time to time: each duty when it is due, none held up by another, and what gives way first."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from domain.errors import EngineError
from domain.records import TICK, Record
from emberwatch import housekeeping
from emberwatch.parts import Parts
from emberwatch.settings import Settings
from storage.journals.sqlite import SqliteJournal

NOBODY = cast("Parts", None)


async def seconds(count: int, monkeypatch: pytest.MonkeyPatch, duties: Any) -> None:
    """Keep house with these duties for so many turns."""
    loop, turns = asyncio.get_running_loop(), asyncio.Semaphore(0)
    monkeypatch.setattr(
        housekeeping, "_DUTIES", (*duties, (1, lambda _parts: loop.call_soon_threadsafe(turns.release)))
    )
    monkeypatch.setattr(housekeeping, "_LOOK_EVERY_S", 0)
    keeping = asyncio.create_task(housekeeping.keep_house(NOBODY))
    for _ in range(count):
        await turns.acquire()
    keeping.cancel()
    await asyncio.wait((keeping,))


async def test_each_duty_is_done_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first turn, and then every so many seconds."""
    often, seldom = [0], [0]
    await seconds(21, monkeypatch, [(1, lambda _parts: often.append(1)), (10, lambda _parts: seldom.append(1))])
    assert sum(often) >= 21
    assert 3 <= sum(seldom) <= sum(often) // 10 + 1


@pytest.mark.parametrize("error", [EngineError("the disk is full"), OSError("the disk is full")])
async def test_a_duty_that_fails_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """It is tried again each time, and the log says so once."""
    tried, done = [0], [0]

    def failing(_parts: Parts) -> None:
        tried.append(1)
        raise error

    with caplog.at_level(logging.WARNING):
        await seconds(5, monkeypatch, [(1, failing), (1, lambda _parts: done.append(1))])
    assert sum(tried) >= 5
    assert sum(done) >= 5
    assert caplog.text.count("the disk is full") == 1


class Disk:
    """A disk that is low until something of the given kind gives way; `given` says what did."""

    def __init__(self, until: str) -> None:
        self.until = until
        self.given: list[str] = []

    @property
    def low(self) -> bool:
        return self.until not in self.given

    def use_reserve(self) -> None:
        self.given.append("reserve")

    def set_aside(self) -> None:
        self.given.append("aside")

    def cap_letters(self, _letters: object, most_bytes: int) -> None:
        self.given.append(f"letters to {most_bytes >> 20} MiB")

    def make_room(self, _journal: object, *, decided: int, written: int) -> None:
        self.given.append(f"messages before {decided}, written {written}")

    def drop_oldest_day(self, _history: object) -> None:
        self.given.append("a day")


def house(disk: Disk, *, history_is_up: bool = True) -> Parts:
    """Return parts whose books are at record 70, history at 50, and whose oldest snapshot is at 60 at most."""
    return cast(
        "Parts",
        SimpleNamespace(
            settings=Settings(),
            disk=disk,
            books=SimpleNamespace(ledger=SimpleNamespace(dead_letters=None)),
            streams=SimpleNamespace(
                journal=None,
                history=SimpleNamespace(offset=lambda: 50),
                snapshots=SimpleNamespace(prune=lambda needed: min(needed, 60)),
            ),
            worker=SimpleNamespace(pipeline=SimpleNamespace(committed_offset=70)),
            history_feed=SimpleNamespace(healthy=history_is_up),
        ),
    )


def give_way(parts: Parts) -> None:
    """Do once, in order, what the duties do on a disk that is low."""
    spare = (
        housekeeping.watch_disk,
        housekeeping.spare_letters,
        housekeeping.spare_messages,
        housekeeping.spare_readings,
    )
    assert [duty for _, duty in housekeeping._DUTIES if duty in spare] == list(spare)
    for duty in spare:
        duty(parts)


def test_dead_letters_give_way_first_then_messages_then_readings() -> None:
    """Each only if the disk is still low; messages only behind the slowest reader and a snapshot."""
    disk = Disk("nothing helps")
    give_way(house(disk))
    assert disk.given == ["reserve", "letters to 16 MiB", "messages before 50, written 50", "a day"]
    disk = Disk("letters to 16 MiB")
    give_way(house(disk))
    assert disk.given == ["reserve", "letters to 16 MiB"]


def test_a_history_store_that_is_down_holds_up_nothing() -> None:
    """Messages it has not read give way as well, behind a snapshot."""
    disk = Disk("nothing helps")
    give_way(house(disk, history_is_up=False))
    assert "messages before 60, written 50" in disk.given


def test_with_room_space_is_set_aside_and_nothing_gives_way() -> None:
    """That is the ordinary turn."""
    disk = Disk("anything")
    disk.given.append("anything")
    give_way(house(disk))
    assert disk.given == ["anything", "aside"]


def test_one_damaged_batch_does_not_end_the_trimming(tmp_path: Path) -> None:
    """Else the journal grows for ever behind it. It goes with the next old batch that can be read, and not before."""
    file = tmp_path / "journal.db"
    journal = SqliteJournal(file)
    for i in range(5):
        journal.append([Record(i, TICK, b"")] * 10)
    journal.close()
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("UPDATE batch SET checksum = checksum + 1 WHERE first = 10")
    journal = SqliteJournal(file)
    for before_ms, safe, start in ((1, 50, 10), (2, 50, 10), (3, 29, 10), (3, 50, 30), (9, 50, 40)):
        housekeeping.trim(journal, safe, before_ms)
        assert journal.info().start == start
    journal.close()
