"""Which broker and which transport: from the settings to a session the collector can use."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

from domain.errors import ConfigurationError
from emberwatch.settings import Settings
from ingest.broker import EmbeddedBroker
from ingest.transport import Endpoint, Transport
from ingest.transports.mqtt5 import Mqtt5Transport
from ingest.transports.paho import PahoTransport

_PORTS = {"mqtt": 1883, "mqtts": 8883}


class BrokerAddress(NamedTuple):
    """Where the broker listens, what it is called, and whether it speaks MQTT 5; `embedded` when it is ours."""

    host: str
    port: int
    name: str
    mqtt5: bool
    tls: ssl.SSLContext | None = None
    embedded: EmbeddedBroker | None = None

    @property
    def restarts(self) -> int:
        """How often an embedded one died and was started again."""
        return self.embedded.restarts if self.embedded else 0


def parse_broker(url: str, ca_file: str | None = None) -> BrokerAddress:
    """Return the address written `mqtt://host[:port]` or `mqtts://…`; raise ConfigurationError otherwise."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"broker = {url!r}: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.username or parts.password:
        raise ConfigurationError(
            f"broker = {url!r} is neither 'embedded' nor mqtt://host[:port] nor mqtts://host[:port] "
            "(account and password belong into [mqtt] username and EMBERWATCH_MQTT_PASSWORD)",
        )
    tls = _context(ca_file) if parts.scheme == "mqtts" else None
    return BrokerAddress(parts.hostname, port or _PORTS[parts.scheme], url, mqtt5=True, tls=tls)


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"mqtt.ca_file = {ca_file!r}: {error}") from error


@asynccontextmanager
async def broker(settings: Settings) -> AsyncIterator[BrokerAddress]:
    """Yield the broker's address; an embedded one runs as long as the block does."""
    if settings.broker != "embedded":
        yield parse_broker(settings.broker, settings.mqtt.ca_file)
        return
    async with EmbeddedBroker(settings.folder / "broker") as embedded:
        yield BrokerAddress(embedded.host, embedded.port, f"embedded {embedded.name}", embedded.mqtt5, None, embedded)


def build_transport(settings: Settings, address: BrokerAddress) -> Transport:
    """Return the session that fits protocol and broker."""
    mqtt = settings.mqtt
    endpoint = Endpoint(
        host=address.host,
        port=address.port,
        client_id=mqtt.client_id,
        username=mqtt.username,
        password=mqtt.password,
        tls=address.tls,
        receive_max=mqtt.receive_max,
    )
    if mqtt.protocol == "5" and not address.mqtt5:
        raise ConfigurationError(
            f"mqtt.protocol = '5', but the {address.name} broker speaks 3.1.1 only: use 'auto', or install mosquitto",
        )
    old = mqtt.protocol == "3.1.1" or not address.mqtt5
    return PahoTransport(endpoint) if old else Mqtt5Transport(endpoint)
