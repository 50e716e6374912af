"""Days of the DuckDB history as Parquet files that any tool reads: sorted, one file a day.

A day that was exported before is merged with its file, so late readings are added and nothing is doubled. Readings are dropped
only after their file is on disk and every one of them was found in it.
"""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from domain.errors import CorruptionError, EngineError
from domain.measurands import MEASURANDS

_DAY = dt.timedelta(days=1)
_FIRST = "SELECT min(event_ms) FROM reading WHERE event_ms >= ? AND event_ms < ?"
_SPAN = "FROM reading WHERE event_ms >= ? AND event_ms < ?"
_ROWS = f"""
CREATE OR REPLACE TEMP TABLE exported AS
SELECT device.path AS device, measurand.name AS measurand, make_timestamptz(event_ms * 1000) AS time, value
FROM (SELECT * {_SPAN}) AS reading
JOIN device ON device.id = reading.device
JOIN measurand ON measurand.id = reading.measurand
"""  # noqa: S608  built from constants
_MERGE = "INSERT INTO exported (FROM read_parquet(?) EXCEPT FROM exported)"
_WRITE = "COPY (FROM exported ORDER BY device, measurand, time, value) TO '{}' (FORMAT parquet, COMPRESSION zstd)"
_MISSING = "SELECT count(*) FROM (FROM exported EXCEPT ALL FROM read_parquet(?))"


class ExportedDay(NamedTuple):
    """One file, and how many readings are in it."""

    day: dt.date
    file: Path
    readings: int


def export_days(database: Path, before: dt.date, zone: dt.tzinfo, folder: Path, *, drop: bool) -> Iterator[ExportedDay]:
    """Export every day of `zone` before the day `before`, oldest first; `drop` the readings from the database afterwards.

    Columns: `device` (area/site/device), `measurand`, `time` (an instant, µs), `value` in the measurand's unit. Nobody else may
    have the database open. Raises EngineError; what was exported until then stays.
    """
    with _translated(database), duckdb.connect(database, config={"autoinstall_known_extensions": False}) as connection:
        folder.mkdir(parents=True, exist_ok=True)
        connection.execute("CREATE TEMP TABLE measurand (id SMALLINT, name VARCHAR)")
        connection.executemany("INSERT INTO measurand VALUES (?, ?)", [(m.column, m.name) for m in MEASURANDS])
        day = dt.date.min
        while (day := _next_day(connection, day, before, zone)) < before:
            yield _export(connection, day, zone, folder, drop=drop)
            day += _DAY
        connection.execute("CHECKPOINT")


@contextmanager
def _translated(database: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise EngineError(f"exporting history {database}: {error}") from error


def _next_day(connection: duckdb.DuckDBPyConnection, day: dt.date, before: dt.date, zone: dt.tzinfo) -> dt.date:
    """Return the first day from `day` on that has readings, `before` when there is none."""
    first = 0 if day == dt.date.min else _ms(day, zone)
    (found,) = _one(connection, _FIRST, [first, _ms(before, zone)])
    return before if found is None else dt.datetime.fromtimestamp(found / 1000, zone).date()


def _export(
    connection: duckdb.DuckDBPyConnection, day: dt.date, zone: dt.tzinfo, folder: Path, *, drop: bool
) -> ExportedDay:
    span = [_ms(day, zone), _ms(day + _DAY, zone)]
    file = folder / f"readings-{day}.parquet"
    connection.execute(_ROWS, span)
    if file.exists():
        connection.execute(_MERGE, [str(file)])
    _write(connection, file)
    (missing,) = _one(connection, _MISSING, [str(file)])
    if missing:
        raise CorruptionError(
            f"{file} does not hold {missing} of the readings that were written to it; the history keeps them"
        )
    (readings,) = _one(connection, "SELECT count(*) FROM exported")
    if drop:
        connection.execute(f"DELETE {_SPAN}", span)
    return ExportedDay(day, file, readings)


def _write(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Write the whole file or none, durably."""
    temporary = file.with_suffix(".tmp")
    connection.execute(_WRITE.format(str(temporary).replace("'", "''")))
    with temporary.open("rb") as written:
        os.fsync(written.fileno())
    temporary.replace(file)


def _ms(day: dt.date, zone: dt.tzinfo) -> int:
    return int(dt.datetime.combine(day, dt.time(), zone).timestamp()) * 1000


def _one(connection: duckdb.DuckDBPyConnection, query: str, values: Any = None) -> tuple[Any, ...]:
    row: tuple[Any, ...] = connection.execute(query, values).fetchall()[0]
    return row
