"""The devices every comparison uses: what the registers know of them, and what they say, encoded before the clock runs.

Each is a gas detector with five measurands, about 200 bytes a message, in sites of a hundred. Some
pass both set points at a moment of their own and stay there, so that a run proves that alarms come through, not only counts.
"""

import struct
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from registers.device import Device, DeviceKind, DeviceModel
from registers.noun import Noun
from registers.place import Area, Site

AREA = "bench"
PER_SITE = 100
MODEL = "five"
MEASURANDS = 5
ALARMING = 1_000
"""Every so manieth device alarms, if not said otherwise: an alarm costs as much as a thousand messages."""

_PAYLOAD = (
    b'{"ts": %d, "seq": %d, "boot": 7, '
    b'"v": {"ch4_lel": %.2f, "co_ppm": %.2f, "o2_vol": %.2f, "temp_c": %.2f, "rh": %.2f}, "rssi": -71}'
)
_IDS = 0xFFFF


class Said(NamedTuple):
    """One message; `alarms`: with it its device passes its set points."""

    topic: bytes
    payload: bytes
    alarms: bool


class Fleet:
    """`devices` gas detectors that each say `rounds` things, one after another; the first `warm` rounds are warm-up."""

    def __init__(self, devices: int, rounds: int, warm: int = 1, alarming: int = ALARMING) -> None:
        self.devices = devices
        self.rounds = rounds
        self.warm = warm
        self.alarming = alarming

    @property
    def messages(self) -> int:
        """How many messages are measured."""
        return self.devices * self.rounds

    @property
    def said(self) -> int:
        """How many messages there are, with those of the warm-up."""
        return self.devices * (self.warm + self.rounds)

    def path(self, number: int) -> str:
        """Return the path of one device."""
        return f"{AREA}/s{number // PER_SITE:05d}/g{number:07d}"

    def topic(self, number: int) -> str:
        """Return the topic of one device's telemetry."""
        return f"safety/v1/{self.path(number)}/telemetry"

    def registers(self) -> Iterator[list[Noun]]:
        """Yield the entries that make the devices known, in an order in which each finds what it refers to."""
        sites = [f"s{i:05d}" for i in range(-(-self.devices // PER_SITE))]
        yield [Area(code=AREA, name=AREA)]
        yield [Site(code=site, name=site, area=AREA) for site in sites]
        yield [DeviceModel(code=MODEL, name=MODEL, kind=DeviceKind.GAS, measurand="ch4_lel", interval_s=3600)]
        yield [Device(code=f"g{i:07d}", site=sites[i // PER_SITE], model=MODEL) for i in range(self.devices)]

    def alarms(self) -> set[tuple[str, str]]:
        """Return every (rule, path) that must be in the ledger once."""
        return {(rule, self.path(i)) for i in range(0, self.devices, self.alarming) for rule in ("G101", "G102")}

    def alarm_round(self, number: int) -> int:
        """Return the round in which a device passes its set points, spread over the whole run; past the end: never."""
        if number % self.alarming:
            return self.warm + self.rounds
        return self.warm + number // self.alarming * 7 % self.rounds

    def messages_of(
        self, first_round: int, rounds: int, first_ms: int | None = None, step_ms: int = 1
    ) -> Iterator[Said]:
        """Yield what is said, round by round, stamped from `first_ms` (else now) on, `step_ms` from round to round."""
        start = time.time_ns() // 1_000_000 if first_ms is None else first_ms
        topics = [self.topic(i).encode() for i in range(self.devices)]
        alarms = [self.alarm_round(i) for i in range(self.devices)]
        for said in range(first_round, first_round + rounds):
            at_ms = start + said * step_ms
            for i, topic in enumerate(topics):
                yield Said(topic, payload(i, said, at_ms, alarming=said >= alarms[i]), said == alarms[i])


def payload(number: int, seq: int, at_ms: int, *, alarming: bool) -> bytes:
    """Return what one device says at a moment."""
    gas = 80.0 if alarming else 3.0 + (number * 7 + seq * 3) % 10 / 10
    wave = (number + seq) % 17 / 10
    return _PAYLOAD % (at_ms, seq, gas, 2.0 + wave, 20.9, 21.5 + wave, 45.0 + wave)


def publish_packets(messages: Iterable[Said]) -> list[bytes]:
    """Return each message as an MQTT 5 PUBLISH at QoS 1, packet ids going round."""
    return [_packet(said, i % _IDS + 1) for i, said in enumerate(messages)]


def _packet(said: Said, packet_id: int) -> bytes:
    body = struct.pack("!H", len(said.topic)) + said.topic + struct.pack("!H", packet_id) + b"\0" + said.payload
    return b"\x32" + _length(len(body)) + body


def _length(length: int) -> bytes:
    low, high = length & 0x7F, length >> 7
    return bytes([low | 0x80]) + _length(high) if high else bytes([low])
