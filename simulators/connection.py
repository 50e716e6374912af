"""One MQTT connection of simulated devices: sends each message until the broker has it, and can break like a real line."""

import asyncio
import logging
import math
import socket
import ssl
from dataclasses import dataclass

import aiomqtt

from domain.errors import EngineError
from ingest.topics import Kind, topic
from simulators.device import OFFLINE, TimedMessage

_LOG = logging.getLogger(__name__)

_WINDOW = 20
_QUEUE = 10_000
_RECONNECT_S = (0.2, 5.0)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to send, and as whom."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None

    def client(self, identifier: str, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
        """Return a client of this broker, not yet connected."""
        client = aiomqtt.Client(
            self.host,
            self.port,
            identifier=identifier,
            username=self.username,
            password=self.password,
            tls_context=self.tls,
            will=will,
            keepalive=15,
        )
        client.pending_calls_threshold = _WINDOW
        return client

    async def check(self) -> None:
        """Raise EngineError when the broker does not answer or does not let us in."""
        try:
            async with self.client(""):
                pass
        except aiomqtt.MqttError as error:
            raise EngineError(f"cannot reach an MQTT broker at {self.host}:{self.port}: {error}") from error


class Connection:
    """One MQTT connection. It opens when there is something to send, and sends each message until the broker has it.

    With `will_of` (a device's path) it is that device's own, and a message marked `will` cuts it.
    """

    def __init__(self, broker: Broker, name: str, will_of: str | None = None) -> None:
        self.sent = 0
        self.queue: asyncio.Queue[TimedMessage] = asyncio.Queue(_QUEUE)
        self._broker = broker
        self._name = name
        self._will_of = will_of
        self._window = _WINDOW if will_of is None else 1
        self._batch: list[TimedMessage] = []

    async def run(self) -> None:
        """Connect, send, and connect again, until cancelled."""
        pause_s, longest_s = _RECONNECT_S
        while True:
            before = self.sent
            try:
                await self._fill()
                async with self._client() as client, asyncio.TaskGroup() as group:
                    group.create_task(_listen(client), name=f"{self._name} listens")
                    await self._send(client)
            except* aiomqtt.MqttError as group:
                _LOG.debug("connection %s broke: %s", self._name, group.exceptions[0])
                pause_s = _RECONNECT_S[0] if self.sent > before else min(2 * pause_s, longest_s)
                await asyncio.sleep(pause_s)

    def _client(self) -> aiomqtt.Client:
        if self._will_of is None:
            return self._broker.client(self._name)
        will = aiomqtt.Will(topic(self._will_of, Kind.STATUS), OFFLINE, qos=1, retain=True)
        return self._broker.client(self._name, will)

    async def _fill(self) -> None:
        if not self._batch:
            self._batch.append(await self.queue.get())
        while len(self._batch) < self._window and not self.queue.empty():
            self._batch.append(self.queue.get_nowait())

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            await self._fill()
            if self._will_of is not None and self._batch[0].will:
                self._done()
                _cut(client)
                return  # the listener sees the line go dead
            # no time-out of its own: a dead line ends the listener, which cancels us (and a timer a message costs a task)
            sending = (client.publish(m.topic, m.payload, 1, m.retain, timeout=math.inf) for m in self._batch)
            await asyncio.gather(*sending)
            self._done()

    def _done(self) -> None:
        self.sent += len(self._batch)
        for _ in self._batch:
            self.queue.task_done()
        self._batch.clear()


async def _listen(client: aiomqtt.Client) -> None:
    """Wait for the connection's end, which raises MqttError at once instead of at the next time-out."""
    async for _ in client.messages:
        pass


def _cut(client: aiomqtt.Client) -> None:
    """Break the connection as a power cut does: no DISCONNECT, so that the broker publishes the will."""
    line = client._client.socket()  # noqa: SLF001  aiomqtt only offers the polite way
    if isinstance(line, socket.socket):
        line.shutdown(socket.SHUT_RDWR)
