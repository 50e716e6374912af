"""The devices as a process of its own: everything is encoded before, then published at QoS 1 at a given rate or as fast as taken.

    python -m bench.publisher --port 1883 --devices 10000 --rounds 20 --rate 20000

It says `ready`; then one line on standard input starts the warm-up and one the rest, each answered with `published N` when the
broker has confirmed every message. With the last answer comes a line of JSON: device path → when its alarm was sent (epoch ms).
"""

import argparse
import json
import socket
import sys
import time
from collections.abc import Iterator

import mqtt5

from bench.fleet import ALARMING, Fleet, Said, publish_packets
from ingest.transports.frames import split

_SLICE_S = 0.005
_PUBACK = 0x40


class Publisher:
    """One MQTT 5 connection that never has more unconfirmed than the broker allows."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(mqtt5.ConnectPacket("bench-devices", clean_start=True, keep_alive=0).write())
        greeting = mqtt5.read(memoryview(self._socket.recv(4096)))[0]
        assert isinstance(greeting, mqtt5.ConnAckPacket)  # noqa: S101  a broker that says anything else is no broker
        self._window = greeting.receive_max
        self._waiting = 0
        self._rest = b""

    def send(self, packets: list[bytes]) -> None:
        """Send in order, waiting for confirmations as the broker demands."""
        at = 0
        while at < len(packets):
            room = self._window - self._waiting
            if room <= self._window // 2:  # so that neither side is woken for a single packet
                self._hear()
                continue
            part = packets[at : at + room]
            self._socket.sendall(b"".join(part))
            self._waiting += len(part)
            at += len(part)

    def finish(self) -> None:
        """Wait until everything is confirmed."""
        while self._waiting:
            self._hear()

    def _hear(self) -> None:
        data = self._rest + self._socket.recv(1 << 16)
        packets = split(data)
        self._rest = data[packets.end :]
        self._waiting -= sum(packet[0] == _PUBACK for packet in packets.others)


def paced(packets: list[bytes], rate: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of packets when they are due at `rate` a second (0: all at once)."""
    start, at = time.monotonic(), 0
    while at < len(packets):
        due = min(len(packets), int((time.monotonic() - start) * rate) + 1) if rate else min(len(packets), at + 1000)
        if due > at:
            yield at, due
            at = due
        elif rate:
            time.sleep(_SLICE_S)


def publish(publisher: Publisher, messages: list[Said], packets: list[bytes], rate: int) -> dict[str, int]:
    """Publish all; return when each alarm was sent, by device path."""
    alarms = [i for i, said in enumerate(messages) if said.alarms]
    sent: dict[str, int] = {}
    for first, end in paced(packets, rate):
        now = time.time_ns() // 1_000_000
        while alarms and alarms[0] < end:
            sent[messages[alarms.pop(0)].topic.decode().removeprefix("safety/v1/").removesuffix("/telemetry")] = now
        publisher.send(packets[first:end])
    publisher.finish()
    return sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--alarming", type=int, default=ALARMING)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--hours", type=float, default=0.0, help="how long ago the first message was measured")
    chosen = parser.parse_args()
    fleet = Fleet(chosen.devices, chosen.rounds, alarming=chosen.alarming)
    ago_ms = int(chosen.hours * 3_600_000)
    stamps = (time.time_ns() // 1_000_000 - ago_ms, max(1, ago_ms // (fleet.warm + fleet.rounds)))
    parts = [list(fleet.messages_of(*part, *stamps)) for part in ((0, fleet.warm), (fleet.warm, fleet.rounds))]
    packets = [publish_packets(part) for part in parts]
    publisher, sent = Publisher(chosen.port), {}
    print("ready", flush=True)
    for messages, encoded in zip(parts, packets, strict=True):
        sys.stdin.readline()
        sent = publish(publisher, messages, encoded, chosen.rate)
        print("published", len(messages), flush=True)
    print(json.dumps(sent), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
