"""Days of readings as Parquet files: exact, sorted, repeatable, and nothing is dropped that is not in a file."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import EngineError
from domain.measurands import INDEX, MEASURANDS
from domain.readings import Readings
from registers.local_time import LOCAL
from storage.duckdb.history import DuckdbHistory
from storage.duckdb.parquet import ExportedDay, export_days

PATHS = ("a/s/gas", "b/s/gas")
DAY = dt.date(2026, 3, 1)
DAY_MS = 86_400_000
START_MS = int(dt.datetime(2026, 3, 1, tzinfo=LOCAL).timestamp()) * 1000
Row = tuple[int, int, int, float]
"""Slot, measurand column, ms after the beginning of DAY, value."""


def write(database: Path, rows: Sequence[Row]) -> None:
    history = DuckdbHistory(database, memory_limit="256MB")
    slot, measurand, at, value = (list(column) for column in zip(*rows, strict=True))
    first = history.offset()
    event_ms = START_MS + np.array(at, np.int64)
    history.write(
        Readings(
            np.arange(first, first + len(rows), dtype=np.int64),
            np.array(slot, np.int32),
            np.array(measurand, np.int16),
            np.array(value, np.float64),
            event_ms,
            event_ms,
            np.zeros(len(rows), np.uint8),
        ),
        PATHS,
        first + len(rows),
    )
    history.close()


def held(database: Path) -> int:
    history = DuckdbHistory(database, memory_limit="256MB")
    count = history.info().readings
    history.close()
    return count


def export(database: Path, days: int, *, drop: bool = False) -> list[ExportedDay]:
    before = DAY + dt.timedelta(days=days)
    return list(export_days(database, before, LOCAL, database.parent / "out", drop=drop))


def read_back(file: Path) -> list[Row]:
    query = "SELECT device, measurand, epoch_ms(time), value FROM read_parquet(?)"
    rows = duckdb.execute(query, [str(file)]).fetchall()
    return [(PATHS.index(device), INDEX[name], at - START_MS, value) for device, name, at, value in rows]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "history.duckdb"


ROWS = st.tuples(
    st.integers(0, 1),
    st.integers(0, len(MEASURANDS) - 1),
    st.integers(0, 3 * DAY_MS - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)


@settings(max_examples=20)  # each example opens a file
@given(rows=st.lists(ROWS, min_size=1, max_size=30, unique=True))
def test_what_is_read_back_is_what_was_held(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every reading is in the file of its local day, to the last bit, sorted by device, measurand and time."""
    database = tmp_path_factory.mktemp("export") / "history.duckdb"
    write(database, rows)
    days = export(database, 3, drop=True)
    assert held(database) == 0
    assert [day.day for day in days] == sorted({DAY + dt.timedelta(days=at // DAY_MS) for _, _, at, _ in rows})
    found = []
    for day in days:
        back = read_back(day.file)
        assert len(back) == day.readings
        assert {at // DAY_MS for _, _, at, _ in back} == {(day.day - DAY).days}
        keys = [(PATHS[slot], MEASURANDS[column].name, at, value) for slot, column, at, value in back]
        assert keys == sorted(keys)
        found += back
    assert sorted(found) == sorted(rows)


def test_only_whole_days_before_the_mark_go(database: Path) -> None:
    """The day itself and later ones stay in the history; without --drop everything stays."""
    write(database, [(0, 0, 0, 1.0), (0, 0, DAY_MS - 1, 2.0), (0, 0, DAY_MS, 3.0)])
    assert [day.readings for day in export(database, 1)] == [2]
    assert held(database) == 3
    assert [day.readings for day in export(database, 1, drop=True)] == [2]
    assert held(database) == 1
    assert export(database, 1) == []


def test_what_comes_late_is_added_to_its_day(database: Path) -> None:
    """Exported and dropped, then late readings: the file holds both, and a repetition doubles nothing."""
    write(database, [(0, 0, 0, 1.0), (0, 0, 1000, 2.0)])
    export(database, 1, drop=True)
    write(database, [(0, 0, 500, 1.5), (0, 0, 1000, 2.0)])
    export(database, 1)
    (day,) = export(database, 1, drop=True)
    assert read_back(day.file) == [(0, 0, 0, 1.0), (0, 0, 500, 1.5), (0, 0, 1000, 2.0)]
    assert held(database) == 0


def test_the_history_goes_on_after_an_export(database: Path) -> None:
    """Its offset and its devices are untouched."""
    write(database, [(0, 0, 0, 1.0), (1, 0, DAY_MS, 2.0)])
    export(database, 1, drop=True)
    write(database, [(0, 0, DAY_MS + 1, 3.0)])
    history = DuckdbHistory(database)
    assert history.offset() == 3
    assert history.latest("a/s/gas") == {"ch4_ppm": (START_MS + DAY_MS + 1, 3.0)}
    history.close()


@pytest.mark.parametrize("harm", ["folder", "file"])
def test_nothing_is_dropped_when_a_file_cannot_be_written(
    database: Path, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is a file, or a file that lacks a reading: an EngineError, and the history keeps all."""
    write(database, [(0, 0, 0, 1.0), (0, 0, 1000, 2.0)])
    harms: dict[str, Callable[[], object]] = {
        "folder": lambda: (database.parent / "out").write_text("in the way"),
        "file": lambda: monkeypatch.setattr(
            "storage.duckdb.parquet._WRITE", "COPY (FROM exported LIMIT 1) TO '{}' (FORMAT parquet)"
        ),
    }
    harms[harm]()
    with pytest.raises(EngineError):
        export(database, 1, drop=True)
    assert held(database) == 2
