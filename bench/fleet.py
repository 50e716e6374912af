"""The devices every comparison uses: what the registers know of them, and what they say, encoded before the clock runs.

Each is a gas detector with five measurands, about 200 bytes a message as limits.md counts them, in sites of a hundred. One in a
hundred passes both set points in its last message, so that a run proves that alarms come through and not only counts.
"""

import struct
import time
from collections.abc import Iterator

from registers.device import Device, DeviceKind, DeviceModel
from registers.noun import Noun
from registers.place import Area, Site

AREA = "bench"
PER_SITE = 100
MODEL = "five"
MEASURANDS = 5
ALARMING = 100
"""Every so manieth device alarms at its end."""

_PAYLOAD = (
    b'{"ts": %d, "seq": %d, "boot": 7, '
    b'"v": {"ch4_lel": %.2f, "co_ppm": %.2f, "o2_vol": %.2f, "temp_c": %.2f, "rh": %.2f}, "rssi": -71}'
)
_IDS = 0xFFFF


class Fleet:
    """`devices` gas detectors that each say `rounds` things, one after another; the first `warm` rounds are warm-up."""

    def __init__(self, devices: int, rounds: int, warm: int = 1) -> None:
        self.devices = devices
        self.rounds = rounds
        self.warm = warm

    @property
    def messages(self) -> int:
        """How many messages are measured."""
        return self.devices * self.rounds

    def path(self, number: int) -> str:
        """Return the path of one device."""
        return f"{AREA}/s{number // PER_SITE:05d}/g{number:07d}"

    def registers(self) -> Iterator[list[Noun]]:
        """Yield the entries that make the devices known, in an order in which each finds what it refers to."""
        sites = [f"s{i:05d}" for i in range(-(-self.devices // PER_SITE))]
        yield [Area(code=AREA, name=AREA)]
        yield [Site(code=site, name=site, area=AREA) for site in sites]
        yield [DeviceModel(code=MODEL, name=MODEL, kind=DeviceKind.GAS, measurand="ch4_lel", interval_s=3600)]
        yield [Device(code=f"g{i:07d}", site=sites[i // PER_SITE], model=MODEL) for i in range(self.devices)]

    def alarms(self) -> set[tuple[str, str]]:
        """Return every (rule, path) that must be in the ledger once."""
        return {(rule, self.path(i)) for i in range(0, self.devices, ALARMING) for rule in ("G101", "G102")}

    def messages_of(self, first_round: int, rounds: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield (topic, payload), stamped with the time it is now."""
        now = time.time_ns() // 1_000_000
        topics = [b"safety/v1/%s/telemetry" % self.path(i).encode() for i in range(self.devices)]
        last = self.warm + self.rounds - 1
        for said in range(first_round, first_round + rounds):
            for i, topic in enumerate(topics):
                gas = 80.0 if said == last and i % ALARMING == 0 else 3.0 + (i * 7 + said * 3) % 10 / 10
                wave = (i + said) % 17 / 10
                values = (gas, 2.0 + wave, 20.9, 21.5 + wave, 45.0 + wave)
                yield topic, _PAYLOAD % (now + said, said, *values)


def publish_packets(messages: Iterator[tuple[bytes, bytes]], qos: int = 1) -> list[bytes]:
    """Return each message as an MQTT 5 PUBLISH, packet ids going round."""
    return [_packet(topic, payload, i % _IDS + 1 if qos else None) for i, (topic, payload) in enumerate(messages)]


def _packet(topic: bytes, payload: bytes, packet_id: int | None) -> bytes:
    head = struct.pack("!H", len(topic)) + topic
    head += b"" if packet_id is None else struct.pack("!H", packet_id)
    body = head + b"\0" + payload
    return bytes([0x30 if packet_id is None else 0x32]) + _length(len(body)) + body


def _length(length: int) -> bytes:
    low, high = length & 0x7F, length >> 7
    return bytes([low | 0x80]) + _length(high) if high else bytes([low])
