"""Our own JSON convention (docs/reference/wire.md): its messages as types, its limits, and nothing else gets through.

The types are the contract: the JSON Schema is generated from them, and what does not fit them is a dead letter. Unknown
fields are ignored, so that a vendor may add some; unknown event types are dead letters, so that nobody relies on an event
that nothing listens to.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from functools import reduce
from itertools import accumulate, compress
from operator import and_, or_
from typing import Annotated, Any, TypedDict, TypeVar, cast

import msgspec
import numpy as np

from domain.errors import MalformedPayloadError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_MEASURANDS = 64
MAX_MESSAGES = 1000

_INT64 = 2**63 - 1
Count = Annotated[int, msgspec.Meta(ge=0, le=_INT64)]
Epoch = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1, description="epoch milliseconds UTC by the device's clock")]
Text = Annotated[str, msgspec.Meta(max_length=200)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Values = Annotated[dict[str, float], msgspec.Meta(max_length=MAX_MEASURANDS, description="measurand → finite number")]


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every message of a device may carry. `seq` counts up within one `boot`.

    `device` and `device_id` are not needed; when present they must name the device of the topic.
    """

    ts: Epoch | None = None
    seq: Count | None = None
    boot: Count | None = None
    device: str | None = None
    device_id: str | None = None


class Telemetry(Message, frozen=True, kw_only=True, gc=False):
    """Readings of one moment: `v` measurand → number; `bat` percent; `rssi` dBm."""

    v: Values
    bat: float | None = None
    rssi: float | None = None


class Status(Message, frozen=True, kw_only=True, gc=False):
    """The device is connected, or (as its will) no longer is."""

    online: bool


class Reply(Message, frozen=True, kw_only=True, gc=False):
    """The answer to the command `id`."""

    id: Text
    ok: bool
    state: Text | None = None


class GasData(TypedDict, total=False):
    """Which gas, how much (in the measurand's unit)."""

    measurand: Text
    value: float


class FireData(TypedDict, total=False):
    """What saw the fire: smoke, heat, manual, flame, co."""

    point: Text


class FaultData(TypedDict, total=False):
    """sensor_open, mains_lost, battery_low, valve_not_reached, end_of_life, heater …."""

    code: Text


class ScanData(TypedDict, total=False):
    """Who scanned in or out: the opaque code of a register entry, never an ID number."""

    credential: Text
    permit: Text
    lat: Latitude
    lon: Longitude


class GuardianData(TypedDict, total=False):
    """Which hot-work guardian (监护人)."""

    person: Text


class GasTestData(TypedDict, total=False):
    """A gas test before hot work, and by whom."""

    measurand: Text
    value: float
    by: Text


class SelftestData(TypedDict, total=False):
    """Whether the device found itself sound."""

    ok: bool


class NoData(TypedDict, total=False):
    """Nothing more to say."""


EVENTS: dict[str, type] = {
    "alarm.low": GasData,
    "alarm.high": GasData,
    "alarm.clear": GasData,
    "fire.alarm": FireData,
    "fire.prealarm": FireData,
    "fire.clear": FireData,
    "fault": FaultData,
    "fault.clear": FaultData,
    "shield": FireData,
    "shield.clear": FireData,
    "mute": NoData,
    "tamper": NoData,
    "tamper.clear": NoData,
    "power.on": NoData,
    "power.off": NoData,
    "scan.in": ScanData,
    "scan.out": ScanData,
    "guardian.in": GuardianData,
    "guardian.out": GuardianData,
    "gas_test": GasTestData,
    "watch.done": NoData,
    "selftest": SelftestData,
}
"""Every event type and the shape of its `data`. Each field may be absent: an alarm is heard even if it says no more."""


class Event(Message, frozen=True, kw_only=True, gc=False):
    """A rare thing that happened; one subclass for each row of EVENTS narrows `data`."""

    data: dict[str, Any] = {}

    @property
    def type(self) -> str:
        """The event type, as on the wire."""
        return str(self.__struct_config__.tag)


def _event_struct(name: str, data: type) -> type[Event]:
    fields: list[tuple[str, type, Any]] = [("data", data, msgspec.field(default_factory=dict))]
    title = "".join(word.capitalize() for word in re.split(r"[._]", name)) + "Event"
    struct = msgspec.defstruct(title, fields, bases=(Event,), tag_field="type", tag=name, frozen=True, kw_only=True)
    return cast("type[Event]", struct)


EVENT_STRUCTS = tuple(_event_struct(name, data) for name, data in EVENTS.items())

Many = Annotated[list[Telemetry], msgspec.Meta(max_length=MAX_MESSAGES)]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """To a device: the event with this boot (if it had one) and seq is in the journal, so it need not be repeated."""

    boot: Count | None = None
    seq: Count


class CommandType(StrEnum):
    """What a device may be told. A valve is never opened from here."""

    LOCK = "lock"
    UNLOCK = "unlock"
    VALVE_CLOSE = "valve.close"
    SELFTEST = "selftest"
    MUTE = "mute"


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """To a device: do this before `expires` and answer with a reply of the same `id`; `by` is `rule:…` or `user:…`."""

    id: Text
    type: CommandType
    by: Text
    expires: Epoch


_T = TypeVar("_T")
_TELEMETRY: msgspec.json.Decoder[Telemetry | list[Telemetry]] = msgspec.json.Decoder(Telemetry | Many)
_SINGLE = msgspec.json.Decoder(Telemetry)
_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(reduce(or_, EVENT_STRUCTS))
_STATUS = msgspec.json.Decoder(Status)
_REPLY = msgspec.json.Decoder(Reply)
encode = msgspec.json.Encoder().encode
"""Return the bytes of a message to a device."""


def telemetry(payload: bytes, device: str) -> list[Telemetry]:
    """Return the messages of one payload (a gateway may send many); raise MalformedPayloadError."""
    decoded = _decode(_TELEMETRY, payload)
    if isinstance(decoded, Telemetry):
        return [_check_identity(decoded, device)]
    return [_check_identity(message, device) for message in decoded]


def singles(payloads: Sequence[bytes]) -> list[Telemetry]:
    """Return the messages of the first payloads, up to one that is not one ordinary message: ask `telemetry` about that.

    Quicker than `telemetry`, and says nothing of identity (`is_of`).
    """
    messages: list[Telemetry] = []
    add, decode = messages.append, _SINGLE.decode
    with suppress(ValueError, RecursionError):
        for payload in payloads:
            add(decode(payload))
    read = payloads[: len(messages)]
    together = b"".join(read)
    # each message has two braces at least, so if there are few more in all, none has too many
    few = together.count(b"{") <= 2 * (len(read) - 1) + MAX_DEPTH
    if few and b"[" not in together and max(map(len, read), default=0) <= MAX_BYTES:
        return messages
    return list(compress(messages, accumulate(map(_is_plain, read), and_)))


def _is_plain(payload: bytes) -> bool:
    # as few brackets as the limit cannot be nested deeper than it: true of nearly every payload, and cheap to see
    return b"[" not in payload and payload.count(b"{") <= MAX_DEPTH and len(payload) <= MAX_BYTES


def is_of(message: Message, device: str) -> bool:
    """Whether a message names no other device than this."""
    return (message.device is None or message.device == device) and (
        message.device_id is None or message.device_id == device
    )


def event(payload: bytes, device: str) -> Event:
    """Return the event; raise MalformedPayloadError."""
    return _check_identity(_decode(_EVENT, payload), device)


def status(payload: bytes, device: str) -> Status:
    """Return the status; raise MalformedPayloadError."""
    return _check_identity(_decode(_STATUS, payload), device)


def reply(payload: bytes, device: str) -> Reply:
    """Return the reply to a command; raise MalformedPayloadError."""
    return _check_identity(_decode(_REPLY, payload), device)


def _decode(decoder: msgspec.json.Decoder[_T], payload: bytes) -> _T:
    if not _is_plain(payload):
        _check_size(payload)
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise MalformedPayloadError("schema", str(error)) from error
    except ValueError as error:  # malformed JSON, or bytes that are not UTF-8
        raise MalformedPayloadError("json", str(error)) from error


def _check_size(payload: bytes) -> None:
    if len(payload) > MAX_BYTES:
        raise MalformedPayloadError("too_large", f"{len(payload)} bytes, at most {MAX_BYTES}")
    if _depth(payload) > MAX_DEPTH:
        raise MalformedPayloadError("too_deep", f"nested deeper than {MAX_DEPTH}")


_M = TypeVar("_M", bound=Message)


def _check_identity(message: _M, device: str) -> _M:
    if not is_of(message, device):
        raise MalformedPayloadError("identity", "the payload names another device than the topic")
    return message


# Possessive, and an unterminated string or escape ends it too: no payload makes it look at a byte twice.
_STRING = re.compile(rb'"(?:[^"\\]|\\.?)*+"?', re.DOTALL)
_STEP = np.zeros(256, np.int32)
_STEP[list(b"{[")] = 1
_STEP[list(b"}]")] = -1


def _depth(payload: bytes) -> int:
    """Return the deepest nesting of brackets outside strings."""
    brackets = np.frombuffer(_STRING.sub(b"", payload), np.uint8)
    return int(np.cumsum(_STEP[brackets]).max(initial=0))
