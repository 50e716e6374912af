"""The promises of domain.records.Journal, run on every adapter, and what only the durable one can promise."""

import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import CorruptionError, EngineError
from domain.records import RETAINED, STRETCH_BYTES, TICK, Journal, Record, batches, weights
from storage.journals.memory import MemoryJournal
from storage.journals.sqlite import SqliteJournal

Open = Callable[[], Journal]


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def open_journal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Open:
    """Give a maker of fresh journals of one kind."""
    if request.param == "memory":
        return MemoryJournal
    return lambda: SqliteJournal(tmp_path_factory.mktemp("journal") / "journal.db")


@pytest.fixture
def journal(open_journal: Open) -> Iterator[Journal]:
    journal = open_journal()
    yield journal
    journal.close()


def records(first: int, count: int) -> list[Record]:
    return [Record(1000 + i, f"safety/v1/a/s/d{i % 3}/telemetry", b"%d" % i) for i in range(first, first + count)]


def append_all(journal: Journal, sizes: Sequence[int]) -> list[Record]:
    everything: list[Record] = []
    for size in sizes:
        part = records(len(everything), size)
        assert journal.append(part) == len(everything)
        everything += part
    return everything


def test_a_new_journal_is_empty(journal: Journal) -> None:
    """Nothing is held and nothing is read before the first append."""
    assert journal.info()[:3] == (0, 0, 0)
    assert journal.info().first_ms is None
    assert journal.read(0, 10).records == []
    assert journal.trim(10) == 0


def test_offsets_are_dense_from_zero(journal: Journal) -> None:
    """Each append returns the offset right after the last record before it."""
    append_all(journal, [1, 5, 2])
    assert journal.append([]) == 8
    info = journal.info()
    assert (info.start, info.end, info.first_ms, info.last_ms) == (0, 8, 1000, 1007)


def test_records_come_back_as_they_were(journal: Journal) -> None:
    """Time, topic, payload bytes and flags survive, whatever the bytes."""
    record = Record(1_763_900_000_123, "safety/v1/a/s/d/event", bytes(range(256)), RETAINED)
    journal.append([record, Record(0, TICK, b"")])
    assert list(journal.read(0, 10).records) == [record, Record(0, TICK, b"")]


def test_device_records_do_not_count_our_own(journal: Journal) -> None:
    """Ticks and other `$` topics are left out of the count, and trimming does not lower it."""
    for _ in range(3):
        journal.append([*records(0, 2), Record(5, TICK, b"")])
    journal.trim(6)
    assert journal.info().start == 6
    assert journal.info().device_records == 6


def test_reading_splits_no_batch_but_the_first(journal: Journal) -> None:
    """A read begins where it was asked and ends where an append ended."""
    everything = append_all(journal, [4, 4, 4])
    batch = journal.read(2, 3)
    assert (batch.first_offset, batch.end_offset) == (2, 8)
    assert list(batch.records) == everything[2:8]


def test_long_messages_are_read_some_at_a_time(journal: Journal) -> None:
    """However much was appended at once, no read gives much more than two stretches, and together they give all."""
    everything = [Record(1000 + i, "safety/v1/a/s/d/telemetry", b"%d" % i * 100_000) for i in range(300)]
    assert journal.append(everything) == 0
    found: list[Record] = []
    while batch := journal.read(len(found), 10_000).records:
        assert sum(weights(batch)) < 2.1 * STRETCH_BYTES
        found += batch
    assert found == everything
    assert journal.info().device_records == 300


def test_a_read_of_many_appends_is_no_longer(journal: Journal) -> None:
    """Many stored batches that are long together are not read at once either."""
    for i in range(30):
        journal.append([Record(i, "safety/v1/a/s/d/telemetry", b"x" * 1_000_000)])
    assert [len(journal.read(offset, 10_000).records) for offset in (0, 9, 29)] == [9, 9, 1]


def test_reading_past_the_end_gives_nothing(journal: Journal) -> None:
    """At the end and beyond it a read is empty and begins where it was asked."""
    append_all(journal, [3])
    assert journal.read(3, 10).records == []
    assert journal.read(3, 10).end_offset == 3


def test_trimming_drops_whole_batches_and_never_the_last(journal: Journal) -> None:
    """What ends at or before the mark goes; the newest batch stays, so offsets are never given twice."""
    everything = append_all(journal, [3, 3, 3])
    assert journal.trim(5) == 3
    assert journal.info().start == 3
    assert list(journal.read(0, 100).records) == everything[3:]
    assert journal.read(0, 1).first_offset == 3
    assert journal.trim(1_000) == 6
    assert journal.append(records(9, 1)) == 9


def test_a_closed_journal_refuses(journal: Journal) -> None:
    """After close every call is an EngineError."""
    append_all(journal, [1])
    journal.close()
    for call in (lambda: journal.append(records(1, 1)), lambda: journal.read(0, 1), journal.info):
        with pytest.raises(EngineError):
            call()


@settings(max_examples=50)  # each example opens a file
@given(st.lists(st.integers(0, 7), max_size=12), st.integers(0, 60), st.integers(1, 20))
def test_reading_on_gives_every_record_once(open_journal: Open, sizes: list[int], start: int, limit: int) -> None:
    """However it was appended and is read, following end_offset gives each record once, in order."""
    journal = open_journal()
    everything = append_all(journal, sizes)
    found: list[Record] = []
    for batch in batches(journal, start, len(everything), limit):
        assert batch.first_offset == start + len(found)
        found += batch.records
    assert found == everything[start:]
    journal.close()


def test_a_reader_keeps_up_with_the_writer(journal: Journal) -> None:
    """Another thread that reads while batches are appended sees each record once, in order."""
    total = 400
    appended = threading.Condition()
    found: list[Record] = []

    def follow() -> None:
        while len(found) < total:
            batch = journal.read(len(found), 7)
            found.extend(batch.records)
            if not batch.records:
                with appended:
                    appended.wait(0.1)

    reader = threading.Thread(target=follow)
    reader.start()
    for first in range(0, total, 4):
        journal.append(records(first, 4))
        with appended:
            appended.notify()
    reader.join(30)
    assert found == records(0, total)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_sqlite_reopens_where_it_was(path: Path) -> None:
    """A second opening goes on with the same offsets, records and counts, now from disk."""
    first = SqliteJournal(path)
    everything = append_all(first, [5, 3])
    first.close()
    second = SqliteJournal(path)
    assert list(second.read(2, 100).records) == everything[2:]
    assert second.append(records(8, 1)) == 8
    assert second.info().device_records == 9
    second.close()


def test_sqlite_reads_long_messages_some_at_a_time_from_disk(path: Path) -> None:
    """What is not in memory any more is bounded as well, though compressed it is small."""
    first = SqliteJournal(path)
    for i in range(30):
        first.append([Record(i, "safety/v1/a/s/d/telemetry", b"x" * 1_000_000)])
    first.close()
    second = SqliteJournal(path)
    assert [len(second.read(offset, 10_000).records) for offset in (0, 9, 29)] == [9, 9, 1]
    second.close()


def test_sqlite_keeps_few_ticks_in_memory(path: Path) -> None:
    """A tick is small when packed and large as an object, so it counts as an object."""
    journal = SqliteJournal(path)
    tracemalloc.start()
    for _ in range(40):
        journal.append([Record(1_763_900_000_000 + i, TICK, b"") for i in range(10_000)])
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    journal.close()
    assert held < 32 * 1024 * 1024


def test_sqlite_lets_a_second_process_append(path: Path) -> None:
    """Two openings of one file share one sequence of offsets, and each reads what the other wrote."""
    service, tool = SqliteJournal(path), SqliteJournal(path)
    assert [service.append(records(0, 2)), tool.append(records(2, 2)), service.append(records(4, 2))] == [0, 2, 4]
    assert list(service.read(0, 100).records) + list(service.read(2, 100).records) == records(0, 2) + records(2, 4)
    assert list(tool.read(0, 100).records) == records(0, 6)
    service.close()
    tool.close()


def test_sqlite_finds_a_changed_byte(path: Path) -> None:
    """A blob that fails its checksum is a CorruptionError that names the records; the others can be read."""
    journal = SqliteJournal(path)
    append_all(journal, [4, 4, 4])
    journal.close()
    with sqlite3.connect(path) as database:
        blob = bytearray(database.execute("SELECT blob FROM batch WHERE first = 4").fetchone()[0])
        blob[len(blob) // 2] ^= 1
        database.execute("UPDATE batch SET blob = ? WHERE first = 4", (bytes(blob),))
    database.close()
    journal = SqliteJournal(path)
    assert len(journal.read(0, 4).records) == 4
    with pytest.raises(CorruptionError, match=r"\[4, 8\) fail their checksum"):
        journal.read(5, 1)
    assert len(journal.read(8, 4).records) == 4
    journal.close()


def test_sqlite_finds_a_missing_batch(path: Path) -> None:
    """A hole in the offsets is a CorruptionError that names it, never a silent jump."""
    journal = SqliteJournal(path)
    append_all(journal, [4, 4, 4])
    journal.close()
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM batch WHERE first = 4")
    database.close()
    journal = SqliteJournal(path)
    with pytest.raises(CorruptionError, match=r"\[4, 8\) are missing"):
        journal.read(0, 100)
    with pytest.raises(CorruptionError, match=r"\[4, 8\) are missing"):
        journal.read(4, 1)
    journal.close()


def test_sqlite_says_which_file_it_cannot_open(tmp_path: Path) -> None:
    """A missing folder and a file that is no journal are errors of ours that name the file."""
    with pytest.raises(EngineError, match=r"nowhere/journal\.db"):
        SqliteJournal(tmp_path / "nowhere" / "journal.db")
    (tmp_path / "letter.txt").write_text("Dear Sir, " * 1000)
    with pytest.raises(CorruptionError, match=r"letter\.txt"):
        SqliteJournal(tmp_path / "letter.txt")


_WRITER = """
import sys
from pathlib import Path
from domain.records import Record
from storage.journals.sqlite import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]))
while True:
    first = journal.info().end
    journal.append([Record(first + i, "safety/v1/a/s/d/telemetry", b"x" * 300) for i in range(10)])
    print(first + 10, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 30])
def test_sqlite_survives_kill_9(path: Path, lines: int) -> None:
    """After kill -9 in the middle of appending, all that was acknowledged is there, and no half batch."""
    acknowledged = 0
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(lines):
            acknowledged = int(writer.stdout.readline())
        writer.kill()
    journal = SqliteJournal(path)
    end = journal.info().end
    assert end >= acknowledged
    assert end % 10 == 0
    assert [record.received_ms for record in journal.read(0, end).records] == list(range(end))
    journal.close()
