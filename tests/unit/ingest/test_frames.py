"""Claims about reading MQTT 5 packets out of a stream of bytes."""

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import EngineError
from domain.records import REDELIVERED, RETAINED
from ingest.transport import Message
from ingest.transports.frames import frame, publish

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


@given(publishes())
def test_a_publish_reads_as_the_codec_wrote_it(example: tuple[bytes, Message, int]) -> None:
    """Topic, payload, both flags and the packet id come back, whatever properties stand between them."""
    packet, message, packet_id = example
    place = frame(packet, 0)
    assert place is not None
    assert place[1] == len(packet)
    assert publish(packet[0], packet, *place) == (message, packet_id)


@given(publishes(), st.data())
def test_a_packet_in_pieces_is_not_read_before_it_is_whole(
    example: tuple[bytes, Message, int], data: st.DataObject
) -> None:
    """Any beginning of a packet either does not tell its end yet, or tells the true one."""
    packet = example[0]
    place = frame(packet[: data.draw(st.integers(0, len(packet) - 1))], 0)
    assert place is None or place[1] == len(packet)


@given(st.binary(min_size=2, max_size=2), st.binary(max_size=60))
def test_no_body_breaks_the_reader(length: bytes, body: bytes) -> None:
    """Whatever a body claims, the reader returns a message or names the fault as the broker's."""
    data = b"\x32" + bytes([len(body) + 2]) + length + body
    try:
        message, _ = publish(data[0], data, 2, len(data))
    except EngineError:
        return
    assert len(message.payload) <= len(body)


def test_a_topic_that_is_not_utf_8_becomes_a_message_nobody_can_decode() -> None:
    """It arrives, with its bytes spelled out, and can be acknowledged; the codec itself would panic."""
    packet = (
        mqtt5.PublishPacket("abc", b"payload", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=9).write().replace(b"b", b"\xff")
    )
    place = frame(packet, 0)
    assert place is not None
    assert publish(packet[0], packet, *place) == (Message("a\\xffc", b"payload"), 9)


def test_a_length_of_five_bytes_is_not_mqtt() -> None:
    """The connection must end there: where the next packet begins is unknown."""
    with pytest.raises(EngineError, match="length"):
        frame(b"\x30\xff\xff\xff\xff\x01", 0)
