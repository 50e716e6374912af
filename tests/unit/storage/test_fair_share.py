"""Claims about who gives way when dead letters take too much space, and that the disk has it back."""

from pathlib import Path

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


def test_what_gave_way_is_free_for_others(tmp_path: Path) -> None:
    """The file of the books shrinks: a disk that is nearly full has use for it."""
    file = tmp_path / "books.db"
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    ledger = SqlLedger(engine, {})
    letters = [
        DeadLetter(offset=i, received_ms=1, topic=f"t{i % 4}", payload=bytes(100_000), reason="json") for i in range(80)
    ]
    ledger.books.commit(Decided(80, 1, dead_letters=letters))
    engine.dispose()  # the log of changes is written into the file
    before = file.stat().st_size
    assert ledger.dead_letters.cap_dead_letters(1_000_000) == 76
    engine.dispose()
    assert file.stat().st_size < before - 7_000_000
