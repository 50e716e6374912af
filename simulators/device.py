"""A simulated device as the wire sees it: what it says, and the voice that turns that into bytes of wire.md.

The voice owns what every real device owns: its clock (which may be wrong), its boot and its sequence numbers.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from ingest.topics import Kind, topic
from simulators.incidents import Battery, Incident, Skew, Timetable, active

OFFLINE = msgspec.json.encode({"online": False})
"""What a device's MQTT will says on its status topic."""


class Saying(NamedTuple):
    """Something a device says at second `at_s` of the scenario.

    `kind`: `telemetry` (body: measurand → value), `event` (body: `type`, `data`) or `status` (body: `online`).
    `will`: the broker says it for the device, whose line broke.
    """

    at_s: float
    kind: str
    body: dict[str, Any]
    will: bool = False


class TimedMessage(NamedTuple):
    """One MQTT message and when it goes out (epoch ms). `will`: the broker says it for a device whose line broke."""

    at_ms: int
    topic: str
    payload: bytes
    retain: bool = False
    will: bool = False


class Behaviour(Protocol):
    """A device and its surroundings."""

    @property
    def path(self) -> str:
        """`area/site/device`."""
        ...

    def sayings(self, incidents: Sequence[Incident], seed: str) -> Iterator[Saying]:
        """Yield what the device says, in order of time, possibly without end; the same seed gives the same sayings."""
        ...


def event(at_s: float, type_: str, **data: Any) -> Saying:
    """Return an event of wire.md; data that is None is left out."""
    return Saying(at_s, "event", {"type": type_, "data": {k: v for k, v in data.items() if v is not None}})


def status(at_s: float, *, online: bool, will: bool = False) -> Saying:
    return Saying(at_s, "status", {"online": online}, will)


Clock = Callable[[float], int]
"""Second of the scenario → epoch ms."""


class Voice:
    """Encodes one device's sayings. `boot` grows at each start of the device, and `seq` within one boot.

    `boots`: how often it was started before, compared with others of its kind.
    """

    def __init__(self, path: str, clock: Clock, incidents: Sequence[Incident], boots: int = 0) -> None:
        self._path = path
        self._clock = clock
        self._incidents = Timetable(incidents)
        self._boot = clock(0.0) // 1000 + boots
        self._seq = 0
        self._has_said = False

    def encode(self, saying: Saying) -> TimedMessage:
        """Return the message; a device that says it is online has just started."""
        if saying.kind == "status":
            return self._status(saying)
        head = {"ts": self._device_ms(saying.at_s), "seq": self._seq, "boot": self._boot}
        self._seq += 1
        body = {"v": saying.body, **self._battery(saying.at_s)} if saying.kind == "telemetry" else saying.body
        return self._message(saying, {**head, **body})

    def _status(self, saying: Saying) -> TimedMessage:
        if saying.body["online"] and self._has_said:
            self._boot, self._seq = self._boot + 1, 0
        self._has_said = True
        return self._message(saying, saying.body, retain=True)

    def _message(self, saying: Saying, body: dict[str, Any], *, retain: bool = False) -> TimedMessage:
        address = topic(self._path, Kind(saying.kind))
        return TimedMessage(self._clock(saying.at_s), address, msgspec.json.encode(body), retain, saying.will)

    def _battery(self, at_s: float) -> dict[str, float]:
        charges = [battery.pct for battery, _ in active(Battery, self._incidents.near(at_s), at_s)]
        return {"bat": charges[-1]} if charges else {}

    def _device_ms(self, at_s: float) -> int:
        offset_s = sum(skew.offset_s for skew, _ in active(Skew, self._incidents.near(at_s), at_s))
        return self._clock(at_s) + round(offset_s * 1000)
