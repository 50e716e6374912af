"""History on a real VictoriaMetrics: its traps, its outages and its deaths cost no reading and stop nothing."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import numpy as np
import pytest

from api.accounts import issue_token
from detectors.build import build_engine
from domain.history import History
from domain.measurands import INDEX
from domain.readings import Readings
from domain.records import TICK, Record, batches
from emberwatch.history_feed import HistoryFeed
from emberwatch.pipeline import Machine
from emberwatch.service import Running, running
from emberwatch.settings import ApiSettings, InfluxSettings, Settings
from emberwatch.snapshots import SnapshotStore
from ingest.mosquitto import Mosquitto
from ledger.alarm import AlarmFilter
from registers.account import Role
from storage.influx.connection import Connection
from storage.influx.history import InfluxHistory
from storage.journals.memory import MemoryJournal

PLACE = "yard/hall/ch4-1"
NOW_MS = time.time_ns() // 1_000_000
HOUR_MS = 3_600_000
FOREVER = 2**62
SETTLE_S = 30.0
Start = Callable[..., Any]


class Clock:
    """Shows what the test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def history_on(url: str, folder: Path, clock: Callable[[], float] = time.monotonic, name: str = "o") -> InfluxHistory:
    return InfluxHistory(Connection(url), folder / f"{name}.json", settle_s=SETTLE_S, clock=clock)


def gas(first_offset: int, count: int, start_ms: int = NOW_MS - HOUR_MS) -> Readings:
    """One reading a record and a second; its value is its offset."""
    offset = np.arange(first_offset, first_offset + count, dtype=np.int64)
    zeros, at = np.zeros(count, np.int32), start_ms + offset * 1000
    measurand = np.full(count, INDEX["ch4_lel"], np.int16)
    return Readings(offset, zeros, measurand, offset.astype(np.float64), at, at, zeros.astype(np.uint8))


def write(history: History, first: int, count: int) -> None:
    history.write(gas(first, count), [PLACE], first + count)


def values(history: History) -> list[float]:
    """Return what can be seen now: fresh readings too."""
    if isinstance(history, InfluxHistory):
        history._connection.get("/internal/force_flush")
    kept: list[float] = history.series(PLACE, "ch4_lel", 0, FOREVER, 1_000_000).value.tolist()
    return kept


def until(done: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_what_was_acknowledged_is_lost_when_the_server_is_killed_and_is_written_again(
    start_victoria_metrics: Start, tmp_path: Path
) -> None:
    """A 204 is not durable: the offset waits for it, and a restart in between makes us begin again from the offset."""
    server, clock = start_victoria_metrics(tmp_path / "server"), Clock()
    history = history_on(server.url, tmp_path, clock)
    write(history, 0, 100)
    assert (history.offset(), values(history)) == (0, [float(i) for i in range(100)])
    server.kill()
    server.start()
    assert len(values(history)) < 100
    clock.now = SETTLE_S
    with pytest.raises(Exception, match="restarted"):
        write(history, 100, 10)
    write(history, history.offset(), 110)
    clock.now = 2 * SETTLE_S
    write(history, 110, 1)
    assert (history.offset(), values(history)) == (110, [float(i) for i in range(111)])


def test_the_offset_survives_us_and_belongs_to_one_server(start_victoria_metrics: Start, tmp_path: Path) -> None:
    """The next start goes on where it was safe; another server is filled from the beginning of the journal."""
    server, clock = start_victoria_metrics(tmp_path / "server"), Clock()
    history = history_on(server.url, tmp_path, clock)
    write(history, 0, 10)
    clock.now = SETTLE_S
    write(history, 10, 10)
    history.close()
    assert history_on(server.url, tmp_path).offset() == 10
    assert history_on("http://127.0.0.1:1", tmp_path).offset() == 0


def test_sending_twice_doubles_nothing_that_we_show(start_victoria_metrics: Start, tmp_path: Path) -> None:
    """The server keeps both copies unless told to deduplicate; our curves show each reading once in either case."""
    for flags, counted in ((), 20), (("-dedup.minScrapeInterval=1ms",), 10):
        server = start_victoria_metrics(tmp_path / f"server{counted}", *flags)
        for name in ("first", "second"):
            history = history_on(server.url, tmp_path, name=f"{name}{counted}")
            write(history, 0, 10)
        assert values(history) == [float(i) for i in range(10)]
        assert history.info().readings == counted


def test_different_values_of_one_millisecond_are_both_kept(start_victoria_metrics: Start, tmp_path: Path) -> None:
    """A clock of whole seconds, or samples whose future times were clamped to one: no peak is lost."""
    history = history_on(start_victoria_metrics(tmp_path / "server").url, tmp_path)
    readings = gas(0, 3)
    readings.event_ms[:] = NOW_MS
    history.write(readings, [PLACE], 3)
    assert values(history) == [0.0, 1.0, 2.0]


def test_readings_beyond_the_retention_vanish_and_the_doctor_can_tell(
    start_victoria_metrics: Start, tmp_path: Path
) -> None:
    """The server drops them in silence, so how long it keeps readings is asked for."""
    history = history_on(start_victoria_metrics(tmp_path / "server", "-retentionPeriod=30d").url, tmp_path)
    history.write(gas(0, 10, NOW_MS - 40 * 24 * HOUR_MS), [PLACE], 10)
    assert values(history) == []
    assert history.server().kept_days() == 30


class Feeding:
    """A journal that grows, and the feed that brings its readings to a history."""

    def __init__(self, history: History, folder: Path) -> None:
        self.journal = MemoryJournal()
        self._machine = self._new_machine()
        self.failures: list[BaseException] = []
        self.feed = HistoryFeed(
            history,
            self.journal,
            SnapshotStore(folder / "snapshots", "1"),
            self._new_machine,
            self._machine.world.slots.paths,
            self.failures.append,
        )
        self.feed.start(0)
        self._read = 0

    @staticmethod
    def _new_machine() -> Machine:
        return Machine(build_engine)

    def hear(self, first: int, count: int) -> None:
        """Let the device say `count` values, a message each, from `first` on, and put the readings into the queue."""
        for value in range(first, first + count):
            at = NOW_MS - HOUR_MS + value * 1000
            body = json.dumps({"ts": at, "seq": value, "boot": 1, "v": {"ch4_lel": value}})
            self.journal.append([Record(at, f"safety/v1/{PLACE}/telemetry", body.encode())])
        self.say_nothing()

    def say_nothing(self) -> None:
        """Let a second go by."""
        self.journal.append([Record(NOW_MS, TICK, b"")])
        end = self.journal.info().end
        for batch in batches(self.journal, self._read, end):
            for decoded in self._machine.decoder.decode(batch):
                segment = decoded.segment
                self.feed.put(segment.first_offset, segment.end_offset, segment.readings)
        self._read = end

    @property
    def done(self) -> bool:
        return self.feed.healthy and self.feed.expected == self._read


@pytest.fixture
def feeding(request: pytest.FixtureRequest, start_victoria_metrics: Start, tmp_path: Path) -> Iterator[Any]:
    server, clock = start_victoria_metrics(tmp_path / "server"), Clock()
    history = history_on(server.url, tmp_path, clock)
    fed = Feeding(history, tmp_path)
    yield fed, history, server, clock
    fed.feed.stop()
    history.close()


@pytest.mark.parametrize("longest_queue", [2_000_000, 5])
def test_a_killed_server_is_filled_again_from_the_journal(
    feeding: Any, longest_queue: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed with readings it had acknowledged, down while more came, back: each reading is there once."""
    monkeypatch.setattr("emberwatch.history_feed._MOST_QUEUED", longest_queue)
    monkeypatch.setattr("emberwatch.history_feed._MOST_BACKOFF_S", 1.0)
    fed, history, server, clock = feeding
    fed.hear(0, 50)
    until(lambda: fed.done)
    server.kill()
    fed.hear(50, 50)
    until(lambda: not fed.feed.healthy)
    server.start()
    until(lambda: fed.done)
    clock.now = SETTLE_S
    fed.hear(100, 50)  # now the restart comes to light
    until(lambda: fed.done)
    assert values(history) == [float(i) for i in range(150)]
    clock.now = 2 * SETTLE_S
    fed.say_nothing()
    until(lambda: fed.done)
    assert history.offset() > 100


@pytest.fixture
async def service(
    mosquitto: Mosquitto, start_victoria_metrics: Start, tmp_path: Path
) -> AsyncIterator[tuple[Running, Any]]:
    server = start_victoria_metrics(tmp_path / "server")
    settings = Settings(
        data=str(tmp_path / "data"),
        broker=f"mqtt://{mosquitto.host}:{mosquitto.port}",
        api=ApiSettings(port=0),
        history="influx",
        influx=InfluxSettings(url=server.url),
    )
    async with running(settings, lambda _text: None) as up:
        yield up, server


async def test_the_service_goes_on_without_its_history_server(service: tuple[Running, Any]) -> None:
    """While it is down alarms are raised and the API says what it lacks; afterwards every curve is whole."""
    up, server = service
    accounts, books = up.parts.books.accounts, up.parts.books.ledger
    token = issue_token(accounts, "test", Role.OPERATOR, NOW_MS)
    window: dict[str, str | int] = {
        "device": PLACE,
        "measurand": "ch4_lel",
        "from": NOW_MS - HOUR_MS,
        "to": NOW_MS + HOUR_MS,
    }
    start = time.time_ns() // 1_000_000 - 1000

    async def when(done: Callable[[], object]) -> None:
        await asyncio.wait_for(asyncio.to_thread(until, done), 90)

    async with (
        aiomqtt.Client(up.address.host, up.address.port, identifier="device") as device,
        httpx.AsyncClient(base_url=up.url, headers={"Authorization": f"Bearer {token}"}) as http,
    ):

        async def say(first: int, value: float) -> None:
            for seq in range(first, first + 10):
                body = {"ts": start + seq, "seq": seq, "boot": 1, "v": {"ch4_lel": value}}
                await device.publish(f"safety/v1/{PLACE}/telemetry", json.dumps(body), qos=1)

        await when(lambda: up.parts.transport.counters.connected)
        await say(0, 1.0)
        await when(lambda: up.parts.history_feed.expected > 10)
        server.stop()
        await say(10, 60.0)
        await when(lambda: {a.rule for a in books.alarms.alarms(AlarmFilter())} >= {"G101"})
        await when(lambda: not up.parts.history_feed.healthy)
        assert (await http.get("/api/v1/series", params=window)).status_code == 503
        assert (await http.get("/api/v1/alarms")).status_code == 200
        server.start()
        await say(20, 2.0)
        await when(lambda: up.parts.history_feed.healthy and not up.parts.history_feed.queued)
        await when(lambda: len(values(up.parts.streams.history)) >= 30)
        series = (await http.get("/api/v1/series", params=window)).json()
        assert series["value"] == [1.0] * 10 + [60.0] * 10 + [2.0] * 10
