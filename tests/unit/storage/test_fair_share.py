"""Claims about who gives way when dead letters take too much space, and that the disk has it back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.books import DeadLetter, Decided
from storage.sql.dead_letters import fair_share
from storage.sql.engine import open_engine
from storage.sql.ledger import SqlLedger
from storage.sql.migrate import upgrade


@given(sizes=st.lists(st.integers(1, 10_000), max_size=40), most=st.integers(0, 50_000))
def test_all_fit_and_only_the_loudest_are_cut(sizes: list[int], most: int) -> None:
    """Together no more than there is, nobody more than an eighth, and nobody less than could be given to all alike."""
    share = fair_share(sizes, most)
    assert sum(min(size, share) for size in sizes) <= most
    assert share <= most // 8
    if sizes:
        assert share >= min(most // len(sizes), most // 8)


def test_who_wants_little_has_it_all() -> None:
    """The loud one has what the others leave, up to its eighth."""
    assert fair_share([10, 10, 10_000], 800) == 100
    assert fair_share([10] * 9 + [10_000], 160) == 20
    assert fair_share([10] * 15 + [10_000], 160) == 10


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the books are."""
    return tmp_path / "books.db"


@pytest.fixture
def ledger(file: Path) -> Iterator[SqlLedger]:
    """Yield empty books."""
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    yield SqlLedger(engine, {})
    engine.dispose()


def keep(ledger: SqlLedger, count: int, topics: int, payload: bytes = b"", tail: str = "") -> None:
    """Keep so many letters, by turns of so many topics."""
    letters = [
        DeadLetter(offset=i, received_ms=1, topic=f"t{i % topics}{tail}", payload=payload, reason="json")
        for i in range(count)
    ]
    ledger.books.commit(Decided(count, 1, dead_letters=letters))


def test_what_gave_way_is_free_for_others(ledger: SqlLedger, file: Path) -> None:
    """The file of the books shrinks: a disk that is nearly full has use for it."""
    keep(ledger, 80, 4, bytes(100_000))
    ledger.dead_letters.engine.dispose()  # the log of changes is written into the file
    before = file.stat().st_size
    assert ledger.dead_letters.cap_dead_letters(1_000_000) == 76
    ledger.dead_letters.engine.dispose()
    assert file.stat().st_size < before - 7_000_000


def test_giving_way_needs_little_space_itself(ledger: SqlLedger, file: Path) -> None:
    """The log of changes stays short, for the disk is nearly full; and so does the wait of whoever writes meanwhile."""
    keep(ledger, 300, 4, bytes(100_000))
    ledger.dead_letters.engine.dispose()
    assert ledger.dead_letters.cap_dead_letters(1_000_000) == 296
    assert file.with_name("books.db-wal").stat().st_size < 15_000_000


def test_long_topics_count(ledger: SqlLedger) -> None:
    """Whoever sends little on topics of 60 kB fills the disk as well."""
    keep(ledger, 100, 20, tail="x" * 60_000)
    assert ledger.dead_letters.cap_dead_letters(1_000_000) >= 84


def test_of_very_many_alike_only_the_oldest_go(ledger: SqlLedger) -> None:
    """A share smaller than one letter is no reason to drop them all."""
    keep(ledger, 1_000, 1_000, bytes(700))
    gone = ledger.dead_letters.cap_dead_letters(800_000)
    assert 200 <= gone <= 210
    assert ledger.dead_letters.cap_dead_letters(800_000) == 0
    kept = ledger.dead_letters.dead_letters(limit=1_000)
    assert [letter.offset for letter in kept] == list(range(999, gone - 1, -1))
