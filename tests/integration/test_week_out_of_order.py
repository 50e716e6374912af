"""Claims about a week of recordings that arrives in any order: all of it is history, none of it is news."""

import asyncio
import json
import math
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import aiomqtt
import pytest

from emberwatch.service import Running, running
from emberwatch.settings import ApiSettings, Settings
from ingest.mosquitto import Mosquitto
from ledger.books import Counts
from registers.device import Device, DeviceKind, DeviceModel
from registers.place import Area, Site

pytestmark = pytest.mark.mosquitto

PATIENCE_S = 60.0
DEVICES = ("ch4-1", "ch4-2", "ch4-3")
STEP_MS = 10 * 60_000
HOUR = 6
WEEK = 7 * 24 * HOUR
LEAK = range(300, 312)
"""Two hours on the third day in which the first device is above both its set points."""


class Said(NamedTuple):
    """One recorded message of one device, and the step of the week at which it was measured."""

    device: str
    step: int
    ts: int
    value: float

    @property
    def topic(self) -> str:
        return f"safety/v1/yard/hall/{self.device}/telemetry"

    @property
    def payload(self) -> bytes:
        return json.dumps({"ts": self.ts, "seq": self.step, "boot": 1, "v": {"ch4_lel": self.value}}).encode()


def week(end_ms: int) -> list[Said]:
    """Return what three sensors measured in the week before `end_ms`, in order."""
    begin = end_ms - WEEK * STEP_MS
    return [Said(name, step, begin + step * STEP_MS, _level(name, step)) for step in range(WEEK) for name in DEVICES]


def _level(name: str, step: int) -> float:
    if name == DEVICES[0] and step in LEAK:
        return 60.0
    return round(2.0 + math.sin(step / (4 * HOUR)) + random.Random(f"{name}{step}").random(), 2)


def shuffled(said: Sequence[Said], steps: int, seed: int) -> list[Said]:
    """Return the messages with each up to so many steps away from its place."""
    rng = random.Random(seed)
    return sorted(said, key=lambda one: one.step + rng.uniform(0, steps))


@pytest.fixture
async def service(mosquitto: Mosquitto, tmp_path: Path) -> AsyncIterator[Running]:
    """Run a service that knows the sensors."""
    settings = Settings(
        data=str(tmp_path / "data"), broker=f"mqtt://{mosquitto.host}:{mosquitto.port}", api=ApiSettings(port=0)
    )
    async with running(settings, lambda _step: None) as up:
        put = up.parts.books.registers.put
        put([Area(code="yard", name="场院")], by="user:test")
        put([Site(code="hall", name="大厅", area="yard")], by="user:test")
        put([DeviceModel(code="m", name="m", kind=DeviceKind.GAS, measurand="ch4_lel", interval_s=600)], by="user:test")
        put([Device(code=name, site="hall", model="m") for name in DEVICES], by="user:test")
        await until(lambda: up.parts.worker.pipeline.world.view.device(DEVICES[-1]) is not None)
        await until(lambda: up.parts.transport.counters.connected)
        yield up


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not done():  # noqa: ASYNC110 - whatever the test wants to see
            await asyncio.sleep(0.02)


async def send(up: Running, said: Sequence[Said]) -> None:
    """Publish at QoS 1 in this order, and wait until all of it is decided."""
    received = up.parts.streams.journal.info().device_records
    async with aiomqtt.Client(up.address.host, up.address.port, max_inflight_messages=1) as client:
        for one in said:
            await client.publish(one.topic, one.payload, qos=1)
    await until(lambda: up.parts.worker.pipeline.counts.accounted == received + len(said))


def told(up: Running) -> list[tuple[str, bool, str | None]]:
    """Return, for all news of alarms, the rule, whether it was marked late, and the reason in the evidence."""
    bodies = [item.body for item in up.parts.books.ledger.feed.feed(0, limit=100_000) if item.kind == "alarm"]
    return [(body["rule"], body["late"], body["evidence"].get("reason")) for body in bodies]


@pytest.mark.parametrize("steps", [3, 12 * HOUR, WEEK], ids=["half an hour", "half a day", "a week"])
async def test_a_week_in_any_order_is_stored_once_and_is_no_news(service: Running, steps: int) -> None:
    """Every reading is where it belongs, the leak is an alarm marked late, and no reading claims to be of now.

    What is of now is the delivery itself: numbers that are missing at first are told (D107) before they come.
    """
    said = week(time.time_ns() // 1_000_000 - 86_400_000)
    await send(service, shuffled(said, steps, seed=steps))
    assert service.parts.worker.pipeline.counts == Counts(
        decoded=len(said), control=service.parts.worker.pipeline.counts.control
    )
    await until(lambda: service.parts.streams.history.info().readings == len(said))
    for name in DEVICES:
        mine = [one for one in said if one.device == name]
        curve = service.parts.streams.history.series(f"yard/hall/{name}", "ch4_lel", 0, 2**53, WEEK + 1)
        assert curve.time_ms.tolist() == [one.ts for one in mine]
        assert curve.value.tolist() == [one.value for one in mine]
    news = told(service)
    assert {"G101", "G102"} <= {rule for rule, _, _ in news}
    assert {(rule, reason) for rule, late, reason in news if not late} <= {("D107", "messages_lost")}

    await send(service, shuffled(said, steps, seed=steps + 1))
    assert service.parts.worker.pipeline.counts.duplicate == len(said)
    assert service.parts.streams.history.info().readings == len(said)
    assert told(service) == news
