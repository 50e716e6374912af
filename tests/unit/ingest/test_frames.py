"""Claims about reading MQTT 5 packets out of a stream of bytes."""

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import EngineError
from domain.records import REDELIVERED, RETAINED
from ingest.transport import Message
from ingest.transports.frames import Packets, pubacks, split

_TOPICS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="+#\0"), min_size=1, max_size=200)


@st.composite
def publishes(draw: st.DrawFn) -> tuple[bytes, Message, int]:
    """Draw a packet as the codec writes it, and what it says."""
    qos = draw(st.sampled_from([mqtt5.QoS.AT_MOST_ONCE, mqtt5.QoS.AT_LEAST_ONCE]))
    packet_id = draw(st.integers(1, 65_535)) if qos == mqtt5.QoS.AT_LEAST_ONCE else None
    retain, duplicate = draw(st.booleans()), packet_id is not None and draw(st.booleans())
    message = Message(
        draw(_TOPICS), draw(st.binary(max_size=300)), (RETAINED if retain else 0) | (REDELIVERED if duplicate else 0)
    )
    packet = mqtt5.PublishPacket(
        message.topic,
        message.payload,
        qos=qos,
        packet_id=packet_id,
        retain=retain,
        duplicate=duplicate,
        user_properties=draw(st.lists(st.tuples(st.text("ab", max_size=90), st.text("ab", max_size=90)), max_size=3)),
    )
    return packet.write(), message, packet_id or 0


@given(st.lists(publishes(), max_size=5))
def test_publishes_read_as_the_codec_wrote_them(examples: list[tuple[bytes, Message, int]]) -> None:
    """Topic, payload, both flags and the packet ids come back in order, whatever properties stand between them."""
    data = b"".join(packet for packet, _, _ in examples)
    messages, ids = [message for _, message, _ in examples], [packet_id for _, _, packet_id in examples if packet_id]
    assert split(data) == Packets(messages, ids, [], len(data), 0)


@given(publishes(), publishes(), st.data())
def test_a_packet_in_pieces_is_not_read_before_it_is_whole(
    whole: tuple[bytes, Message, int], cut: tuple[bytes, Message, int], data: st.DataObject
) -> None:
    """What is whole is read; of the one that is not, the size is not known yet, or at most the true one."""
    piece = cut[0][: data.draw(st.integers(0, len(cut[0]) - 1))]
    packets = split(whole[0] + piece)
    assert packets.messages == [whole[1]]
    assert packets.end == len(whole[0])
    assert packets.needed <= len(cut[0])
    assert packets.needed == len(cut[0]) or len(piece) <= 4


@given(st.lists(st.sampled_from([b"\xd0\x00", b"\x40\x02\x00\x09", b"\xe0\x01\x8b"]), max_size=9), publishes())
def test_other_packets_are_left_whole(others: list[bytes], example: tuple[bytes, Message, int]) -> None:
    """They are for the codec, even the shortest at the very end; messages between them are not held up."""
    packets = split(example[0] + b"".join(others))
    assert packets.others == others
    assert packets.messages == [example[1]]


@given(st.integers(1, 4), st.binary(max_size=60))
def test_a_length_of_any_width_is_understood(width: int, payload: bytes) -> None:
    """A length may be written in more bytes than it needs."""
    length = len(payload) + 4
    wide = bytes([length & 0x7F | 0x80] * (width > 1) + [0x80] * (width - 2) + [0] * (width > 1)) or bytes([length])
    data = b"\x30" + wide + b"\x00\x01a\x00" + payload
    assert split(data).messages == [Message("a", payload)]


@given(st.binary(min_size=2, max_size=2), st.binary(max_size=60))
def test_no_body_breaks_the_reader(length: bytes, body: bytes) -> None:
    """Whatever a body claims, the reader returns a message or raises what ends the session."""
    data = b"\x32" + bytes([len(body) + 2]) + length + body
    try:
        (message,) = split(data).messages
    except (EngineError, IndexError):
        return
    assert len(message.payload) <= len(body)


def test_a_topic_that_is_not_utf_8_becomes_a_message_nobody_can_decode() -> None:
    """It arrives, with its bytes spelled out, and can be acknowledged; the codec itself would panic."""
    packet = (
        mqtt5.PublishPacket("abc", b"payload", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=9).write().replace(b"b", b"\xff")
    )
    assert split(packet) == Packets([Message("a\\xffc", b"payload")], [9], [], len(packet), 0)


def test_a_length_of_five_bytes_is_not_mqtt() -> None:
    """The connection must end there: where the next packet begins is unknown."""
    with pytest.raises(EngineError, match="length"):
        split(b"\x30\xff\xff\xff\xff\x01")


@given(st.lists(st.integers(1, 65_535), max_size=9))
def test_acknowledgements_are_written_as_the_codec_writes_them(packet_ids: list[int]) -> None:
    """One PUBACK with success for each packet id, in order."""
    assert pubacks(packet_ids) == b"".join(mqtt5.PubAckPacket(packet_id).write() for packet_id in packet_ids)
