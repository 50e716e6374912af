"""Claims about the broker we bring along: both kinds serve a collector, find a port, and never outlive us."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aiomqtt
import pytest

from domain.errors import EngineError
from ingest.broker import EmbeddedBroker
from ingest.mosquitto import Mosquitto, free_port
from ingest.transport import Batch, Endpoint
from ingest.transports.paho import PahoTransport

TOPIC = "safety/v1/area/site/dev-1/status"
PATIENCE_S = 30.0

New = Callable[..., EmbeddedBroker]


@pytest.fixture(params=["mosquitto", "amqtt"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> New:
    """Return a maker of embedded brokers of one kind."""
    if request.param == "mosquitto":
        request.getfixturevalue("mosquitto_program")
    return lambda port=0, folder="broker": EmbeddedBroker(tmp_path / folder, port, name=request.param)


async def test_it_serves_a_collector(new: New) -> None:
    """Messages of a device reach a transport, in order, and acknowledgements go back."""
    async with new() as broker:
        transport = PahoTransport(Endpoint(broker.host, broker.port, "collector"))
        batches: asyncio.Queue[Batch] = asyncio.Queue()
        async with aiomqtt.Client(broker.host, broker.port) as device:
            await device.publish(TOPIC, b"0", qos=1, retain=True)
            task = asyncio.create_task(transport.run(batches.put_nowait))
            payloads: list[bytes] = []
            async with asyncio.timeout(PATIENCE_S):
                while len(payloads) < 100:
                    batch = await batches.get()
                    transport.acknowledge([batch])
                    payloads += [message.payload for message in batch.messages]
                    if payloads == [b"0"]:
                        for i in range(1, 100):
                            await device.publish(TOPIC, b"%d" % i, qos=1)
        task.cancel()
        await asyncio.wait((task,))
    assert payloads == [b"%d" % i for i in range(100)]


async def test_it_says_what_it_is(new: New) -> None:
    """The runtime chooses its transport by `mqtt5`."""
    broker = new()
    assert (broker.name, broker.mqtt5) in {("mosquitto", True), ("amqtt", False)}


async def test_a_busy_port_takes_the_next(new: New) -> None:
    """Two on one port stand side by side, and each says where it is."""
    async with new(free_port()) as first, new(first.port, "other") as second:
        assert first.port < second.port <= first.port + 20
        for broker in (first, second):
            async with aiomqtt.Client(broker.host, broker.port) as client:
                await client.publish(TOPIC, b"", qos=1)


async def test_only_this_machine_can_reach_it(new: New) -> None:
    """Without passwords it must not listen beyond the loopback."""
    async with new() as broker:
        assert broker.host == "127.0.0.1"
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.2", broker.port)) != 0


async def test_nothing_listens_after_the_end(new: New) -> None:
    """Leaving stops it, and its port is free again."""
    async with new() as broker:
        port = broker.port
    with socket.socket() as probe:
        assert probe.connect_ex((broker.host, port)) != 0


async def test_mosquitto_is_preferred_and_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where it is not installed amqtt takes its place, unless it was asked for by name."""
    monkeypatch.setattr("ingest.broker.find_mosquitto", lambda: None)
    assert EmbeddedBroker(tmp_path).name == "amqtt"
    with pytest.raises(EngineError, match="apt-get install mosquitto"):
        EmbeddedBroker(tmp_path, name="mosquitto")


@pytest.mark.usefixtures("mosquitto_program")
async def test_mosquitto_remembers_over_a_restart(tmp_path: Path) -> None:
    """Its folder keeps retained messages and sessions."""
    async with (
        EmbeddedBroker(tmp_path, name="mosquitto") as broker,
        aiomqtt.Client(broker.host, broker.port) as c,
    ):
        await c.publish(TOPIC, b"kept", qos=1, retain=True)
    async with (
        EmbeddedBroker(tmp_path, name="mosquitto") as broker,
        aiomqtt.Client(broker.host, broker.port) as c,
    ):
        await c.subscribe(TOPIC)
        async with asyncio.timeout(PATIENCE_S):
            message = await anext(c.messages)
    assert (message.payload, message.retain) == (b"kept", True)


@pytest.mark.usefixtures("mosquitto_program")
async def test_a_mosquitto_that_dies_is_started_again(tmp_path: Path) -> None:
    """On the same port and folder, each time, and it is counted; leaving ends it for good."""
    async with EmbeddedBroker(tmp_path, name="mosquitto") as broker:
        for died in (1, 2):
            kind = cast("Any", broker._kind)
            ended = kind.ended
            kind._child._process.kill()
            async with asyncio.timeout(PATIENCE_S):
                await ended.wait()
                while True:  # nobody announces that a port is open
                    if await answers(broker):
                        break
                    await asyncio.sleep(0.05)
            assert broker.restarts == died
    assert not await answers(broker)
    assert broker.restarts == 2


async def answers(broker: EmbeddedBroker) -> bool:
    """Return whether the broker takes a client."""
    try:
        async with aiomqtt.Client(broker.host, broker.port):
            return True
    except aiomqtt.MqttError:
        return False


async def test_it_keeps_far_more_than_a_thousand_for_who_is_away(mosquitto: Mosquitto) -> None:
    """Mosquitto's own default silently drops all but 1,000 queued messages."""
    async with aiomqtt.Client(mosquitto.host, mosquitto.port, identifier="away", clean_session=False) as client:
        await client.subscribe("#", qos=1)
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as device:
        for _ in range(3_000):
            await device.publish(TOPIC, b"x", qos=1)
    async with aiomqtt.Client(mosquitto.host, mosquitto.port, identifier="away", clean_session=False) as client:
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(3_000):
                await anext(client.messages)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")
def test_mosquitto_dies_when_we_are_killed(mosquitto_program: str, tmp_path: Path) -> None:
    """Even kill -9 of the service leaves no broker behind."""
    script = (
        "import sys, time; from pathlib import Path; from ingest.mosquitto import Mosquitto, free_port\n"
        "broker = Mosquitto(sys.argv[1], Path(sys.argv[2]), free_port()); broker.start()\n"
        "print(broker._process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, mosquitto_program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as service:
        assert service.stdout is not None
        child = os.pidfd_open(int(service.stdout.readline()))
        service.send_signal(signal.SIGKILL)
    ended, _, _ = select.select([child], [], [], PATIENCE_S)
    os.close(child)
    assert ended


def test_a_program_that_does_not_start_is_named_with_its_own_words(tmp_path: Path) -> None:
    """The error names the port and repeats what the program said."""
    liar = tmp_path / "liar"
    liar.write_text("#!/bin/sh\necho 'Error: no such thing' >&2\nexit 1\n")
    liar.chmod(0o755)
    with pytest.raises(EngineError, match=r"port 1: Error: no such thing"):
        Mosquitto(str(liar), tmp_path, 1).start()
