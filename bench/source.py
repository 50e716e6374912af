"""A broker without a limit, as a process of its own: everything is encoded before, then written as fast as it is taken.

    python -m bench.source --devices 10000 --rounds 30

It serves MQTT 5 on the loopback to the one who subscribes to telemetry; others are only answered. It says `ready PORT` on
standard output, takes one line on standard input for the warm-up and one for the rest, and answers each with `acknowledged N`
when every message of it is.
"""

import argparse
import socket
import struct
import sys
import threading

from bench.fleet import Fleet, publish_packets
from ingest.transports.frames import split, varint

_CONNACK = b"\x20\x03\0\0\0"
_PINGRESP = b"\xd0\0"
_AT_ONCE = 1_000
_CONNECT, _PUBACK, _SUBSCRIBE, _PINGREQ = 0x10, 0x40, 0x82, 0xC0


class Connection:
    """One client: answers what a broker must, and counts PUBACKs. What subscribes to telemetry is what is measured."""

    def __init__(self, client: socket.socket) -> None:
        self.subscribed = False
        self._client = client
        self._lock = threading.Lock()
        self._acknowledged = 0
        self._counted = threading.Condition()

    def send(self, data: bytes) -> None:
        with self._lock:
            self._client.sendall(data)

    def serve(self) -> None:
        rest = b""
        while data := self._client.recv(1 << 20):
            packets = split(rest + data)
            rest = (rest + data)[packets.end :]
            for packet_id in packets.packet_ids:
                self.send(struct.pack("!BBH", _PUBACK, 2, packet_id))
            acknowledged = sum(packet[0] == _PUBACK for packet in packets.others)
            if acknowledged < len(packets.others):
                self._answer(packets.others)
            with self._counted:
                self._acknowledged += acknowledged
                self._counted.notify_all()

    def _answer(self, packets: list[bytes]) -> None:
        for packet in packets:
            if packet[0] == _CONNECT:
                self.send(_CONNACK)
            elif packet[0] == _SUBSCRIBE:
                self.subscribed = b"telemetry" in packet
                _, body = varint(packet, 1) or (0, 0)
                self.send(b"\x90\x07" + packet[body : body + 2] + b"\0" + b"\x01" * 4)
            elif packet[0] == _PINGREQ:
                self.send(_PINGRESP)

    def wait_for(self, acknowledged: int) -> None:
        with self._counted:
            self._counted.wait_for(lambda: self._acknowledged >= acknowledged)


def chunks(packets: list[bytes]) -> list[bytes]:
    """Return the packets joined into larger writes, none cut in two: between two writes others may speak."""
    return [b"".join(packets[at : at + _AT_ONCE]) for at in range(0, len(packets), _AT_ONCE)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    fleet = Fleet(arguments.devices, arguments.rounds)
    parts = [
        publish_packets(fleet.messages_of(0, fleet.warm)),
        publish_packets(fleet.messages_of(fleet.warm, fleet.rounds)),
    ]
    counts, writes = [len(part) for part in parts], [chunks(part) for part in parts]
    del parts
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("ready", listener.getsockname()[1], flush=True)
        broker = Broker(listener)
        broker.start()
        _serve(broker, counts, writes)


class Broker(threading.Thread):
    """Serves every connection in a thread of its own."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(name="broker", daemon=True)
        self._listener = listener
        self._connections: list[Connection] = []

    def run(self) -> None:
        while True:
            connection = Connection(self._listener.accept()[0])
            self._connections.append(connection)
            threading.Thread(target=connection.serve, daemon=True).start()

    def subscriber(self) -> Connection:
        """Return the newest connection that subscribed to telemetry."""
        return next(connection for connection in reversed(self._connections) if connection.subscribed)


def _serve(broker: Broker, counts: list[int], writes: list[list[bytes]]) -> None:
    for i, data in enumerate(writes):
        sys.stdin.readline()
        subscriber = broker.subscriber()
        for chunk in data:
            subscriber.send(chunk)
        subscriber.wait_for(sum(counts[: i + 1]))
        print("acknowledged", counts[i], flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
