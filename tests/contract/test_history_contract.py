"""The promises of domain.history.History, run on every adapter, and what only the durable one can promise."""

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import EngineError, InputError
from domain.history import History
from domain.measurands import INDEX
from domain.readings import Readings
from storage.duckdb.history import DuckdbHistory
from storage.influx.connection import Connection
from storage.influx.history import InfluxHistory
from storage.memory_history import MemoryHistory

Open = Callable[[], History]
PATHS = ("a/s/gas", "a/s/fire", "b/s/gas")
START_MS = 1_760_000_000_000
"""Times of these tests count from here: a server may take an event time of 0 for none."""
FOREVER = 2**62
Row = tuple[int, str, int, float]
"""Slot, measurand, ms after START_MS, value."""
FORGETS_BY_ITSELF = {"victoriametrics"}
"""Kinds that delete nothing when told: their server has a retention of its own."""
TRANSACTIONAL = {"memory", "duckdb"}
_NUMBERS = itertools.count()


@pytest.fixture(scope="module", params=["memory", "duckdb", "victoriametrics", "influxdb"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def open_history(kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Open:
    """Give a maker of fresh histories of one kind."""
    folder = tmp_path_factory.mktemp("history")
    if kind == "memory":
        return MemoryHistory
    if kind == "duckdb":
        return lambda: DuckdbHistory(folder / f"{next(_NUMBERS)}.db", memory_limit="256MB")
    if kind == "influxdb":
        return _on_influxdb(folder)
    return _on_victoria_metrics(
        request.getfixturevalue("start_victoria_metrics")(folder / "server", "-retentionPeriod=100y").url, folder
    )


class Seen(InfluxHistory):
    """Does not wait the second that VictoriaMetrics takes until fresh readings are seen."""

    def server(self) -> Any:
        self._connection.get("/internal/force_flush")
        return super().server()


def _on_victoria_metrics(url: str, folder: Path) -> Open:
    def fresh() -> History:
        number = next(_NUMBERS)
        return Seen(Connection(url, bucket=f"contract-{number}"), folder / f"{number}.json", settle_s=0)

    return fresh


def _on_influxdb(folder: Path) -> Open:
    """Fresh buckets on the server of INFLUXDB_URL, INFLUXDB_TOKEN and INFLUXDB_ORG."""
    if "INFLUXDB_URL" not in os.environ:
        pytest.skip("INFLUXDB_URL names no InfluxDB 2")  # in CI too: nobody packages it
    url, token, org = (os.environ.get(f"INFLUXDB_{name}", "") for name in ("URL", "TOKEN", "ORG"))

    def fresh() -> History:
        bucket = f"contract-{os.getpid()}-{next(_NUMBERS)}"
        connection = Connection(url, token, org, bucket)
        connection._client.buckets_api().create_bucket(bucket_name=bucket, org=org)
        return InfluxHistory(connection, folder / f"{bucket}.json")

    return fresh


@pytest.fixture
def history(open_history: Open) -> Iterator[History]:
    history = open_history()
    yield history
    history.close()


def readings(first_offset: int, rows: Sequence[Row]) -> Readings:
    """One record a reading, from `first_offset` on."""
    count = len(rows)
    event_ms = START_MS + np.array([row[2] for row in rows], np.int64)
    return Readings(
        np.arange(first_offset, first_offset + count, dtype=np.int64),
        np.array([row[0] for row in rows], np.int32),
        np.array([INDEX[row[1]] for row in rows], np.int16),
        np.array([row[3] for row in rows], np.float64),
        event_ms,
        event_ms + 50,
        np.zeros(count, np.uint8),
    )


def write(history: History, rows: Sequence[Row]) -> None:
    first = history.offset()
    history.write(readings(first, rows), PATHS, first + len(rows))


def points(history: History, device: str = "a/s/gas", count: int = 1000) -> list[tuple[int, float]]:
    series = history.series(device, "ch4_lel", 0, FOREVER, count)
    return list(zip((series.time_ms - START_MS).tolist(), series.value.tolist(), strict=True))


def gas(values: Sequence[float], step: int = 1000) -> list[Row]:
    return [(0, "ch4_lel", i * step, value) for i, value in enumerate(values)]


def test_a_new_history_is_empty(history: History) -> None:
    """Nothing is held, and an unknown device or measurand is an empty curve, not an error."""
    assert history.info()[:3] == (0, None, None)
    assert history.offset() == 0
    assert points(history) == []
    assert history.latest("nobody") == {}
    assert history.series("nobody", "no_such_thing", 0, FOREVER, 10).total == 0
    assert history.drop_before(FOREVER) == 0


def test_a_curve_is_of_one_device_and_measurand(history: History) -> None:
    """Readings come back by device, measurand and half-open time span, ascending in time."""
    write(history, [(0, "ch4_lel", 3000, 3.5), (0, "ch4_lel", 1000, 1.5), (0, "temp_c", 2000, 21.0)])
    write(history, [(2, "ch4_lel", 2000, 9.0), (0, "ch4_lel", 2000, 2.5)])
    assert points(history) == [(1000, 1.5), (2000, 2.5), (3000, 3.5)]
    assert points(history, "b/s/gas") == [(2000, 9.0)]
    series = history.series("a/s/gas", "ch4_lel", START_MS + 1000, START_MS + 3000, 10)
    assert ((series.time_ms - START_MS).tolist(), series.value.tolist(), series.total) == ([1000, 2000], [1.5, 2.5], 2)


def test_the_offset_is_stored_even_without_readings(history: History) -> None:
    """A stretch of the journal with nothing to keep moves the offset too."""
    history.write(Readings.empty(), PATHS, 70)
    assert history.offset() == 70


def test_latest_is_by_event_time(history: History) -> None:
    """A late reading does not replace a newer one."""
    write(history, [(0, "ch4_lel", 5000, 5.0), (0, "ch4_lel", 1000, 1.0), (0, "temp_c", 900, 20.0)])
    write(history, [(0, "ch4_lel", 4000, 4.0), (1, "ch4_lel", 9000, 9.0)])
    assert history.latest("a/s/gas") == {"ch4_lel": (START_MS + 5000, 5.0), "temp_c": (START_MS + 900, 20.0)}


def test_old_readings_are_dropped_and_counted(history: History, kind: str) -> None:
    """Retention deletes what is older than the mark and keeps the mark itself."""
    if kind in FORGETS_BY_ITSELF:
        pytest.skip("the server forgets by a rule of its own")
    write(history, gas([1.0, 2.0, 3.0, 4.0]))
    assert history.drop_before(START_MS + 2000) == 2
    assert points(history) == [(2000, 3.0), (3000, 4.0)]
    assert history.info()[:3] == (2, START_MS + 2000, START_MS + 3000)
    write(history, [(0, "ch4_lel", 500, 0.5)])
    assert history.info().first_ms == START_MS + 500


def test_a_server_that_forgets_by_itself_says_that_it_dropped_nothing(history: History, kind: str) -> None:
    """The count is honest where the engine cannot delete."""
    if kind not in FORGETS_BY_ITSELF:
        pytest.skip("this engine deletes when told")
    write(history, gas([1.0, 2.0]))
    assert history.drop_before(START_MS + 2000) == 0
    assert history.info()[:3] == (2, START_MS, START_MS + 1000)


def test_a_curve_of_one_point_is_refused(history: History) -> None:
    """One point cannot keep a minimum and a maximum, so it is the caller's mistake."""
    with pytest.raises(InputError, match="at least 2"):
        history.series("a/s/gas", "ch4_lel", 0, 1, 1)


def test_all_points_come_when_there_are_few(history: History) -> None:
    """A curve that fits is given whole, equal times included."""
    rows = [*gas([1.0, 2.0, 3.0]), (0, "ch4_lel", 2000, 3.5)]
    write(history, rows)
    assert points(history, count=4) == [(0, 1.0), (1000, 2.0), (2000, 3.0), (2000, 3.5)]
    assert len(points(history, count=3)) <= 3


VALUES = st.integers(-(10**11), 10**11).map(lambda number: number / 1000)
"""Twelve digits: more than any sensor has, and what every engine keeps."""


@settings(max_examples=30)  # each example opens a file
@given(st.lists(st.tuples(st.integers(0, 10**7), VALUES), min_size=1, max_size=80, unique=True), st.integers(2, 30))
def test_peaks_survive_zooming_out(open_history: Open, curve: list[tuple[int, float]], count: int) -> None:
    """However few points are asked for: no more come, each is a reading, and in every bucket none was higher or lower."""
    history = open_history()
    write(history, [(0, "ch4_lel", at, value) for at, value in curve])
    series = history.series("a/s/gas", "ch4_lel", 0, FOREVER, count)
    chosen = list(zip((series.time_ms - START_MS).tolist(), series.value.tolist(), strict=True))
    assert series.total == len(curve)
    assert len(chosen) <= count
    assert set(chosen) <= set(curve)
    assert [at for at, _ in chosen] == sorted(at for at, _ in chosen)
    first, last = min(curve)[0], max(curve)[0]
    width = (last - first) // (count // 2) + 1

    def extremes(rows: list[tuple[int, float]]) -> dict[int, tuple[float, float]]:
        by_bucket: dict[int, list[float]] = {}
        for at, value in rows:
            by_bucket.setdefault((at - first) // width, []).append(value)
        return {bucket: (min(values), max(values)) for bucket, values in by_bucket.items()}

    assert extremes(chosen) == extremes(curve)
    history.close()


@settings(max_examples=30)  # each example opens a file
@given(st.lists(st.integers(0, 40), max_size=6))
def test_replays_double_nothing(open_history: Open, replays: list[int]) -> None:
    """Writing the journal again from any earlier offset, in any pieces, leaves each reading there once."""
    history = open_history()
    rows = [(i % 3, "ch4_lel", i * 1000, float(i)) for i in range(41)]
    for end in [*replays, 41]:
        for start in (0, max(end - 5, 0)):
            history.write(readings(start, rows[start:end]), PATHS, end)
    assert history.offset() == 41
    assert history.info().readings == 41
    assert sorted(row for path in PATHS for row in points(history, path)) == [(r[2], r[3]) for r in rows]
    history.close()


def test_readers_are_served_while_readings_are_written(history: History, kind: str) -> None:
    """Queries from other threads see a growing curve, and where the engine has transactions never a part of a write."""
    step = 10 if kind in TRANSACTIONAL else 1
    failures: list[str] = []
    done = threading.Event()

    def watch() -> None:
        seen = 0
        while not done.is_set():
            count = len(points(history))
            if count < seen or count % step:
                failures.append(f"{seen} then {count}")
            seen = count

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    for turn in range(20):
        write(history, [(0, "ch4_lel", turn * 10 + i, 1.0) for i in range(10)])
    done.set()
    for watcher in watchers:
        watcher.join(30)
    assert failures == []
    assert len(points(history)) == 200


def test_duckdb_reopens_where_it_was(tmp_path: Path) -> None:
    """Readings, device numbers and the offset are there at the next start, and the count goes on."""
    first = DuckdbHistory(tmp_path / "history.db")
    write(first, [(0, "ch4_lel", 1000, 1.0), (2, "ch4_lel", 1000, 7.0)])
    first.close()
    second = DuckdbHistory(tmp_path / "history.db")
    assert second.offset() == 2
    write(second, [(1, "ch4_lel", 2000, 2.0), (0, "ch4_lel", 2000, 3.0)])
    assert points(second) == [(1000, 1.0), (2000, 3.0)]
    assert points(second, "a/s/fire") == [(2000, 2.0)]
    assert points(second, "b/s/gas") == [(1000, 7.0)]
    assert second.info().bytes > 0
    second.close()


def test_duckdb_does_not_depend_on_slot_numbers(tmp_path: Path) -> None:
    """A restart that gives devices other slots still files readings under the right device."""
    history = DuckdbHistory(tmp_path / "history.db")
    write(history, [(0, "ch4_lel", 1000, 1.0)])
    history.write(readings(1, [(1, "ch4_lel", 2000, 2.0)]), ("x/y/other", "a/s/gas"), 2)
    assert points(history) == [(1000, 1.0), (2000, 2.0)]
    history.close()


def test_duckdb_writes_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the engine fails in the middle, neither readings nor offset nor devices remain, and the same write works later."""
    history = DuckdbHistory(tmp_path / "history.db")
    broken = readings(0, [(0, "ch4_lel", 1000, 1.0)])
    with monkeypatch.context() as patch:
        patch.setattr("storage.duckdb.history._insert", _fail)
        with pytest.raises(EngineError, match="disk"):
            history.write(broken, PATHS, 1)
    assert (history.offset(), history.info().readings) == (0, 0)
    history.write(broken, PATHS, 1)
    assert points(history) == [(1000, 1.0)]
    history.close()


def _fail(*_args: object) -> None:
    raise EngineError("the disk is full")


def test_duckdb_fails_in_our_words(tmp_path: Path) -> None:
    """A missing folder and a closed file are EngineErrors that name the file."""
    with pytest.raises(EngineError, match=r"nowhere/history\.db"):
        DuckdbHistory(tmp_path / "nowhere" / "history.db")
    history = DuckdbHistory(tmp_path / "history.db")
    history.close()
    with pytest.raises(EngineError, match=r"history\.db"):
        history.info()
    with pytest.raises(EngineError, match=r"history\.db"):
        write(history, gas([1.0]))


_WRITER = """
import sys
from pathlib import Path
import numpy as np
from domain.readings import Readings
from storage.duckdb.history import DuckdbHistory
history = DuckdbHistory(Path(sys.argv[1]))
while True:
    at = np.arange(history.offset(), history.offset() + 100)
    slots, measurands, quality = (np.zeros(100, kind) for kind in (np.int32, np.int16, np.uint8))
    history.write(Readings(at, slots, measurands, at * 1.0, at, at, quality), ["a/s/gas"], int(at[-1]) + 1)
    print(history.offset(), flush=True)
"""


def test_duckdb_survives_kill_9(tmp_path: Path) -> None:
    """After kill -9 in the middle of writing, the offset and the readings agree, and nothing that was reported is missing."""
    path = tmp_path / "history.db"
    reported = 0
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            reported = int(writer.stdout.readline())
        writer.kill()
    history = DuckdbHistory(path)
    assert history.offset() >= reported
    assert history.info().readings == history.offset()
    history.close()
