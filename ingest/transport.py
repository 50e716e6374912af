"""The port between the collector and a broker: batches of messages in, acknowledged only on our word; messages out.

A transport holds one persistent session under a fixed client id, so that what was never acknowledged comes again, here or
after a restart. It knows nothing of payloads, clocks or the journal.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Literal, Protocol

import msgspec

from domain.errors import EngineError

FILTERS = tuple(f"safety/v1/+/+/+/{kind}" for kind in ("telemetry", "event", "status", "reply"))
"""What devices say to us; always subscribed at QoS 1."""

MAX_PAYLOAD_BYTES = 1 << 20
"""What a transport takes at all: above the wire's own limit of 256 KiB, so that what is too large becomes a dead letter."""

MAX_WAITING_BYTES = 64 << 20
"""Payload bytes handed over and not yet acknowledged at which a transport stops reading, whatever `receive_max` says."""

CAP = 30.0
"""The longest wait after a connection that was soon lost, in seconds."""

AWAY_CAP = 2.0
"""The longest wait for a broker that is not there: what it holds for us when it is back, it may lose again."""

QoS = Literal[0, 1]

_LOG = logging.getLogger(__name__)
_RANDOM = SystemRandom()


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message as the broker sent it; `flags` are RETAINED and REDELIVERED of domain.records."""

    topic: str
    payload: bytes
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages in order of arrival; `receipt` means something only to the transport that made it."""

    messages: Sequence[Message]
    payload_bytes: int
    receipt: object


Deliver = Callable[[Batch], None]


@dataclass(slots=True)
class Counters:
    """Since the start: messages and payload bytes received, connections made; and how things are now."""

    received: int = 0
    received_bytes: int = 0
    connections: int = 0
    connected: bool = False
    unacknowledged: int = 0
    unacknowledged_bytes: int = 0

    @property
    def reconnects(self) -> int:
        """Connections made after the first."""
        return max(0, self.connections - 1)

    def opened(self) -> None:
        self.connections += 1
        self.connected = True

    def took(self, batch: Batch) -> None:
        self.received += len(batch.messages)
        self.received_bytes += batch.payload_bytes
        self.unacknowledged += len(batch.messages)
        self.unacknowledged_bytes += batch.payload_bytes

    def released(self, batch: Batch) -> None:
        self.unacknowledged -= len(batch.messages)
        self.unacknowledged_bytes -= batch.payload_bytes


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker is and who we are to it. Seconds for durations.

    `receive_max` (1-65535) bounds the messages that wait for our acknowledgement: it is the back-pressure.
    """

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    receive_max: int = 10_000
    keep_alive: int = 30
    session_expiry: int = 7 * 86_400

    def is_full(self, counters: Counters) -> bool:
        """Whether no more should be read until something is acknowledged.

        A broker that keeps to `receive_max` never brings this about with QoS 1 alone, so that we still hear its other words.
        """
        return counters.unacknowledged > self.receive_max or counters.unacknowledged_bytes > MAX_WAITING_BYTES


class Transport(Protocol):
    """One session with a broker. All calls belong to the event loop that runs `run`."""

    counters: Counters

    async def run(self, deliver: Deliver) -> None:
        """Keep the session until cancelled, reconnecting for ever; call `deliver` in order, never concurrently.

        Broker errors are logged once an outage and retried with back-off; an error of `deliver` ends the run.
        """
        ...

    def acknowledge(self, batches: Sequence[Batch]) -> None:
        """Tell the broker that these delivered batches are durable. Each batch must be given exactly once, in order.

        A batch of a connection that has ended is only counted: the broker sends its messages again.
        """
        ...

    async def publish(self, topic: str, payload: bytes, qos: QoS) -> None:
        """Send one message, not retained: QoS 0 when handed to the connection, QoS 1 when the broker has confirmed it.

        Raises EngineError when there is no connection, it ends before the confirmation, or the broker refuses; the
        message may then have been sent or not.
        """
        ...


def back_off(first: float = 0.1, cap: float = CAP) -> Iterator[float]:
    """Yield seconds to wait: doubling up to `cap`, each with jitter so that many clients do not return at once."""
    delay = first
    while True:
        yield _RANDOM.uniform(delay / 2, delay)
        delay = min(2 * delay, cap)


async def keep_connected(session: Callable[[], Awaitable[None]], counters: Counters, broker: str) -> None:
    """Run `session` for ever; it calls `counters.opened()` once it serves and raises EngineError or OSError when lost.

    After connections that do not last the delay grows: two services under one client id take the session from each other,
    and must not do so ten times a second. A broker that is not there at all is soon tried again.
    """
    loop = asyncio.get_running_loop()
    lost, away, logged = back_off(), back_off(cap=AWAY_CAP), False
    while True:
        started, connections = loop.time(), counters.connections
        try:
            await session()
        except (EngineError, OSError) as error:
            _LOG.log(logging.DEBUG if logged and not counters.connected else logging.WARNING, "%s: %s", broker, error)
            logged = True
        finally:
            counters.connected = False
        was_there = counters.connections > connections
        if was_there:
            away = back_off(cap=AWAY_CAP)
        if not was_there or loop.time() - started > CAP:
            lost = back_off()
        await asyncio.sleep(next(lost if was_there else away))
