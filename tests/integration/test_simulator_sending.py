"""Scenarios reach a real broker as they were generated: nothing missing, wills fired by the broker, events repeated."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from domain.errors import EngineError
from ingest.mosquitto import Mosquitto, free_port
from simulators.scenario import Scenario, generate, load_scenario
from simulators.sending import Progress, run

pytestmark = pytest.mark.mosquitto

Heard = list[tuple[str, bytes]]


@asynccontextmanager
async def listening(broker: Mosquitto) -> AsyncIterator[Heard]:
    """Collect what anybody publishes on device topics; at the end, wait until a last word of ours has come through."""
    heard: Heard = []

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if str(message.topic) == "end":
                return
            heard.append((str(message.topic), bytes(message.payload)))

    async with aiomqtt.Client(broker.host, broker.port) as client, asyncio.timeout(30):
        await client.subscribe([("safety/v1/+/+/+/+", 1), ("end", 1)])
        listener = asyncio.create_task(listen(client))
        yield heard
        await client.publish("end", b"", qos=1)
        await listener


def generated(scenario: Scenario, start_ms: int, speed: float) -> Counter[tuple[str, bytes]]:
    return Counter((message.topic, message.payload) for message in generate(scenario, start_ms, speed=speed))


async def test_the_broker_gets_exactly_what_was_generated(mosquitto: Mosquitto) -> None:
    """A chaotic scenario, played fast, arrives message for message with the generator's own bytes."""
    scenario, start_ms, speed = load_scenario("chaos"), 1_772_000_000_000, 200.0
    async with listening(mosquitto) as heard:
        progress = await run(scenario, mosquitto.host, mosquitto.port, speed=speed, start_ms=start_ms)
    expected = generated(scenario, start_ms, speed)
    assert Counter(heard) == expected
    assert progress.sent == expected.total()


async def test_each_device_is_heard_in_the_order_in_which_it_speaks(mosquitto: Mosquitto) -> None:
    """Sharing connections does not mix up one device's messages."""
    async with listening(mosquitto) as heard:
        await run(load_scenario("welding-offences"), mosquitto.host, mosquitto.port, speed=200.0)
    for stem in {topic.rpartition("/")[0] for topic, _ in heard}:
        seqs = [json.loads(payload).get("seq") for topic, payload in heard if topic.startswith(stem + "/")]
        said = list(dict.fromkeys(seq for seq in seqs if seq is not None))  # events without a receipt are repeated
        assert said == sorted(said)


async def test_a_power_cut_makes_the_broker_publish_the_will(mosquitto: Mosquitto) -> None:
    """The will comes from the broker, retained, once; afterwards the device is back with a new boot."""
    stem = "safety/v1/jiulishan/school-1/school-ch4-1"
    async with listening(mosquitto) as heard:
        await run(load_scenario("silence"), mosquitto.host, mosquitto.port, speed=40.0)
    statuses = [json.loads(payload)["online"] for topic, payload in heard if topic == f"{stem}/status"]
    assert statuses == [True, False, True]
    boots = {json.loads(payload)["boot"] for topic, payload in heard if topic == f"{stem}/telemetry"}
    assert len(boots) == 2


async def test_events_are_confirmed_by_receipts(mosquitto: Mosquitto) -> None:
    """A service that answers every event with a receipt leaves none unconfirmed."""

    async def answer(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            event = json.loads(bytes(message.payload))
            receipt = json.dumps({"boot": event["boot"], "seq": event["seq"]})
            await client.publish(str(message.topic).replace("/event", "/receipt"), receipt)

    progress: list[Progress] = []
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as client:
        await client.subscribe("safety/v1/+/+/+/event", qos=1)
        service = asyncio.create_task(answer(client))
        # The demo never ends: stop it once all events so far are confirmed.
        stop = asyncio.Event()

        def watch(now: Progress) -> None:
            progress.append(now)
            if now.sent > 200 and now.unconfirmed == 0:
                stop.set()

        async with asyncio.timeout(60):
            await run(load_scenario("demo"), mosquitto.host, mosquitto.port, speed=20.0, stop=stop, on_progress=watch)
        service.cancel()
    assert progress[-1].unconfirmed == 0


async def test_a_broker_that_comes_back_gets_what_it_missed(mosquitto: Mosquitto) -> None:
    """After a restart of the broker in the middle of a run every message has been taken at least once."""
    scenario, start_ms, speed = load_scenario("gas-leak"), 1_772_000_000_000, 30.0
    restarted = asyncio.Event()

    def restart(now: Progress) -> None:
        if now.elapsed_s > 1.5 and not restarted.is_set():
            restarted.set()
            mosquitto.stop()
            mosquitto.start()

    progress = await run(scenario, mosquitto.host, mosquitto.port, speed=speed, start_ms=start_ms, on_progress=restart)
    assert restarted.is_set()
    assert progress.sent == generated(scenario, start_ms, speed).total()


async def test_an_absent_broker_is_an_engine_error_at_once() -> None:
    """The error says where we looked."""
    port = free_port()
    with pytest.raises(EngineError, match=str(port)):
        await run(load_scenario("gas-leak"), "127.0.0.1", port)
