"""MQTT 5 packets in a stream of bytes: where each one ends, and what a PUBLISH says.

PUBLISH is read here and not by the codec, because the codec (mqtt5 0.8.0) panics on a topic or property that is not UTF-8,
and some brokers pass on whatever a device sends. Here a topic that is not UTF-8 becomes a message nobody can decode (a
dead letter), not one that the broker sends again for ever.
"""

from domain.errors import EngineError
from domain.records import REDELIVERED, RETAINED
from ingest.transport import Message

PUBLISH = 0x30
_RETAIN_BIT, _QOS_BITS, _DUP_BIT = 0x01, 0x06, 0x08
_MORE, _SEVEN_BITS = 0x80, 0x7F
_LONGEST_LENGTH = 4


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


def frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the body of the packet at `at` begins and ends (perhaps past `data`), or None when we cannot know yet."""
    if len(data) - at < 2:  # noqa: PLR2004 - one byte of type, one of length
        return None
    length = data[at + 1]
    if length < _MORE:
        return at + 2, at + 2 + length
    long = varint(data, at + 1)
    return None if long is None else (long[1], long[1] + long[0])


def publish(first: int, data: bytes, body: int, stop: int) -> tuple[Message, int]:
    """Return the message of the PUBLISH whose first byte is `first`, and its packet id (0 for QoS 0)."""
    at = body + 2 + int.from_bytes(data[body : body + 2])
    topic = data[body + 2 : at].decode("utf-8", "backslashreplace")
    packet_id = 0
    if first & _QOS_BITS:
        packet_id = int.from_bytes(data[at : at + 2])
        at += 2
    properties = data[at] if at < stop else 0
    if properties < _MORE:
        at += 1 + properties
    else:
        long = varint(data, at)
        at = stop if long is None else sum(long)
    flags = (RETAINED if first & _RETAIN_BIT else 0) | (REDELIVERED if first & _DUP_BIT else 0)
    return Message(topic, data[at:stop], flags), packet_id
