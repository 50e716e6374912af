"""Readings in one DuckDB file: a column store in process, for curves over years at a few bytes a reading.

Only one process can open the file, so the process that writes it also answers the queries.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from domain.errors import EngineError, InputError
from domain.history import MIN_POINTS, HistoryInfo, Series
from domain.measurands import INDEX, MEASURANDS
from domain.readings import Int32, Readings
from storage.curves import bucket_ms

_SCHEMA = """
CREATE TABLE IF NOT EXISTS device (id INTEGER PRIMARY KEY, path VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS reading (
    device INTEGER NOT NULL,
    measurand SMALLINT NOT NULL,
    event_ms BIGINT NOT NULL,
    value DOUBLE NOT NULL
);
CREATE TABLE IF NOT EXISTS progress (journal_offset BIGINT NOT NULL);
INSERT INTO progress SELECT 0 WHERE NOT EXISTS (FROM progress);
"""
_CURVE = "FROM reading WHERE device = $device AND measurand = $measurand AND event_ms >= $from_ms AND event_ms < $to_ms"
# each bucket of time keeps its least and its greatest value, so no peak is lost however far one zooms out
_EXTREMES = f"""
WITH curve AS (SELECT event_ms, value, (event_ms - $first) // $width AS bucket {_CURVE})
SELECT arg_min(event_ms, value) AS event_ms, min(value) AS value FROM curve GROUP BY bucket
UNION SELECT arg_max(event_ms, value), max(value) FROM curve GROUP BY bucket
ORDER BY event_ms, value
"""  # noqa: S608  built from constants
_LATEST = """
SELECT measurand, max(event_ms), arg_max(value, event_ms) FROM reading WHERE device = $device GROUP BY measurand
"""
_INFO = "SELECT count(*), min(event_ms), max(event_ms) FROM reading"

_NEW = -1


class DuckdbHistory:
    """`domain.history.History` in one file, whose folder must exist; thread-safe. `memory_limit` as DuckDB writes it."""

    def __init__(self, path: Path, memory_limit: str = "512MB") -> None:
        self._path = path
        self._write_lock = threading.Lock()
        # never asks the network for an extension
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        with self._translated():
            self._database = duckdb.connect(path, config=config)
            self._database.execute(_SCHEMA)
            self._writer = self._database.cursor()
            self._devices: dict[str, int] = dict(self._writer.execute("SELECT path, id FROM device").fetchall())
            self._offset = int(_one(self._writer, "SELECT journal_offset FROM progress")[0])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise EngineError(f"history {self._path}: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._translated():
            self._writer.begin()
            try:
                yield self._writer
                self._writer.commit()
            except BaseException:
                with suppress(duckdb.Error):  # a failed commit has rolled back already
                    self._writer.rollback()
                raise

    @contextmanager
    def _query(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._translated(), self._database.cursor() as cursor:
            yield cursor

    def write(self, readings: Readings, paths: Sequence[str], end_offset: int) -> None:
        with self._write_lock:
            if end_offset <= self._offset:
                return
            fresh = readings.take(slice(int(np.searchsorted(readings.offset, self._offset)), None))
            slots = _distinct(fresh.slot, len(paths))
            speaking = [paths[slot] for slot in slots.tolist()]
            numbers = [self._devices.get(path, _NEW) for path in speaking]
            new = self._unknown(speaking) if _NEW in numbers else {}
            ids = np.empty(len(paths), np.int32)
            ids[slots] = (
                [new.get(path, number) for path, number in zip(speaking, numbers, strict=True)] if new else numbers
            )
            with self._transaction() as connection:
                if new:
                    new_ids = np.array(list(new.values()), np.int32)
                    _insert(connection, "device", {"id": new_ids, "path": np.array(list(new), np.object_)})
                if len(fresh):
                    _insert(connection, "reading", _columns(ids[fresh.slot], fresh))
                connection.execute("UPDATE progress SET journal_offset = ?", [end_offset])
            self._devices.update(new)
            self._offset = end_offset

    def _unknown(self, paths: Sequence[str]) -> dict[str, int]:
        """Return new numbers for the paths that have none."""
        new = [path for path in dict.fromkeys(paths) if path not in self._devices]
        return {path: number for number, path in enumerate(new, len(self._devices))}

    def offset(self) -> int:
        return self._offset

    def series(self, device: str, measurand: str, from_ms: int, to_ms: int, points: int) -> Series:
        if points < MIN_POINTS:
            raise InputError(f"a curve needs at least {MIN_POINTS} points")
        wanted = {
            "device": self._devices.get(device, -1),
            "measurand": INDEX.get(measurand, -1),
            "from_ms": from_ms,
            "to_ms": to_ms,
        }
        with self._query() as cursor:
            total, first, last = _one(cursor, f"SELECT count(*), min(event_ms), max(event_ms) {_CURVE}", wanted)
            if total <= points:
                cursor.execute(f"SELECT event_ms, value {_CURVE} ORDER BY event_ms, rowid", wanted)
            else:
                width = bucket_ms(first, last, points // 2)
                cursor.execute(_EXTREMES, {**wanted, "first": first, "width": width})
            columns = cursor.fetchnumpy()
        return Series(columns["event_ms"], columns["value"], total)

    def latest(self, device: str) -> dict[str, tuple[int, float]]:
        with self._query() as cursor:
            rows = cursor.execute(_LATEST, {"device": self._devices.get(device, -1)}).fetchall()
        return {MEASURANDS[measurand].name: (event_ms, value) for measurand, event_ms, value in rows}

    def drop_before(self, before_ms: int) -> int:
        with self._write_lock, self._transaction() as connection:
            (dropped,) = _one(connection, "DELETE FROM reading WHERE event_ms < ?", [before_ms])
        return int(dropped)

    def info(self) -> HistoryInfo:
        with self._query() as cursor:
            count, first_ms, last_ms = _one(cursor, _INFO)
        files = (self._path, self._path.with_name(self._path.name + ".wal"))
        return HistoryInfo(count, first_ms, last_ms, sum(file.stat().st_size for file in files if file.exists()))

    def close(self) -> None:
        with self._write_lock, self._translated():
            self._writer.close()
            self._database.close()


def _distinct(slots: Int32, size: int) -> NDArray[np.intp]:
    """Return the distinct slots, ascending, of those below `size`: without sorting rows."""
    speaks = np.zeros(size, np.bool_)
    speaks[slots] = True
    return np.flatnonzero(speaks)


def _columns(devices: Int32, readings: Readings) -> dict[str, NDArray[Any]]:
    return {
        "device": devices,
        "measurand": readings.measurand,
        "event_ms": readings.event_ms,
        "value": readings.value,
    }


def _insert(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, NDArray[Any]]) -> None:
    connection.register("batch", columns)  # scanned in place: 0.15 µs a reading, where rows of parameters cost 500
    connection.execute(f"INSERT INTO {table} SELECT * FROM batch")  # noqa: S608  our own table names
    connection.unregister("batch")


def _one(connection: duckdb.DuckDBPyConnection, query: str, values: Any = None) -> tuple[Any, ...]:
    """Return the single row of a query that always has one."""
    row = connection.execute(query, values).fetchone()
    if row is None:
        raise EngineError(f"no row from: {query}")
    return row
