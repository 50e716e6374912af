"""What the broker says of itself: messages it had to drop, and how many it holds; a loss there is one nobody here would see."""

import asyncio
import logging
from contextlib import suppress

import aiomqtt

from emberwatch.connection import BrokerAddress
from emberwatch.settings import MqttSettings
from ingest.transport import back_off

_LOG = logging.getLogger(__name__)
_DROPPED = "$SYS/broker/publish/messages/dropped"
_HELD = ("$SYS/broker/store/messages/count", "$SYS/broker/messages/stored")
"""Mosquitto 2's name, and the older one that other brokers use too."""


class BrokerWatch:
    """Follows Mosquitto's `$SYS` counters on a connection of its own; brokers that publish none leave both at 0.

    `dropped` counts from the broker's start, queued and outgoing messages alike; `held` is what it stores now.
    """

    def __init__(self, address: BrokerAddress, mqtt: MqttSettings) -> None:
        self.dropped = 0
        self.held = 0
        self._address = address
        self._mqtt = mqtt

    async def run(self) -> None:
        """Follow for ever; a broker that is away or refuses us is asked again later."""
        delays = back_off(first=1.0)
        while True:
            try:
                async with self._client() as client:
                    await self._follow(client)
            except aiomqtt.MqttError as error:
                _LOG.debug("the broker's counters cannot be read: %s", error)
            await asyncio.sleep(next(delays))

    def _client(self) -> aiomqtt.Client:
        at, mqtt = self._address, self._mqtt
        quiet = logging.getLogger(f"{__name__}.mqtt")
        quiet.setLevel(logging.ERROR)
        return aiomqtt.Client(
            at.host,
            at.port,
            identifier=f"{mqtt.client_id}-watch",
            username=mqtt.username,
            password=mqtt.password,
            tls_context=at.tls,
            logger=quiet,
        )

    async def _follow(self, client: aiomqtt.Client) -> None:
        for topic in (_DROPPED, *_HELD):
            await client.subscribe(topic)
        async for message in client.messages:
            with suppress(ValueError):  # another broker's idea of a counter
                self._take(str(message.topic), int(bytes(message.payload)))

    def _take(self, topic: str, value: int) -> None:
        if topic in _HELD:
            self.held = value
            return
        if value > self.dropped:
            _LOG.error(
                "the broker has dropped messages, %d since its start: see max_queued_messages in its settings", value
            )
        self.dropped = value
