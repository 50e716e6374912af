"""The assembled service in one process: a real broker, real stores, a device with nothing but MQTT, a browser's view of it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Literal

import aiomqtt
import httpx
import pytest

from api.accounts import create_account, issue_token
from domain.errors import ConfigurationError
from emberwatch.replay import replay
from emberwatch.service import Running, running
from emberwatch.settings import ApiSettings, MqttSettings, Settings
from ingest.mosquitto import Mosquitto
from ledger.alarm import AlarmFilter
from registers.account import Role
from registers.device import Device, DeviceKind, DeviceModel
from registers.inspector import Inspector
from registers.place import Area, Site

PLACE = "yard/hall/ch4-1"


Protocol = Literal["auto", "5", "3.1.1"]


def settings_for(broker: Mosquitto, folder: Path, protocol: Protocol = "auto") -> Settings:
    return Settings(
        data=str(folder / "data"),
        broker=f"mqtt://{broker.host}:{broker.port}",
        api=ApiSettings(port=0, metrics_open=True),
        mqtt=MqttSettings(protocol=protocol),
    )


@pytest.fixture(params=["5", "3.1.1"])
async def service(request: pytest.FixtureRequest, mosquitto: Mosquitto, tmp_path: Path) -> AsyncIterator[Running]:
    async with running(settings_for(mosquitto, tmp_path, request.param), lambda _text: None) as up:
        put = up.parts.books.registers.put
        put([Area(code="yard", name="场院")], by="user:test")
        put([Site(code="hall", name="大厅", area="yard", lat=33.7, lon=113.3)], by="user:test")
        put([DeviceModel(code="m", name="m", kind=DeviceKind.GAS, measurand="ch4_lel", interval_s=60)], by="user:test")
        put([Device(code="ch4-1", site="hall", model="m")], by="user:test")
        put([Inspector(code="i1", name="张某一")], by="user:test")
        await until(lambda: up.parts.worker.pipeline.world.view.device("ch4-1") is not None)
        await until(lambda: up.parts.transport.counters.connected)
        yield up


async def until(done: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


def client_of(service: Running) -> httpx.AsyncClient:
    accounts = service.parts.books.accounts
    token = issue_token(accounts, f"test-{time.time_ns()}", Role.OPERATOR, time.time_ns() // 1_000_000)
    return httpx.AsyncClient(base_url=service.url, headers={"Authorization": f"Bearer {token}"})


def device(service: Running) -> aiomqtt.Client:
    return aiomqtt.Client(service.address.host, service.address.port, identifier="device")


async def test_a_message_becomes_an_alarm_a_hazard_a_curve_and_a_notice(service: Running) -> None:
    """The main job, end to end: publish → alarm → ledger → history → inspector's file, and out again over MQTT and HTTP."""
    outside: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            outside.put_nowait(json.loads(bytes(message.payload)))

    async with device(service) as mqtt, client_of(service) as http:
        await mqtt.subscribe("emberwatch/v1/+/+/alarm")
        await mqtt.subscribe(f"safety/v1/{PLACE}/receipt")
        listening = asyncio.create_task(listen(mqtt))
        now = time.time_ns() // 1_000_000
        for seq, value in enumerate((1.0, 30.0, 60.0)):
            body = {"ts": now + seq, "seq": seq, "boot": 1, "v": {"ch4_lel": value}}
            await mqtt.publish(f"safety/v1/{PLACE}/telemetry", json.dumps(body), qos=1)
        event = {"ts": now, "seq": 3, "boot": 1, "type": "alarm.high", "data": {"measurand": "ch4_lel", "value": 60.0}}
        await mqtt.publish(f"safety/v1/{PLACE}/event", json.dumps(event), qos=1)
        heard = [await asyncio.wait_for(outside.get(), 20) for _ in range(3)]
        listening.cancel()
        assert {m.get("rule") for m in heard} == {"G101", "G102", None}
        assert {"boot": 1, "seq": 3} in heard
        alarms = (await http.get("/api/v1/alarms")).json()["items"]
        assert {alarm["rule"] for alarm in alarms} == {"G101", "G102"}
        hazards = (await http.get("/api/v1/hazards")).json()["items"]
        assert [hazard["rule"] for hazard in hazards] == ["G101"]
        await until(lambda: service.parts.history_feed.expected >= service.parts.streams.journal.info().end - 2)
        window: dict[str, str | int] = {"device": PLACE, "measurand": "ch4_lel", "from": now - 1000, "to": now + 1000}
        series = (await http.get("/api/v1/series", params=window)).json()
        assert series["value"] == [1.0, 30.0, 60.0]
    notices = service.parts.settings.folder / service.parts.settings.notices.file
    await until(lambda: notices.exists() and notices.read_text("utf-8").count('"alarm.raise"') >= 2)


async def test_everything_received_is_accounted_for(service: Running) -> None:
    """Good, unreadable and repeated messages: the metrics add up, and what is unreadable can be shown and replayed."""
    async with device(service) as mqtt, client_of(service) as http:
        good = json.dumps({"seq": 1, "boot": 1, "v": {"ch4_lel": 1.0}})
        for payload in (good, good, "{", '{"v": {"ch4_lel": 1e999}}'):
            await mqtt.publish(f"safety/v1/{PLACE}/telemetry", payload, qos=1)
        counts = service.parts.books.ledger.books.committed
        await until(lambda: counts().counts.dead == 2 and counts().counts.duplicate == 1)
        await until(lambda: service.parts.worker.pipeline.counts.dead == 2)
        metrics = (await http.get("/metrics")).text
        value = {
            line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines() if line[0] != "#"
        }
        assert value["emberwatch_received_total"] == 4
        assert [value[f'emberwatch_records_total{{outcome="{o}"}}'] for o in ("decoded", "dead", "duplicate")] == [
            1,
            2,
            1,
        ]
        assert value["emberwatch_records_in_flight"] == 0
        letter = service.parts.books.ledger.dead_letters.dead_letters()[0]
        await replay(service.parts.settings, letter)
        await until(lambda: counts().counts.dead == 3)


async def test_nothing_but_health_is_readable_without_login(service: Running) -> None:
    """And the screens' own files, which hold nothing."""
    async with httpx.AsyncClient(base_url=service.url) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/api/v1/alarms")).status_code == 401
        create_account(service.parts.books.accounts, "watcher", Role.VIEWER, "Correct-horse-7!")
        login = {"name": "watcher", "password": "Correct-horse-7!"}
        assert (await http.post("/api/v1/login", json=login, headers={"Origin": service.url})).status_code == 200
        assert (await http.get("/api/v1/alarms")).status_code == 200


async def test_a_busy_port_is_named(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Before anything is opened."""
    settings = settings_for(mosquitto, tmp_path)
    async with running(settings, lambda _text: None) as first:
        port = int(first.url.rsplit(":", 1)[1])
        with pytest.raises(ConfigurationError, match=f"{port}"):
            async with running(settings, lambda _text: None, port):
                pass


async def test_a_second_start_goes_on_from_the_first(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Open alarms and detector state are there: the same danger does not alarm twice."""
    settings = settings_for(mosquitto, tmp_path)
    assert await _one_session(settings) == {"D102": 1, "G101": 1, "G102": 1}
    assert await _one_session(settings) == {"D102": 1, "G101": 1, "G102": 1}


async def _one_session(settings: Settings) -> dict[str, int]:
    """Start, let a device say that the room is full of gas, stop; return how often each rule has become active."""
    async with running(settings, lambda _text: None) as up:
        books = up.parts.books.ledger
        decoded = books.books.committed().counts.decoded
        await until(lambda: up.parts.transport.counters.connected)
        async with device(up) as mqtt:
            await mqtt.publish(f"safety/v1/{PLACE}/telemetry", json.dumps({"v": {"ch4_lel": 60.0}}), qos=1)
        await until(lambda: books.books.committed().counts.decoded == decoded + 1)
        return {alarm.rule: alarm.cycles for alarm in books.alarms.alarms(AlarmFilter())}
