"""The journal in SQLite: one row a batch, a compressed blob with a checksum, durable when `append` returns.

SQLite in WAL mode with synchronous=FULL syncs the log at every commit, so a batch is either whole after a power cut or was
never acknowledged. Every append reads the end of the log inside its own transaction, so a second process (a replay from the
command line) may append too without breaking the order.
"""

import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import zstandard

from domain.errors import CorruptionError, EngineError
from domain.records import RECORD_BYTES, START, STRETCH_BYTES, JournalInfo, Record, RecordBatch, stretches, taken_in

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
    first INTEGER PRIMARY KEY,      -- offset of its first record
    count INTEGER NOT NULL,         -- how many records it holds
    device_total INTEGER NOT NULL,  -- messages of devices ever taken in, this batch included
    first_ms INTEGER NOT NULL,      -- received_ms of its first and last record
    last_ms INTEGER NOT NULL,
    checksum INTEGER NOT NULL,      -- CRC-32 of first, count and blob
    blob BLOB NOT NULL              -- zstandard of msgpack [[received_ms, topic, payload, flags], …]
)
"""
# auto_vacuum counts only for a new file, and only before anything else
_PRAGMAS = (
    "auto_vacuum=INCREMENTAL",
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=30000",
    "journal_size_limit=67108864",  # a log of changes that was long once need not stay so
)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PAGES_AT_ONCE = 2048  # 8 MiB
_TAIL_BYTES = 32 * 1024 * 1024  # weight of records: some seconds at full load, and a bound whatever devices send

_Row = tuple[int, int, int, bytes]


class SqliteJournal:
    """`domain.records.Journal` in one SQLite file, whose folder must exist; thread-safe.

    The newest batches stay in memory as well, so a reader that has caught up does not decompress what was just written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[Record])
        self._compressor = zstandard.ZstdCompressor(level=1)
        self._tail: dict[int, tuple[tuple[Record, ...], int]] = {}
        self._tail_bytes = 0
        with self._translated():
            self._writer = self._connect()
            self._writer.execute(_SCHEMA)
            self._reader = self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            damaged = getattr(error, "sqlite_errorcode", None) in _DAMAGED
            raise (CorruptionError if damaged else EngineError)(f"journal {self._path}: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._write_lock, self._translated():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def append(self, records: Sequence[Record]) -> int:
        parts = list(stretches(records))
        blobs = [self._compressor.compress(self._encoder.encode(part)) for part, _ in parts]
        with self._transaction() as connection:
            first, total = _end(connection)
            offset = first
            for (part, _), blob in zip(parts, blobs, strict=True):
                total += taken_in(part)
                times = part[0].received_ms, part[-1].received_ms
                row = (offset, len(part), total, *times, _checksum(offset, len(part), blob), blob)
                connection.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                offset += len(part)
        self._remember(first, parts)
        return first

    def _remember(self, first: int, parts: Sequence[tuple[tuple[Record, ...], int]]) -> None:
        with self._read_lock:
            for records, size in parts:
                self._tail[first] = records, size
                self._tail_bytes += size
                first += len(records)
            while self._tail_bytes > _TAIL_BYTES:
                self._forget(next(iter(self._tail)))

    def _forget(self, first: int) -> None:
        self._tail_bytes -= self._tail.pop(first)[1]

    def read(self, offset: int, limit: int) -> RecordBatch:
        found = self._from_memory(offset, limit)
        return RecordBatch(offset, found) if found else self._from_disk(offset, limit)

    def _from_memory(self, offset: int, limit: int) -> list[Record]:
        found: list[Record] = []
        size = 0
        with self._read_lock:
            while len(found) < limit and size < STRETCH_BYTES and (batch := self._tail.get(offset + len(found))):
                found += batch[0]
                size += batch[1]
        return found

    def _from_disk(self, offset: int, limit: int) -> RecordBatch:
        rows = self._rows(offset, limit)
        if not rows:
            return RecordBatch(offset, [])
        begin = max(offset, rows[0][0])
        expected = offset if begin > offset and self._holds_before(offset) else rows[0][0]
        found: list[Record] = []
        for row in rows:
            if row[0] != expected:
                raise CorruptionError(f"journal {self._path}: records [{expected}, {row[0]}) are missing")
            found += self._unpack(row)
            expected += row[1]
        return RecordBatch(begin, found[begin - rows[0][0] :])

    def _rows(self, offset: int, limit: int) -> list[_Row]:
        """Return the batches that hold `offset` and what follows, `limit` records or a little more."""
        query = (
            "SELECT first, count, checksum, blob FROM batch WHERE first + count > :offset"
            " AND first >= coalesce((SELECT max(first) FROM batch WHERE first <= :offset), 0) ORDER BY first"
        )
        rows: list[_Row] = []
        size = 0
        with self._read_lock, self._translated(), closing(self._reader.execute(query, {"offset": offset})) as cursor:
            for row in cursor:
                rows.append(row)
                size += _unpacked_bytes(row)
                if size >= STRETCH_BYTES or row[0] + row[1] - max(offset, rows[0][0]) >= limit:
                    break
        return rows

    def _holds_before(self, offset: int) -> bool:
        with self._read_lock, self._translated():
            return self._reader.execute("SELECT 1 FROM batch WHERE first < ? LIMIT 1", (offset,)).fetchone() is not None

    def _unpack(self, row: _Row) -> list[Record]:
        first, count, checksum, blob = row
        where = f"journal {self._path}: records [{first}, {first + count})"
        if _checksum(first, count, blob) != checksum:
            raise CorruptionError(f"{where} fail their checksum")
        try:
            records = self._decoder.decode(zstandard.ZstdDecompressor().decompress(blob))
        except (zstandard.ZstdError, msgspec.MsgspecError) as error:
            raise CorruptionError(f"{where} cannot be unpacked: {error}") from error
        if len(records) != count:
            raise CorruptionError(f"{where} hold {len(records)} records")
        return records

    def info(self) -> JournalInfo:
        oldest = "SELECT first, first_ms FROM batch ORDER BY first LIMIT 1"
        newest = "SELECT first + count, device_total, last_ms FROM batch ORDER BY first DESC LIMIT 1"
        with self._read_lock, self._translated():
            self._reader.execute("BEGIN")  # both queries see the same state
            head, last = self._reader.execute(oldest).fetchone(), self._reader.execute(newest).fetchone()
            self._reader.execute("COMMIT")
        if head is None:
            return JournalInfo(0, 0, 0, 0, None, None)
        return JournalInfo(head[0], last[0], last[1], self._bytes(), head[1], last[2])

    def _bytes(self) -> int:
        """Return the room on disk, with the write-ahead log, which is folded into the file now and then."""
        files = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def trim(self, before: int) -> int:
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM batch WHERE first + count <= ? AND first < (SELECT max(first) FROM batch)", (before,)
            )
            start: int = connection.execute("SELECT coalesce(min(first), 0) FROM batch").fetchone()[0]
        self._shrink()
        with self._read_lock:
            for first in [first for first in self._tail if first < start]:
                self._forget(first)
        return start

    def _shrink(self) -> None:
        """Give the free pages at the end back to the disk, some at a time so that appends come between."""
        left = 1
        while left:
            with self._write_lock, self._translated():  # a script, because `execute` would stop after the first page
                self._writer.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
                before, left = left, self._writer.execute("PRAGMA freelist_count").fetchone()[0]
            if left == before:  # a file of an older version keeps its free pages, for new records
                break
        with self._write_lock, self._translated():
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def begin_at(self, offset: int, device_records: int) -> None:
        record = Record(0, START, b"")
        blob = self._compressor.compress(self._encoder.encode((record,)))
        with self._transaction() as connection:
            if connection.execute("SELECT 1 FROM batch").fetchone() is not None:
                raise EngineError(f"journal {self._path} is not empty")
            first = offset - 1  # a record stands for the end of what was lost
            row = (first, 1, device_records, 0, 0, _checksum(first, 1, blob), blob)
            connection.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def skip(self, offset: int) -> tuple[int, int]:
        total = "SELECT coalesce(max(device_total), 0) FROM batch WHERE first + count <= ?"
        place = "SELECT first + count, device_total FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1"
        after = "SELECT min(first) FROM batch WHERE first > ?"
        with self._read_lock, self._translated():
            end, upto = self._reader.execute(place, (offset,)).fetchone() or (offset, 0)
            if end <= offset:  # no row holds it: go on at the next one that is there
                end = self._reader.execute(after, (offset,)).fetchone()[0] or offset
                upto = self._reader.execute(total, (end,)).fetchone()[0]
            before: int = self._reader.execute(total, (offset,)).fetchone()[0]
        return end, max(0, upto - before)

    def close(self) -> None:
        with self._write_lock, self._read_lock, self._translated():
            self._tail.clear()
            self._writer.close()
            self._reader.close()


def _end(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the next offset and how many device records were ever appended."""
    row = connection.execute("SELECT first + count, device_total FROM batch ORDER BY first DESC LIMIT 1").fetchone()
    return row or (0, 0)


def _unpacked_bytes(row: _Row) -> int:
    """Return about how many bytes the records of a row take when read; 0 when it is damaged, which `_unpack` tells."""
    try:
        return max(0, zstandard.frame_content_size(row[3])) + row[1] * RECORD_BYTES
    except zstandard.ZstdError:
        return 0


def _checksum(first: int, count: int, blob: bytes) -> int:
    return zlib.crc32(blob, zlib.crc32(b"%d,%d," % (first, count)))
