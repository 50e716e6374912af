"""Claims about the journal's file itself: its size is told as it is, and what is trimmed is given back to the disk."""

import random
from pathlib import Path

from domain.records import Record
from storage.journals.sqlite import SqliteJournal


def test_trimming_gives_space_back_to_the_disk(tmp_path: Path) -> None:
    """A disk that is nearly full gains by it at once; what is kept is still read."""
    rng, file = random.Random(1), tmp_path / "journal.db"
    journal = SqliteJournal(file)
    for i in range(40):
        journal.append([Record(i, "safety/v1/a/s/d/telemetry", rng.randbytes(1000)) for _ in range(200)])
    journal.trim(0)
    full = file.stat().st_size
    assert journal.info().bytes == sum(part.stat().st_size for part in (file, tmp_path / "journal.db-wal"))
    assert journal.trim(7_000) == 7_000
    assert file.stat().st_size < full / 4
    assert len(journal.read(7_000, 10_000).records) == 1_000
    journal.close()
