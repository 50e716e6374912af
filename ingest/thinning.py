"""Overload: which telemetry may be left out at the door, before the journal, so that replay stays exact.

The collector does not look into payloads. Only while the machine cannot keep up does this look, and a message is left out
only when nothing in it can matter: all its values are quiet for their measurand and hardly moved since the message of this
device that was kept last, which is some seconds old at most, and nothing is wrong at its site. An array is left out as a whole
or not at all, so one that spans more than those seconds never is. Whatever cannot be judged is kept. What is left out is
counted in a record of its own, in the same append as what was kept.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from domain.records import THINNED
from ingest.codecs.native import MAX_BYTES, Telemetry
from ingest.transport import Message

_KIND = "/telemetry"
_MOST_KEPT = 2_000_000  # topics remembered; beyond it nothing more is left out
_LOW_BATTERY = 30.0


class Band(NamedTuple):
    """Where a measurand says nothing that anybody must know: `low` to `high`, moving by no more than `step`, in its unit."""

    low: float
    high: float
    step: float


Bands = Mapping[str, Band]

QUIET: Bands = {
    "ch4_lel": Band(-2, 5, 0.5),
    "c3h8_lel": Band(-2, 5, 0.5),
    "h2_lel": Band(-2, 5, 0.5),
    "lel": Band(-2, 5, 0.5),
    "ch4_ppm": Band(-500, 2_500, 250),
    "co_ppm": Band(-2, 5, 1),
    "h2s_ppm": Band(-0.5, 1, 0.2),
    "nh3_ppm": Band(-1, 5, 0.5),
    "cl2_ppm": Band(-0.02, 0.05, 0.01),
    "o2_vol": Band(20.4, 21.4, 0.1),
    "temp_c": Band(-30, 40, 0.5),
    "rh": Band(0, 100, 5),
    "smoke_dbm": Band(-0.02, 0.05, 0.01),
    "smoke_pct": Band(-0.2, 0.5, 0.1),
    "flame": Band(0, 0, 0),
    "current_a": Band(-0.5, 0.5, 0.2),
    "voltage_v": Band(0, 500, 5),
}
"""Ours; far inside every set point of the catalogue. No arc without current, so a machine at rest is quiet at any voltage.

Measurands that are not here (limits of tanks and cables are anywhere, places are judged by where they are) are always kept.
"""


class _Peek(Telemetry, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """All that a message may say to be called routine; any other field, or another shape, is for the decoder to judge."""


class _Kept(NamedTuple):
    """The last message of a topic that went in: by the device's time, by ours (ms), and what it said."""

    moment_ms: int
    received_ms: int
    values: dict[str, float]


_decode = msgspec.json.Decoder(_Peek | list[_Peek]).decode


class Thinner:
    """A door that everything passes until `begin`; then routine telemetry passes once in `interval_ms` a device.

    Used on the collector's event loop. `clock` gives epoch ms.
    """

    def __init__(self, interval_ms: int, clock: Callable[[], int]) -> None:
        self.active = False
        self._interval_ms = interval_ms
        self._clock = clock
        self._bands: Bands = {}
        self._wary: frozenset[str] = frozenset()
        self._kept: dict[str, _Kept] = {}

    def begin(self, bands: Bands, wary: frozenset[str]) -> None:
        """Thin from now on, by these bands; nothing of the sites in `wary`, written `area/site`. Again: with new ones."""
        self.active, self._bands, self._wary = True, bands, wary

    def end(self) -> None:
        """Let everything pass, and forget."""
        self.active = False
        self._kept.clear()

    def __call__(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Return what goes in, in order, with records that say how much of what was left out.

        Such a record comes before the next kept message of its topic, so that a gap in the device's numbers is explained.
        """
        if not self.active:
            return messages
        now = self._clock()
        kept: list[Message] = []
        left_out: Counter[str] = Counter()
        for message in messages:
            if message.topic.endswith(_KIND) and not message.flags and self._is_routine(message, now):
                left_out[message.topic] += 1
            else:
                if missing := left_out.pop(message.topic, 0):
                    kept.append(_left_out({message.topic: missing}))
                kept.append(message)
        return [*kept, _left_out(left_out)] if left_out else kept

    def _is_routine(self, message: Message, now: int) -> bool:
        if len(message.payload) > MAX_BYTES:
            return False
        try:
            decoded = _decode(message.payload)
        except ValueError:  # malformed in any way
            return False
        told = decoded if isinstance(decoded, list) else [decoded]
        if not told:
            return False
        last = self._kept.get(message.topic)
        if last is not None and all(self._adds_nothing(message.topic, said, last, now) for said in told):
            return True
        if last is not None or len(self._kept) < _MOST_KEPT:
            self._kept[message.topic] = _Kept(_moment(told[-1], now), now, told[-1].v)
        return False

    def _adds_nothing(self, topic: str, said: _Peek, last: _Kept, now: int) -> bool:
        return self._is_soon(last, _moment(said, now), now) and self._is_quiet(topic, said, last)

    def _is_soon(self, last: _Kept, moment: int, now: int) -> bool:
        """Whether the message follows at once by both clocks: a backlog is thinned by its own time, a stopped clock by ours."""
        return abs(moment - last.moment_ms) < self._interval_ms and 0 <= now - last.received_ms < self._interval_ms

    def _is_quiet(self, topic: str, said: _Peek, last: _Kept) -> bool:
        if said.device is not None or said.device_id is not None or (said.bat is not None and said.bat < _LOW_BATTERY):
            return False
        if _site(topic) in self._wary or not said.v or said.v.keys() != last.values.keys():
            return False
        return all(self._is_still(name, value, last.values[name]) for name, value in said.v.items())

    def _is_still(self, name: str, value: float, before: float) -> bool:
        band = self._bands.get(name)
        return band is not None and band.low <= value <= band.high and abs(value - before) <= band.step


def _moment(said: _Peek, now: int) -> int:
    return now if said.ts is None else said.ts


def _left_out(counts: Mapping[str, int]) -> Message:
    return Message(THINNED, json.dumps(counts).encode())


def _site(topic: str) -> str:
    levels = topic.split("/")
    return f"{levels[2]}/{levels[3]}"
