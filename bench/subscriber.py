"""Subscribers to compare with, each a process of its own, and our collector alone: `python -m bench.subscriber NAME --port 1883`.

`bare` finds the packets, counts and acknowledges them: what Python can do at most. `paho` parses and compares with paho-mqtt
as most people would. `collector` is ours with its journal and its durable commit, and nothing behind it. Each says
`ready`, and at a line on standard input one line of JSON: messages, CPU and wall seconds from the first message to the last.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import mqtt5
import paho.mqtt.client as mqtt
import uvloop
from paho.mqtt.enums import CallbackAPIVersion

from bench.house import until
from emberwatch.parts import clock_ms
from ingest.collector import Collector
from ingest.transport import FILTERS, Endpoint
from ingest.transports.mqtt5 import Mqtt5Transport
from storage.journals.sqlite import SqliteJournal

_HOST = "127.0.0.1"
_WINDOW = 20_000
_PUBLISH, _SUBACK, _SHORT = 0x30, 0x90, 0x80
_LIMIT = 50.0


class Tally:
    """Messages, and the clocks at the first and the last of them."""

    def __init__(self) -> None:
        self._messages = 0
        self._first = self._last = (0.0, 0.0)

    def add(self, messages: int) -> None:
        self._last = time.process_time(), time.perf_counter()
        if not self._messages:
            self._first = self._last
        self._messages += messages

    def tell(self) -> None:
        cpu_s, wall_s = (last - first for first, last in zip(self._first, self._last, strict=True))
        print(json.dumps({"messages": self._messages, "cpu_s": cpu_s, "wall_s": wall_s}), flush=True)


def bare(port: int, tally: Tally) -> None:
    """Count and acknowledge, nothing more."""
    with socket.create_connection((_HOST, port)) as connection:
        greeting = mqtt5.ConnectPacket("bare", clean_start=False, session_expiry_interval=600, receive_max=_WINDOW)
        filters = [mqtt5.TopicFilter(pattern, max_qos=mqtt5.QoS.AT_LEAST_ONCE) for pattern in FILTERS]
        connection.sendall(greeting.write() + mqtt5.SubscribePacket(1, filters).write())
        rest = b""
        while data := connection.recv(1 << 20):
            rest, acknowledgements = _count(rest + data)
            if acknowledgements:
                connection.sendall(acknowledgements)
                tally.add(len(acknowledgements) // 4)


def _count(data: bytes) -> tuple[bytes, bytes]:
    """Return what is not whole yet, and the PUBACKs of the rest."""
    acknowledgements, at, size = [], 0, len(data)
    while at + 4 < size:
        length, body = data[at + 1], at + 2
        if length >= _SHORT:
            length, body = (length & 0x7F) | data[body] << 7, body + 1
        if body + length > size:
            break
        if data[at] & 0xF0 == _PUBLISH:
            packet_id = body + 2 + (data[body] << 8 | data[body + 1])
            acknowledgements.append(b"\x40\x02" + data[packet_id : packet_id + 2])
        elif data[at] == _SUBACK:
            print("ready", flush=True)
        at = body + length
    return data[at:], b"".join(acknowledgements)


def paho(port: int, tally: Tally) -> None:
    """Parse and compare one value, acknowledged by the library."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "paho", clean_session=True)

    def heard(_client: mqtt.Client, _ours: object, message: mqtt.MQTTMessage) -> None:
        if json.loads(message.payload)["v"]["ch4_lel"] >= _LIMIT:
            pass  # here it would tell somebody
        tally.add(1)

    client.on_message = heard
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect(_HOST, port)
    client.subscribe([(pattern, 1) for pattern in FILTERS])
    client.loop_forever()


def collector(port: int, tally: Tally) -> None:
    """Our way from the socket to the durable journal, acknowledged after it."""
    uvloop.run(_collect(port, tally))


async def _collect(port: int, tally: Tally) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = SqliteJournal(Path(folder) / "journal.db")
        transport = Mqtt5Transport(Endpoint(_HOST, port, "collector", receive_max=_WINDOW))
        seen = 0

        def appended(_end: int) -> None:
            nonlocal seen
            received = transport.counters.received - transport.counters.unacknowledged
            if received > seen:
                tally.add(received - seen)
                seen = received

        work = asyncio.create_task(Collector(transport, journal, clock=clock_ms, on_append=appended).run())
        await until(lambda: transport.counters.connected)
        print("ready", flush=True)
        await work


_KINDS: dict[str, Callable[[int, Tally], None]] = {"bare": bare, "paho": paho, "collector": collector}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=_KINDS)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    tally = Tally()
    threading.Thread(target=_tell_when_asked, args=(tally,), daemon=True).start()
    with contextlib.suppress(ConnectionError):
        _KINDS[chosen.kind](chosen.port, tally)


def _tell_when_asked(tally: Tally) -> None:
    while sys.stdin.readline():
        tally.tell()


if __name__ == "__main__":
    main()
