"""A dead letter goes the way of every message again: published on its own topic, to the broker the service listens to."""

import json

import aiomqtt
import msgspec

from domain.errors import EngineError, InputError
from emberwatch.connection import BrokerAddress, parse_broker
from emberwatch.settings import Settings
from ingest.clocks import is_set
from ledger.books import DeadLetter

ADDRESS_FILE = "broker.json"
"""In the data folder while the service runs with an embedded broker: where that listens."""


class _Said(msgspec.Struct):
    ts: int | None = None


_SAID = msgspec.json.Decoder(_Said | list[_Said])


def refuse_undated(letter: DeadLetter) -> None:
    """Raise InputError when something in the letter says no time: what it tells would pass for news of now."""
    try:
        said = _SAID.decode(letter.payload)
    except ValueError:  # whoever can read it may find a time in it; we see none
        said = _Said()
    if not all(is_set(one.ts) for one in (said if isinstance(said, list) else [said])):
        raise InputError(
            f"letter {letter.offset} says no time, so an alarm in it would be raised as one of now; --live does it anyway"
        )


async def replay(settings: Settings, letter: DeadLetter) -> None:
    """Publish the letter; raise EngineError when there is no broker to take it."""
    address = running_broker(settings)
    mqtt = settings.mqtt
    try:
        async with aiomqtt.Client(
            address.host,
            address.port,
            username=mqtt.username,
            password=mqtt.password,
            tls_context=address.tls,
            timeout=10,
        ) as client:
            await client.publish(letter.topic, letter.payload, qos=1)
    except aiomqtt.MqttError as error:
        raise EngineError(f"the broker {address.host}:{address.port} does not take it: {error}") from error


def running_broker(settings: Settings) -> BrokerAddress:
    """Return the broker in use; raise EngineError when it is embedded and the service does not run."""
    if settings.broker != "embedded":
        return parse_broker(settings.broker, settings.mqtt.ca_file)
    try:
        known = json.loads((settings.folder / ADDRESS_FILE).read_text("utf-8"))
    except FileNotFoundError:
        raise EngineError("the broker is embedded and the service does not run: start it first") from None
    return BrokerAddress(known["host"], known["port"], "embedded", mqtt5=False)


def write_address(settings: Settings, address: BrokerAddress) -> None:
    """Leave word in the data folder where the embedded broker listens."""
    text = json.dumps({"host": address.host, "port": address.port})
    (settings.folder / ADDRESS_FILE).write_text(text, "utf-8")
