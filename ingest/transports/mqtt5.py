"""MQTT 5, our usual transport: keeps one session after another alive, and hands acknowledgements to the one they belong to."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import cast

from domain.errors import EngineError
from ingest.transport import Batch, Counters, Deliver, Endpoint, QoS, keep_connected
from ingest.transports.mqtt5_session import Receipt, Session

_ANSWER_S = 10.0


class Mqtt5Transport:
    """A Transport for brokers that speak MQTT 5."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.counters = Counters()
        self._endpoint = endpoint
        self._session: Session | None = None

    async def run(self, deliver: Deliver) -> None:
        at = self._endpoint
        await keep_connected(partial(self._serve, deliver), self.counters, f"broker {at.host}:{at.port}")

    async def _serve(self, deliver: Deliver) -> None:
        at = self._endpoint
        session = self._session = Session(at, self.counters, deliver)
        try:
            async with asyncio.timeout(_ANSWER_S):
                await asyncio.get_running_loop().create_connection(lambda: session, at.host, at.port, ssl=at.tls)
                keep_alive = await session.greet()
            self.counters.opened()
            await session.stay(keep_alive)
        finally:
            self._session = None
            await session.close()

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
