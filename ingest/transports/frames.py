"""MQTT 5 packets in a stream of bytes: where each one ends, and what a PUBLISH says.

PUBLISH is read here and not by the codec, because the codec (mqtt5 0.8.0) panics on a topic or property that is not UTF-8,
and some brokers pass on whatever a device sends. Here a topic that is not UTF-8 becomes a message nobody can decode (a
dead letter), not one that the broker sends again for ever.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from domain.errors import EngineError
from domain.records import REDELIVERED, RETAINED
from ingest.transport import Message

_PUBLISH, _TYPE_BITS = 0x30, 0xF0
_PUBACK = 0x4002  # type and length, for success
_QOS_BITS = 0x06
_MORE, _SEVEN_BITS = 0x80, 0x7F
_TWO_BYTES = 1 << 14
_LONGEST_LENGTH = 4
_FLAGS = [(RETAINED if bits & 0x01 else 0) | (REDELIVERED if bits & 0x08 else 0) for bits in range(16)]
"""The low four bits of a PUBLISH → flags of the message."""


class Packets(NamedTuple):
    """The whole packets at the beginning of some bytes.

    `packet_ids` of the messages at QoS 1; `others` as they are; `end`: where the first packet begins that is not whole;
    `needed`: how many bytes that one has, 0 while unknown.
    """

    messages: list[Message]
    packet_ids: list[int]
    others: list[bytes]
    end: int
    needed: int


def varint(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the variable byte integer at `at` and the place after it, or None when it is not all there."""
    value = 0
    for i, byte in enumerate(data[at : at + _LONGEST_LENGTH]):
        value |= (byte & _SEVEN_BITS) << (7 * i)
        if byte < _MORE:
            return value, at + i + 1
    if len(data) - at >= _LONGEST_LENGTH:
        raise EngineError("the broker sent a length that MQTT does not know")
    return None


def split(data: bytes) -> Packets:
    """Return the whole packets in `data`; raise EngineError or IndexError when these are not MQTT.

    Every message passes here, so it is one loop that calls nothing for an ordinary packet: that halves its cost.
    """
    messages: list[Message] = []
    packet_ids: list[int] = []
    others: list[bytes] = []
    at, needed, size = 0, 0, len(data)
    while at + 2 <= size:
        length, body = data[at + 1], at + 2
        if length >= _MORE and body < size:  # the usual two bytes; a second one that is not the last makes it too long
            length, body = length + (data[body] - 1 << 7), body + 1
            if length >= _TWO_BYTES:
                long = varint(data, at + 1)
                if long is None:
                    break
                length, body = long
        stop = body + length
        if stop > size:
            needed = stop - at
            break
        first = data[at]
        if first & _TYPE_BITS == _PUBLISH:
            rest = body + 2 + (data[body] << 8 | data[body + 1])
            topic = data[body + 2 : rest].decode("utf-8", "backslashreplace")
            if first & _QOS_BITS:
                packet_ids.append(data[rest] << 8 | data[rest + 1])
                rest += 2
            rest = _after_properties(data, rest) if data[rest] else rest + 1
            if rest > stop:
                raise EngineError("the broker sent a message that ends before its payload")
            messages.append(Message(topic, data[rest:stop], _FLAGS[first & 0x0F]))
        else:
            others.append(data[at:stop])
        at = stop
    return Packets(messages, packet_ids, others, at, needed)


def pubacks(packet_ids: Sequence[int]) -> bytes:
    """Return a PUBACK (success) for each packet id."""
    packets = np.full((len(packet_ids), 2), _PUBACK, ">u2")
    packets[:, 1] = packet_ids
    return packets.tobytes()


def _after_properties(data: bytes, at: int) -> int:
    long = varint(data, at)
    if long is None:
        raise EngineError("the broker sent properties without their length")
    return sum(long)
