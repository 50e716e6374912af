"""Sends a scenario over MQTT as its devices would, in real time.

A device whose MQTT will must be able to fire has a connection of its own, which is cut without a word when its power
fails; the others share a few connections, as behind gateways. Everything is QoS 1, and events are repeated until their
receipts come.
"""

import asyncio
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiomqtt

from ingest.topics import Kind, topic
from simulators.connection import Broker, Connection
from simulators.device import TimedMessage
from simulators.receipts import Unconfirmed
from simulators.scenario import Scenario, generate

_SHARED = 4
_EARLY_S = 0.002
_RETRY_S = 1.0


class Progress(NamedTuple):
    """How far a run has come: messages the broker has taken, events without receipt, seconds since the start."""

    sent: int
    unconfirmed: int
    elapsed_s: float


async def run(
    scenario: Scenario,
    host: str,
    port: int,
    *,
    speed: float = 1.0,
    seconds: float | None = None,
    start_ms: int | None = None,
    username: str | None = None,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
    stop: asyncio.Event | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Send the scenario until its end, for `seconds` of it, or until `stop` is set; return how far it came.

    `start_ms` is its first instant (default: now), as for `truth`. `on_progress` is called about once a second. Raises
    EngineError when the broker cannot be reached at the start; later it is waited for.
    """
    broker = Broker(host, port, username, password, tls)
    await broker.check()
    begin_ms = round(time.time() * 1000) if start_ms is None else start_ms
    messages = generate(scenario, begin_ms, speed=speed, seconds=seconds)
    sender = Sender(scenario, broker, stop or asyncio.Event())
    async with asyncio.TaskGroup() as group, _background(group, sender, on_progress):
        await sender.send(messages, begin_ms)
        await sender.drain()
    return sender.progress()


@asynccontextmanager
async def _background(
    group: asyncio.TaskGroup, sender: "Sender", on_progress: Callable[[Progress], None] | None
) -> AsyncIterator[None]:
    """Keep connections, receipts, repeats and progress going while the body runs."""
    jobs = [connection.run() for connection in sender.connections]
    jobs += [sender.receive(), sender.repeat(), sender.report(on_progress)]
    tasks = [group.create_task(job) for job in jobs]
    try:
        yield
    finally:
        await _end(tasks)


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: before Python 3.12 a wait with a time limit may swallow a cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1.0)


class Sender:
    """One run of a scenario: its connections, and the events still on their way."""

    def __init__(self, scenario: Scenario, broker: Broker, stop: asyncio.Event) -> None:
        self._run_id = f"sim-{time.time_ns():x}"
        self._broker = broker
        self._stop = stop
        self._shared = [Connection(broker, f"{self._run_id}-{i}") for i in range(_SHARED)]
        self._own = {
            _stem(topic(path, Kind.STATUS)): Connection(broker, f"{self._run_id}-own-{i}", will_of=path)
            for i, path in enumerate(scenario.breaking())
        }
        self._unconfirmed = Unconfirmed()
        self._began_s = time.monotonic()

    @property
    def connections(self) -> list[Connection]:
        """All connections, shared ones first."""
        return [*self._shared, *self._own.values()]

    def progress(self) -> Progress:
        """Return how far the run has come."""
        sent = sum(connection.sent for connection in self.connections)
        return Progress(sent, len(self._unconfirmed.events), time.monotonic() - self._began_s)

    async def send(self, messages: Iterator[TimedMessage], begin_ms: int) -> None:
        """Hand each message to its connection when its time has come; return early when told to stop."""
        offset_s = self._began_s - begin_ms / 1000
        for message in messages:
            if await self._wait(message.at_ms / 1000 + offset_s - time.monotonic()):
                return
            self._unconfirmed.add(message, time.monotonic())
            while (queue := self._connection(message).queue).full():
                if await self._wait(_RETRY_S):
                    return
            queue.put_nowait(message)

    async def drain(self) -> None:
        """Wait until the broker has everything, or until told to stop."""
        joined = asyncio.gather(*(connection.queue.join() for connection in self.connections))
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((joined, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            joined.cancel()
            stopped.cancel()
            await asyncio.gather(joined, stopped, return_exceptions=True)

    async def receive(self) -> None:
        """Listen for receipts, for ever."""
        while True:
            try:
                async with self._broker.client(f"{self._run_id}-receipts") as client:
                    await client.subscribe("safety/v1/+/+/+/receipt")
                    async for message in client.messages:
                        self._unconfirmed.confirm(str(message.topic), bytes(message.payload))
            except aiomqtt.MqttError:
                await asyncio.sleep(_RETRY_S)

    async def repeat(self) -> None:
        """Send events again whose receipts do not come, for ever."""
        while True:
            await asyncio.sleep(_RETRY_S)
            for message in self._unconfirmed.due(time.monotonic()):
                if not (queue := self._connection(message).queue).full():
                    queue.put_nowait(message)

    async def report(self, on_progress: Callable[[Progress], None] | None) -> None:
        """Tell how far the run has come about once a second, for ever."""
        while on_progress is not None:
            on_progress(self.progress())
            await asyncio.sleep(1.0)

    def _connection(self, message: TimedMessage) -> Connection:
        """Return the device's own connection, or always the same shared one, so that its messages stay in order."""
        stem = _stem(message.topic)
        return self._own.get(stem) or self._shared[zlib.crc32(stem.encode()) % _SHARED]

    async def _wait(self, seconds: float) -> bool:
        """Sleep unless told to stop; return whether we were."""
        if seconds > _EARLY_S and not self._stop.is_set():
            try:
                await asyncio.wait_for(self._stop.wait(), seconds)
            except TimeoutError:
                return False
        return self._stop.is_set()


def _stem(topic_: str) -> str:
    return topic_.rpartition("/")[0]
