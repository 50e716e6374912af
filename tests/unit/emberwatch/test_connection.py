"""Which broker: an address is understood or refused with a word about the right form."""

from typing import Literal

import pytest

from domain.errors import ConfigurationError
from emberwatch.connection import BrokerAddress, build_transport, parse_broker
from emberwatch.settings import MqttSettings, Settings
from ingest.transports.mqtt5 import Mqtt5Transport
from ingest.transports.paho import PahoTransport


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("mqtt://broker", "broker", 1883, False),
        ("mqtt://10.0.0.1:1999", "10.0.0.1", 1999, False),
        ("mqtts://broker", "broker", 8883, True),
        ("mqtt://[::1]:1883", "::1", 1883, False),
    ],
)
def test_an_address_is_read(url: str, host: str, port: int, *, secure: bool) -> None:
    """The usual ports stand in where none is given."""
    address = parse_broker(url)
    assert (address.host, address.port, address.tls is not None) == (host, port, secure)


@pytest.mark.parametrize("url", ["broker:1883", "http://x", "mqtt://", "mqtt://me:secret@broker", "mqtt://x:99999", ""])
def test_anything_else_is_explained(url: str) -> None:
    """Passwords in addresses end in logs; they are refused too."""
    with pytest.raises(ConfigurationError, match="broker = "):
        parse_broker(url)


def test_a_missing_authority_file_is_named() -> None:
    """Not a traceback at the first handshake."""
    with pytest.raises(ConfigurationError, match=r"mqtt\.ca_file"):
        parse_broker("mqtts://broker", "no-such.pem")


@pytest.mark.parametrize(
    ("protocol", "speaks5", "kind"),
    [
        ("auto", True, Mqtt5Transport),
        ("auto", False, PahoTransport),
        ("3.1.1", True, PahoTransport),
        ("5", True, Mqtt5Transport),
    ],
)
def test_the_transport_fits_broker_and_settings(
    protocol: Literal["auto", "5", "3.1.1"], *, speaks5: bool, kind: type
) -> None:
    """MQTT 5 wherever it is spoken, unless told otherwise."""
    settings = Settings(mqtt=MqttSettings(protocol=protocol))
    assert isinstance(build_transport(settings, BrokerAddress("h", 1, "n", speaks5)), kind)


def test_mqtt_5_is_not_promised_where_it_is_not_spoken() -> None:
    """The in-process broker speaks 3.1.1 only."""
    with pytest.raises(ConfigurationError, match="mosquitto"):
        build_transport(Settings(mqtt=MqttSettings(protocol="5")), BrokerAddress("h", 1, "amqtt", mqtt5=False))
