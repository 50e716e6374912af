"""What both transports share: one connection after another, and acknowledgements that go to the connection they belong to."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol, cast

from domain.errors import EngineError
from ingest.transport import Batch, Counters, Deliver, Endpoint, QoS, keep_connected

ANSWER_S = 10.0
"""How long a broker may take from our first packet to its consent, in seconds."""


class Session(Protocol):
    """One connection to the broker, from its greeting to its end. Errors are EngineError or OSError."""

    async def open(self) -> None:
        """Connect, greet and subscribe."""
        ...

    async def stay(self) -> None:
        """Serve until the connection is lost, and raise why."""
        ...

    async def close(self) -> None:
        """Say good-bye where that is still possible, and release the socket; the broker keeps the session."""
        ...

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """Send PUBACKs, and read on when that made room."""
        ...

    async def publish(self, topic: str, payload: bytes, qos: QoS) -> None:
        """As Transport.publish."""
        ...


class Open(Protocol):
    """How a transport makes its next connection (not open yet)."""

    def __call__(self, endpoint: Endpoint, counters: Counters, deliver: Deliver) -> Session: ...


class Receipt(NamedTuple):
    """What a batch must be acknowledged with, and to which connection: packet ids mean nothing to the next one."""

    session: Session
    packet_ids: list[int]


class SessionTransport:
    """A Transport made of sessions, one at a time."""

    def __init__(self, endpoint: Endpoint, session: Open) -> None:
        self.counters = Counters()
        self._endpoint = endpoint
        self._new_session = session
        self._session: Session | None = None

    async def run(self, deliver: Deliver) -> None:
        broker = f"broker {self._endpoint.host}:{self._endpoint.port}"
        await keep_connected(partial(self._serve, deliver), self.counters, broker)

    async def _serve(self, deliver: Deliver) -> None:
        session = self._session = self._new_session(self._endpoint, self.counters, deliver)
        try:
            await self._open(session)
            self.counters.opened()
            await session.stay()
        finally:
            self._session = None
            await session.close()

    async def _open(self, session: Session) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await session.open()
        except TimeoutError as error:
            raise EngineError(f"no answer within {ANSWER_S:.0f} s") from error

    def acknowledge(self, batches: Sequence[Batch]) -> None:
        packet_ids: list[int] = []
        for batch in batches:
            self.counters.released(batch)
            receipt = cast("Receipt", batch.receipt)
            if receipt.session is self._session:
                packet_ids += receipt.packet_ids
        if self._session is not None:
            self._session.acknowledge(packet_ids)

    async def publish(self, topic: str, payload: bytes, qos: QoS) -> None:
        if self._session is None or not self.counters.connected:
            raise EngineError("there is no connection to the broker")
        await self._session.publish(topic, payload, qos)
