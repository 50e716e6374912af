"""Readings on a server that takes line protocol: the lines, the offset's file, and InfluxDB 2 as its documentation has it."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import CorruptionError, EngineError
from domain.measurands import INDEX
from domain.readings import Readings
from storage.influx.connection import Connection
from storage.influx.history import InfluxHistory
from storage.influx.lines import LineWriter, stamps
from storage.influx.progress import ProgressFile

NOW_MS = 1_760_000_000_000
PATHS = ("a/s/gas", "b/s/gas")


def readings(offsets: list[int], event_ms: int = NOW_MS) -> Readings:
    """One reading an offset (several of one offset are one message), all of one millisecond."""
    count = len(offsets)
    at = np.full(count, event_ms, np.int64)
    return Readings(
        np.array(offsets, np.int64),
        np.arange(count, dtype=np.int32) % 2,
        np.full(count, INDEX["ch4_lel"], np.int16),
        np.arange(count) / 10,
        at,
        at,
        np.zeros(count, np.uint8),
    )


def test_a_line_says_device_measurand_value_and_time() -> None:
    """As InfluxDB's line protocol has it; times of one ms differ by the place in the journal."""
    assert LineWriter("reading").lines(readings([4, 5, 6]), PATHS) == [
        "reading,device=a/s/gas,measurand=ch4_lel value=0.0 1760000000000004000",
        "reading,device=b/s/gas,measurand=ch4_lel value=0.1 1760000000000005000",
        "reading,device=a/s/gas,measurand=ch4_lel value=0.2 1760000000000006000",
    ]


def test_slots_may_change_hands() -> None:
    """After a restart that numbers devices anew, or with new devices, a reading still bears its device's name."""
    writer = LineWriter("reading")
    for paths in (PATHS, (*PATHS, "c/s/gas"), PATHS[::-1], PATHS):
        devices = [line.split("=")[1].split(",")[0] for line in writer.lines(readings([1, 2]), paths)]
        assert devices == list(paths[:2])


def test_no_readings_are_no_lines() -> None:
    """A stretch of the journal without readings."""
    assert LineWriter("reading").lines(Readings.empty(), PATHS) == []


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=40).map(sorted), st.integers(0, 2000))
def test_a_replay_writes_the_same_points(offsets: list[int], start: int) -> None:
    """From whatever record the journal is read again, a reading gets the same time; and time stays in its millisecond."""
    whole = readings(offsets)
    again = whole.take(whole.offset >= start)
    assert stamps(again).tolist() == stamps(whole)[whole.offset >= start].tolist()
    assert set((stamps(whole) // 1_000_000).tolist()) == {NOW_MS}


def test_readings_of_one_millisecond_stay_apart() -> None:
    """Of one message or of several."""
    assert len(set(stamps(readings([7, 7, 7, 8, 8, 9])).tolist())) == 6


def test_the_file_of_the_offset_is_replaced_whole(tmp_path: Path) -> None:
    """Saved, loaded, of one server; a damaged one is an error and not an offset."""
    file = tmp_path / "offset.json"
    progress = ProgressFile(file, "one")
    assert progress.load() == 0
    progress.save(7)
    progress.save(8)
    assert (progress.load(), ProgressFile(file, "two").load()) == (8, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["offset.json"]
    file.write_text("{")
    with pytest.raises(CorruptionError, match=r"offset\.json"):
        progress.load()
    with pytest.raises(EngineError, match="cannot write"):
        ProgressFile(tmp_path / "none" / "offset.json", "one").save(1)


class FakeInflux(ThreadingHTTPServer):
    """Answers as InfluxDB 2 does; Flux is answered by the first `answers` whose pattern is found in the query."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.health: Any = {"name": "influxdb", "status": "pass", "version": "v2.7.11"}
        self.write_status = 204
        self.bodies: list[str] = []
        self.writes: list[dict[str, list[str]]] = []
        self.deletes: list[dict[str, str]] = []
        self.tokens: set[str | None] = set()
        self.answers: dict[str, str] = {}


class _Handler(BaseHTTPRequestHandler):
    server: FakeInflux

    def log_message(self, *_arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(200, json.dumps(self.server.health))
        elif self.path.startswith("/api/v2/buckets"):
            rules = [{"type": "expire", "everySeconds": 864_000, "shardGroupDurationSeconds": 86_400}]
            self._answer(200, json.dumps({"buckets": [{"name": "emberwatch", "retentionRules": rules}]}))
        else:
            self._answer(404, "no such thing")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.tokens.add(self.headers["Authorization"])
        where = urlsplit(self.path)
        if where.path == "/api/v2/write":
            self.server.writes.append(parse_qs(where.query))
            self.server.bodies.append(body)
            self._answer(self.server.write_status, "" if self.server.write_status == 204 else '{"message": "no"}')
        elif where.path == "/api/v2/delete":
            self.server.deletes.append(json.loads(body))
            self._answer(204, "")
        else:
            query = json.loads(body)["query"]
            found = (text for pattern, text in self.server.answers.items() if re.search(pattern, query))
            self._answer(200, next(found, "\r\n"))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def influx() -> Iterator[FakeInflux]:
    server = FakeInflux()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def history(influx: FakeInflux, tmp_path: Path) -> Iterator[InfluxHistory]:
    history = InfluxHistory(Connection(influx.url, "secret-token", "district"), tmp_path / "offset.json")
    yield history
    history.close()


def table(columns: str, *rows: str) -> str:
    """Return annotated CSV without annotations, as the query asks for it."""
    return "".join(f"{line}\r\n" for line in (f",result,table,{columns}", *(f",,0,{row}" for row in rows)))


def test_writing_is_one_request_and_moves_the_offset_at_once(influx: FakeInflux, history: InfluxHistory) -> None:
    """What InfluxDB acknowledges is on its disk."""
    history.write(readings([0, 1]), PATHS, 2)
    assert history.offset() == 2
    assert influx.writes == [{"org": ["district"], "bucket": ["emberwatch"], "precision": ["ns"]}]
    assert influx.bodies[0].count("\n") == 1
    assert influx.tokens == {"Token secret-token"}


def test_only_what_is_new_is_sent(influx: FakeInflux, history: InfluxHistory) -> None:
    """Readings below the offset are skipped, and nothing new is no request."""
    history.write(readings([0, 1]), PATHS, 2)
    history.write(readings([0, 1]), PATHS, 2)
    history.write(readings([1, 2]), PATHS, 3)
    history.write(Readings.empty(), PATHS, 9)
    assert [body.count(" value=") for body in influx.bodies] == [2, 1]
    assert history.offset() == 9


def test_many_readings_go_in_several_requests(
    influx: FakeInflux, history: InfluxHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request grows without bound."""
    monkeypatch.setattr("storage.influx.history._MOST_LINES", 2)
    history.write(readings([0, 1, 2]), PATHS, 3)
    assert [len(body.splitlines()) for body in influx.bodies] == [2, 1]


def test_readings_older_than_the_bucket_keeps_hold_up_nothing(influx: FakeInflux, history: InfluxHistory) -> None:
    """422 says that the server dropped those and kept the rest: sending them again would never end."""
    influx.write_status = 422
    history.write(readings([0]), PATHS, 1)
    assert history.offset() == 1


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_every_other_refusal_keeps_the_readings(influx: FakeInflux, history: InfluxHistory, status: int) -> None:
    """The offset stays, the error says why, without the token; after the repair the same write works."""
    influx.write_status = status
    with pytest.raises(EngineError, match=f"{status}") as refused:
        history.write(readings([0]), PATHS, 1)
    assert "secret" not in str(refused.value)
    assert history.offset() == 0
    influx.write_status = 204
    history.write(readings([0]), PATHS, 1)
    assert history.offset() == 1


@pytest.mark.parametrize("health", [{"name": "influxdb", "version": "1.8.10"}, {"name": "x"}, "OK", 7])
def test_another_server_is_refused_in_words(influx: FakeInflux, history: InfluxHistory, health: Any) -> None:
    """InfluxDB 1 has no Flux that we could rely on, and some web server has nothing."""
    influx.health = health
    with pytest.raises(EngineError, match="neither InfluxDB 2 nor VictoriaMetrics"):
        history.write(readings([0]), PATHS, 1)


def test_a_server_that_is_down_at_the_start_is_found_later(tmp_path: Path) -> None:
    """Making the history asks nobody; using it is an EngineError that names the server."""
    history = InfluxHistory(Connection("http://127.0.0.1:1"), tmp_path / "offset.json")
    assert history.offset() == 0
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:1"):
        history.write(readings([0]), PATHS, 1)
    history.close()
    with pytest.raises(EngineError, match="closed"):
        history.info()


def test_a_short_curve_is_read_whole(influx: FakeInflux, history: InfluxHistory) -> None:
    """Times come back in ms, in order."""
    influx.answers = {
        r"count\(\)": table("_value", "2"),
        "range": table("_value,ns", f"2.5,{NOW_MS + 1}000001", f"1.5,{NOW_MS}000002"),
    }
    series = history.series("a/s/gas", "ch4_lel", 0, 2**62, 10)
    assert (series.time_ms.tolist(), series.value.tolist(), series.total) == ([NOW_MS, NOW_MS + 1], [1.5, 2.5], 2)


def test_a_long_curve_is_reduced_by_the_server(influx: FakeInflux, history: InfluxHistory) -> None:
    """Its least and greatest readings per window; one that is both comes once. Windows begin at the first reading."""
    influx.answers = {
        r"count\(\)": table("_value", "100"),
        r"first\(\)": table("_value,ns", f"0.5,{NOW_MS}000000"),
        r"last\(\)": table("_value,ns", f"0.7,{NOW_MS + 99}000000"),
        rf"window\(every: 50ms, offset: {NOW_MS % 50}ms\) \|> min": table(
            "_value,ns", f"0.1,{NOW_MS + 7}000000", f"0.2,{NOW_MS + 60}000000"
        ),
        r"\|> max": table("_value,ns", f"9.5,{NOW_MS + 3}000000", f"0.2,{NOW_MS + 60}000000"),
    }
    series = history.series("a/s/gas", "ch4_lel", 0, 2**62, 4)
    assert (series.time_ms - NOW_MS).tolist() == [3, 7, 60]
    assert (series.value.tolist(), series.total) == ([9.5, 0.1, 0.2], 100)


def test_latest_info_and_retention(influx: FakeInflux, history: InfluxHistory) -> None:
    """Each from one small answer."""
    influx.answers = {r'r.device == "a/s/gas".*last\(\)': table("measurand,_value,ns", f"ch4_lel,3.5,{NOW_MS}000004")}
    assert history.latest("a/s/gas") == {"ch4_lel": (NOW_MS, 3.5)}
    influx.answers = {
        r"count\(\)": table("_value", "12"),
        r"first\(\)": table("ns", f"{NOW_MS}000004"),
        r"last\(\)": table("ns", f"{NOW_MS + 5}000004"),
    }
    assert history.info() == (12, NOW_MS, NOW_MS + 5, 0)
    assert history.server().kept_days() == 10


def test_old_readings_are_counted_and_deleted_up_to_the_mark(influx: FakeInflux, history: InfluxHistory) -> None:
    """To the last ns before the mark, which only the thousandth reading of a message could have."""
    assert (history.drop_before(NOW_MS), influx.deletes) == (0, [])
    influx.answers = {r"count\(\)": table("_value", "3")}
    assert history.drop_before(NOW_MS) == 3
    assert influx.deletes == [
        {
            "start": "1970-01-01T00:00:00Z",
            "stop": "2025-10-09T08:53:19.999999999Z",
            "predicate": '_measurement="reading"',
        }
    ]


def test_nothing_is_no_curve(history: InfluxHistory) -> None:
    """An empty answer is an empty curve."""
    assert history.series('no"body${x}', "ch4_lel", 0, 2**62, 10).total == 0
    assert history.series("a/s/gas", "ch4_lel", 5, 5, 10).total == 0
    assert history.latest("nobody") == {}
    assert history.info()[:3] == (0, None, None)
