"""Claims about the MQTT 5 session that need a broker that misbehaves: a scripted one of a few lines."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import mqtt5
import pytest

from domain.errors import EngineError
from ingest.transport import Batch, Endpoint
from ingest.transports.mqtt5 import Mqtt5Transport

PATIENCE_S = 20.0
GREETING = mqtt5.ConnAckPacket().write()
CONSENT = mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * 4).write()
POISON = mqtt5.PublishPacket("abc", b"", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=5).write().replace(b"b", b"\xff")


class ScriptedBroker:
    """Answers the n-th packet of every connection with the n-th answer, then says no more; keeps what it heard."""

    def __init__(self, *answers: bytes) -> None:
        self.heard: asyncio.Queue[mqtt5.Packet] = asyncio.Queue()
        self._answers = answers
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        data, answers = b"", iter(self._answers)
        with suppress(ConnectionError):
            while chunk := await reader.read(4_096):
                data += chunk
                with suppress(IndexError):  # the codec's word for: not all there yet
                    while data:
                        packet, used = mqtt5.read(memoryview(data))
                        data = data[used:]
                        writer.write(next(answers, b""))
                        self.heard.put_nowait(packet)

    async def hears(self, kind: type[mqtt5.Packet]) -> mqtt5.Packet:
        """Wait for the next packet of this kind."""
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(packet := await self.heard.get(), kind):
                pass
        return packet

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def talking(
    *answers: bytes, password: str | None = None, keep_alive: int = 3_600, receive_max: int = 10
) -> AsyncIterator[tuple[ScriptedBroker, Mqtt5Transport, asyncio.Queue[Batch]]]:
    """Run a transport against a scripted broker, and queue the batches that it delivers."""
    broker = ScriptedBroker(*answers)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    batches: asyncio.Queue[Batch] = asyncio.Queue()
    transport = Mqtt5Transport(
        Endpoint(
            "127.0.0.1", port, "me", username="me", password=password, keep_alive=keep_alive, receive_max=receive_max
        )
    )
    task = asyncio.create_task(transport.run(batches.put_nowait))
    try:
        yield broker, transport, batches
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        broker.hang_up()
        server.close()
        await server.wait_closed()


async def test_it_introduces_itself_for_a_lasting_session() -> None:
    """Fixed client id, no clean start, an expiry, credentials, a window, and room for payloads beyond the limit."""
    async with talking(GREETING, CONSENT, password="secret") as (broker, _, _):
        connect = await broker.hears(mqtt5.ConnectPacket)
        subscribe = await broker.hears(mqtt5.SubscribePacket)
    assert isinstance(connect, mqtt5.ConnectPacket)
    assert (connect.client_id, connect.clean_start, connect.username, connect.password) == (
        "me",
        False,
        "me",
        b"secret",
    )
    assert (connect.session_expiry_interval, connect.receive_max) == (604_800, 10)
    assert connect.max_packet_size is not None
    assert connect.max_packet_size > 1 << 20
    assert isinstance(subscribe, mqtt5.SubscribePacket)
    assert {f.pattern for f in subscribe.topic_filters} == {
        "safety/v1/+/+/+/telemetry",
        "safety/v1/+/+/+/event",
        "safety/v1/+/+/+/status",
        "safety/v1/+/+/+/reply",
    }


async def test_a_silent_broker_is_left() -> None:
    """One that greets and then says nothing, not even to a ping, is given up, and a new connection tried."""
    async with talking(GREETING, CONSENT, keep_alive=1) as (broker, _, _):
        await broker.hears(mqtt5.ConnectPacket)
        await broker.hears(mqtt5.PingReqPacket)
        await broker.hears(mqtt5.ConnectPacket)


async def test_a_ping_that_is_answered_keeps_the_connection() -> None:
    """The broker may shorten the keep-alive, and as long as it answers nothing is torn down."""
    pong = mqtt5.PingRespPacket().write()
    async with talking(mqtt5.ConnAckPacket(server_keep_alive=1).write(), CONSENT, pong, pong) as (broker, transport, _):
        for _ in range(3):
            await broker.hears(mqtt5.PingReqPacket)
        assert transport.counters.connections == 1


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.NOT_AUTHORIZED).write(),), "NOT_AUTHORIZED"),
        ((GREETING, mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.NOT_AUTHORIZED] * 4).write()), "subscriptions"),
        (
            (
                GREETING,
                CONSENT + mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN).write(),
            ),
            "SERVER_SHUTTING_DOWN",
        ),
        ((b"\x00\x00",), "not MQTT 5"),
        ((b"\x30\xff\xff\xff\x7f",), "more than we allow"),
    ],
)
async def test_why_a_connection_ended_is_told_once_and_tried_again(
    answers: tuple[bytes, ...], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The broker's reason is in one line of the log, the password is not, and we come back."""
    caplog.set_level(logging.DEBUG)
    async with talking(*answers, password="hunter2") as (broker, _, _):
        for _ in range(2):
            await broker.hears(mqtt5.ConnectPacket)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert reason in warnings[0]
    assert "hunter2" not in caplog.text


async def test_a_message_that_no_codec_reads_is_delivered_and_acknowledged() -> None:
    """A topic that is not UTF-8 must not make the broker send it again for ever."""
    async with talking(GREETING, CONSENT + POISON) as (broker, transport, batches):
        batch = await batches.get()
        transport.acknowledge([batch])
        puback = await broker.hears(mqtt5.PubAckPacket)
    assert batch.messages[0].topic == "a\\xffc"
    assert isinstance(puback, mqtt5.PubAckPacket)
    assert puback.packet_id == 5


async def test_a_publication_fails_when_its_connection_ends_first() -> None:
    """The caller is told that the broker has not confirmed, and may send it again."""
    async with talking(GREETING, CONSENT) as (broker, transport, _):
        await broker.hears(mqtt5.SubscribePacket)
        await _connected(lambda: transport.counters.connected)
        publication = asyncio.create_task(transport.publish("topic", b"", 1))
        await broker.hears(mqtt5.PublishPacket)
        broker.hang_up()
        with pytest.raises(EngineError, match="before the broker confirmed"):
            await publication


async def test_a_publication_that_the_broker_refuses_is_an_error() -> None:
    """No right to publish there: the reason is in the message."""
    refusal = mqtt5.PubAckPacket(2, reason_code=mqtt5.PubAckReasonCode.NOT_AUTHORIZED).write()
    async with talking(GREETING, CONSENT, refusal) as (broker, transport, _):
        await broker.hears(mqtt5.SubscribePacket)
        await _connected(lambda: transport.counters.connected)
        with pytest.raises(EngineError, match="NOT_AUTHORIZED"):
            await transport.publish("topic", b"", 1)


async def test_an_error_of_the_receiver_ends_the_run() -> None:
    """A bug behind `deliver` is not mistaken for a fault of the broker."""
    broker = ScriptedBroker(GREETING, CONSENT + POISON)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    transport = Mqtt5Transport(Endpoint("127.0.0.1", server.sockets[0].getsockname()[1], "me"))
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    with pytest.raises(ZeroDivisionError):
        await transport.run(lambda _: [][1 // 0])
    broker.hang_up()
    server.close()
    await server.wait_closed()


async def _connected(condition: Callable[[], bool]) -> None:
    """Wait for a plain flag that nobody announces."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - counters are plain numbers, made to be polled
            await asyncio.sleep(0.005)
