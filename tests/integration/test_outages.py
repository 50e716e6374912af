"""What fails, fails as it was decided beforehand: the whole service, a real broker, real stores, one failure at a time."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import duckdb
import httpx
import msgspec
import pytest

from domain.records import START, THINNED
from emberwatch.overload import Overload
from emberwatch.overview import Overview
from emberwatch.pipeline import Pipeline
from emberwatch.replay import replay
from emberwatch.service import Running, running
from emberwatch.settings import ApiSettings, OverloadSettings, Settings
from ingest.codecs import native
from ingest.mosquitto import Mosquitto
from ingest.thinning import QUIET
from ledger.alarm import AlarmFilter
from registers.device import Device, DeviceKind, DeviceModel
from registers.place import Area, Site

pytestmark = pytest.mark.mosquitto

PLACE = "yard/hall/ch4-1"
PATIENCE_S = 40.0


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not done():  # noqa: ASYNC110 - whatever the test wants to see
            await asyncio.sleep(0.02)


@asynccontextmanager
async def service(broker: Mosquitto, folder: Path, **settings: Any) -> AsyncIterator[Running]:
    """Run a service with one gas detector in its register, connected to the broker."""
    made = Settings(
        data=str(folder / "data"),
        broker=f"mqtt://{broker.host}:{broker.port}",
        api=ApiSettings(port=0, metrics_open=True),
        **settings,
    )
    async with running(made, lambda _text: None) as up:
        put = up.parts.books.registers.put
        put([Area(code="yard", name="场院")], by="user:test")
        put([Site(code="hall", name="大厅", area="yard")], by="user:test")
        put([DeviceModel(code="m", name="m", kind=DeviceKind.GAS, measurand="ch4_lel", interval_s=3)], by="user:test")
        put([Device(code="ch4-1", site="hall", model="m")], by="user:test")
        await until(lambda: up.parts.worker.pipeline.world.view.device("ch4-1") is not None)
        await until(lambda: up.parts.transport.counters.connected)
        yield up


class Says:
    """A device that says things over a connection of its own."""

    def __init__(self, up: Running) -> None:
        self._up = up
        self._seq = 0

    async def __call__(self, *values: float, kind: str = "telemetry", **fields: Any) -> None:
        async with aiomqtt.Client(self._up.address.host, self._up.address.port) as client:
            for value in values:
                self._seq += 1
                body = {
                    "ts": time.time_ns() // 1_000_000,
                    "seq": self._seq,
                    "boot": 1,
                    "v": {"ch4_lel": value},
                } | fields
                await client.publish(f"safety/v1/{PLACE}/{kind}", json.dumps(body), qos=1)


def alarms(up: Running, *rules: str) -> dict[str, int]:
    """Return how often each of the rules has become active."""
    found = up.parts.books.ledger.alarms.alarms(AlarmFilter(open_only=False))
    return {alarm.rule: alarm.cycles for alarm in found if alarm.rule in rules}


async def metrics(up: Running) -> dict[str, float]:
    async with httpx.AsyncClient(base_url=up.url) as http:
        text = (await http.get("/metrics")).text
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


async def ready(up: Running) -> int:
    async with httpx.AsyncClient(base_url=up.url) as http:
        return (await http.get("/readyz")).status_code


def accounted(m: dict[str, float]) -> bool:
    outcomes = [m[f'emberwatch_records_total{{outcome="{o}"}}'] for o in ("decoded", "dead", "duplicate", "thinned")]
    in_flight = m["emberwatch_records_in_flight"]
    return m["emberwatch_received_total"] == sum(outcomes) + in_flight and in_flight >= 0


async def test_a_broker_that_is_gone_is_not_the_devices_silence(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Longer than any device may be silent: nobody is called silent, the service says it is not ready, and comes back."""
    async with service(mosquitto, tmp_path) as up:
        await Says(up)(1.0)
        await until(lambda: up.parts.worker.pipeline.counts.decoded == 1)
        assert await ready(up) == 200
        await asyncio.to_thread(mosquitto.stop)
        await until(lambda: not up.parts.transport.counters.connected)
        assert await ready(up) == 503
        started = time.monotonic()
        journal = up.parts.streams.journal
        starts = sum(r.topic == START for r in journal.read(0, 100_000).records)
        await until(lambda: time.monotonic() - started > 11)  # 2.5 intervals of 3 s are 7.5 s
        await asyncio.to_thread(mosquitto.start)
        await until(lambda: sum(r.topic == START for r in journal.read(0, 100_000).records) > starts)
        await until(lambda: up.parts.worker.pipeline.offset >= journal.info().end - 1)
        assert await ready(up) == 200
        assert alarms(up, "D101") == {}


async def test_a_history_store_that_fails_holds_up_no_alarm_and_catches_up(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB refuses every insert for a while, as on a full disk: the alarm comes, and afterwards no reading is missing."""
    full = threading.Event()
    full.set()
    insert = duckdb_insert()

    def refusing(*arguments: Any) -> None:
        if full.is_set():
            raise duckdb.IOException("No space left on device")
        insert(*arguments)

    monkeypatch.setattr("storage.duckdb.history._insert", refusing)
    async with service(mosquitto, tmp_path) as up:
        await Says(up)(1.0, 2.0, 60.0)
        await until(lambda: alarms(up, "G101"))
        async with asyncio.timeout(PATIENCE_S):
            while (await metrics(up))["emberwatch_history_healthy"]:
                pass
        full.clear()
        await until(lambda: len(up.parts.streams.history.series(PLACE, "ch4_lel", 0, 2**53, 100).value) == 3)
        assert up.parts.streams.history.series(PLACE, "ch4_lel", 0, 2**53, 100).value.tolist() == [1.0, 2.0, 60.0]
        await until(lambda: up.parts.history_feed.healthy)


def duckdb_insert() -> Callable[..., None]:
    from storage.duckdb.history import _insert  # noqa: PLC0415 - what the test replaces

    return _insert


async def test_a_full_disk_stops_acknowledging_and_says_so(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """The broker keeps what we cannot; with room again everything is taken in, and nobody was silent meanwhile."""
    async with service(mosquitto, tmp_path) as up:
        says, disk = Says(up), up.parts.disk
        await says(1.0)
        await until(lambda: up.parts.worker.pipeline.counts.decoded == 1)
        room, disk._free = disk._free, lambda: 1
        await says(2.0, 60.0)
        await until(lambda: up.parts.collector.counters.failures > 0)
        assert await ready(up) == 503
        assert (await metrics(up))["emberwatch_disk_low"] == 1
        assert up.parts.transport.counters.unacknowledged > 0
        assert alarms(up, "G101") == {}
        disk._free = room
        await until(lambda: alarms(up, "G101", "D101") == {"G101": 1})
        await until(lambda: up.parts.transport.counters.unacknowledged == 0)
        assert up.parts.worker.pipeline.counts.decoded == 3


async def test_an_overload_thins_what_is_quiet_and_ends_by_itself(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decisions stand still for longer than allowed: repetitions are left out and counted, the alarm goes through."""
    gate = threading.Event()
    gate.set()
    read = Pipeline.read

    def held_up(self: Pipeline, limit: int = 20_000) -> int:
        gate.wait(PATIENCE_S)
        return read(self, limit)

    monkeypatch.setattr(Pipeline, "read", held_up)
    async with service(mosquitto, tmp_path, overload=OverloadSettings(lag_s=2, interval_s=3600)) as up:
        says, thinner = Says(up), up.parts.thinner
        gate.clear()
        await until(lambda: thinner.active)
        await says(*[1.0] * 100, 60.0, *[1.0] * 100)
        await until(lambda: up.parts.streams.journal.info().device_records == 201)
        gate.set()
        await until(lambda: alarms(up, "G101"))
        await until(lambda: not thinner.active)
        await says(1.0, 1.0)
        await until(lambda: up.parts.worker.pipeline.counts.accounted == 203)
        counts, found = up.parts.worker.pipeline.counts, await metrics(up)
        assert (counts.decoded, counts.thinned) == (5, 198), "the first, the alarm, the return, and two afterwards"
        assert accounted(found)
        assert found["emberwatch_records_in_flight"] == 0
        records = up.parts.streams.journal.read(0, 100_000).records
        assert any(record.topic == THINNED for record in records)
        assert alarms(up, "D101", "D107") == {}, "what we left out was neither silence nor loss"


async def test_the_accounts_balance_at_every_scrape(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Good, unreadable, repeated and thinned messages by the hundred, scraped all the while; at rest the sum is what was sent."""

    async def at_ease(_self: Overload) -> None:
        """Leave the thinner to the test."""

    monkeypatch.setattr(Overload, "look", at_ease)
    once = OverloadSettings(interval_s=3_600)  # the first is kept and no other, however long the saying takes
    async with service(mosquitto, tmp_path, overload=once) as up:
        stop, seen = asyncio.Event(), list[dict[str, float]]()

        async def scrape() -> None:
            while not stop.is_set():
                seen.append(await metrics(up))

        scraping = asyncio.create_task(scrape())
        sent = await _say_all_sorts(up)
        await until(lambda: up.parts.worker.pipeline.counts.accounted == sent)
        stop.set()
        await scraping
        last = await metrics(up)
        counts = up.parts.worker.pipeline.counts
    assert all(accounted(m) for m in seen)
    assert [m["emberwatch_received_total"] for m in seen] == sorted(m["emberwatch_received_total"] for m in seen)
    assert len(seen) > 5
    assert (last["emberwatch_received_total"], last["emberwatch_records_in_flight"]) == (sent, 0)
    assert (counts.decoded, counts.dead, counts.duplicate, counts.thinned) == (301, 300, 300, 299)


async def _say_all_sorts(up: Running) -> int:
    """Send 300 of each: good, repeated, unreadable; then 300 quiet ones while thinning. Return how many were sent."""
    topic = f"safety/v1/{PLACE}/telemetry"
    async with aiomqtt.Client(up.address.host, up.address.port) as client:
        for seq in range(300):
            good = json.dumps({"seq": seq, "boot": 1, "v": {"ch4_lel": 1.0}})
            for payload in (good, good, "{"):
                await client.publish(topic, payload, qos=1)
        await until(lambda: up.parts.streams.journal.info().device_records == 900)
        up.parts.thinner.begin(QUIET, frozenset())
        for seq in range(300):
            await client.publish(topic, json.dumps({"seq": 1000 + seq, "boot": 1, "v": {"ch4_lel": 1.0}}), qos=1)
        await until(lambda: up.parts.streams.journal.info().device_records == 1200)
        up.parts.thinner.end()
    return 1200


async def test_a_dead_letter_lives_again_after_a_fix(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that does not know an event keeps it whole; the next one reads it when it is replayed."""
    event = {"type": "tamper", "data": {}}
    with monkeypatch.context() as older:
        known = native.EVENT_STRUCTS[0]
        older.setattr(native, "_EVENT", msgspec.json.Decoder(known))
        async with service(mosquitto, tmp_path) as up:
            await Says(up)(0.0, kind="event", **event)
            await until(lambda: up.parts.worker.pipeline.counts.dead == 1)
    async with service(mosquitto, tmp_path) as up:
        (letter,) = up.parts.books.ledger.dead_letters.dead_letters()
        assert letter.reason == "schema"
        await replay(up.parts.settings, letter)
        await until(lambda: up.parts.worker.pipeline.counts.decoded == 1)
        assert up.parts.worker.pipeline.counts.dead == 1


async def test_a_disk_that_is_nearly_full_says_so_and_goes_on(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Below the limit but not at its end: alarms come, readiness holds, and whoever looks is told."""
    async with service(mosquitto, tmp_path) as up:
        disk = up.parts.disk
        disk._free = lambda: disk.limit - 1
        await Says(up)(1.0, 60.0)
        await until(lambda: alarms(up, "G101"))
        assert await ready(up) == 200
        assert (await metrics(up))["emberwatch_disk_low"] == 1
        assert Overview(up.parts).status().disk_low
        assert [check.name for check in Overview(up.parts).ready() if check.warning] == ["disk"]
