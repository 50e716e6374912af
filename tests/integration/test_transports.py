"""What every transport promises, against a real Mosquitto: nothing acknowledged early, nothing lost, order kept."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import aiomqtt
import pytest

from domain.errors import EngineError
from domain.records import REDELIVERED, RETAINED, START, TICK, Journal, Record
from ingest.collector import Collector
from ingest.mosquitto import Mosquitto
from ingest.transport import Batch, Endpoint, Message, Transport
from ingest.transports.mqtt5 import Mqtt5Transport
from ingest.transports.paho import PahoTransport

pytestmark = pytest.mark.mosquitto

TOPIC = "safety/v1/area/site/dev-1/telemetry"
STATUS = "safety/v1/area/site/dev-1/status"
PATIENCE_S = 30.0

New = Callable[..., Transport]


class Listener:
    """Runs a transport and keeps what it delivers; acknowledges only when told."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.batches: list[Batch] = []
        self._news = asyncio.Event()

    @property
    def messages(self) -> list[Message]:
        return [message for batch in self.batches for message in batch.messages]

    def deliver(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._news.set()

    def acknowledge(self) -> list[Message]:
        """Acknowledge and take everything delivered so far."""
        messages = self.messages
        self.transport.acknowledge(self.batches)
        self.batches = []
        return messages

    async def receives(self, count: int) -> list[Message]:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.messages) < count:
                self._news.clear()
                await self._news.wait()
        return self.messages


async def holds(condition: Callable[[], bool]) -> None:
    """Wait for a plain flag that nobody announces."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - counters are plain numbers, made to be polled
            await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(transport: Transport) -> AsyncIterator[Listener]:
    listener = Listener(transport)
    task = asyncio.create_task(transport.run(listener.deliver))
    try:
        await holds(lambda: transport.counters.connected or task.done())
        yield listener
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def device(broker: Mosquitto) -> AsyncIterator[Callable[..., Any]]:
    quiet = logging.getLogger("device")
    quiet.setLevel(logging.ERROR)  # it warns of every call that waits, and here thousands do
    async with aiomqtt.Client(broker.host, broker.port, logger=quiet) as client:
        yield client.publish


async def publish(broker: Mosquitto, payloads: Sequence[bytes], topic: str = TOPIC, *, retain: bool = False) -> None:
    async with device(broker) as send:
        await asyncio.gather(*(send(topic, payload, qos=1, retain=retain, timeout=PATIENCE_S) for payload in payloads))


def numbered(count: int) -> list[bytes]:
    return [b"%d" % i for i in range(count)]


def payloads(messages: Sequence[Message | Record]) -> list[bytes]:
    return [message.payload for message in messages]


async def before_next(listener: Listener) -> list[Message]:
    """Return what comes before `next`: only what was acknowledged into a socket that closed before it was sent."""
    wanted = 1
    while (heard := await listener.receives(wanted))[-1].payload != b"next":
        wanted = len(heard) + 1
    return heard[:-1]


@pytest.fixture(params=[Mqtt5Transport, PahoTransport])
def new(request: pytest.FixtureRequest, mosquitto: Mosquitto) -> New:
    """Return a maker of transports that all speak as the same client."""
    kind = cast("Callable[[Endpoint], Transport]", request.param)
    return lambda **settings: kind(Endpoint(mosquitto.host, mosquitto.port, "collector", **settings))


async def test_messages_arrive_in_order_as_they_were_sent(new: New, mosquitto: Mosquitto) -> None:
    """Topic, bytes and order are those of the device; a fresh message has no flags."""
    async with listening(new()) as listener:
        await publish(mosquitto, numbered(500))
        messages = await listener.receives(500)
    assert payloads(messages) == numbered(500)
    assert {(m.topic, m.flags, type(m.payload)) for m in messages} == {(TOPIC, 0, bytes)}


async def test_what_was_not_acknowledged_comes_again(new: New, mosquitto: Mosquitto) -> None:
    """A session that ends before the commit is sent the same messages again, marked as repeated; once taken, no more."""
    async with listening(new()) as listener:
        await publish(mosquitto, numbered(10))
        await listener.receives(10)
    async with listening(new()) as listener:
        again = await listener.receives(10)
        assert payloads(again) == numbered(10)
        assert {message.flags for message in again} == {REDELIVERED}
        listener.acknowledge()
    async with listening(new()) as listener:
        await publish(mosquitto, [b"next"])
        assert {message.flags for message in await before_next(listener)} <= {REDELIVERED}


async def test_messages_sent_while_we_are_away_wait_for_us(new: New, mosquitto: Mosquitto) -> None:
    """The broker keeps the session of our client id, well past Mosquitto's default of 1,000 messages."""
    async with listening(new()):
        pass
    await publish(mosquitto, numbered(1_500))
    async with listening(new()) as listener:
        received: list[Message] = []
        while len(received) < 1_500:
            await listener.receives(1)
            received += listener.acknowledge()
    assert payloads(received) == numbered(1_500)


async def test_a_session_outlives_a_restart_of_the_broker(new: New, mosquitto: Mosquitto) -> None:
    """The transport returns by itself, and the broker repeats what was not acknowledged before."""
    async with listening(new()) as listener:
        await publish(mosquitto, numbered(5))
        await listener.receives(5)
        await asyncio.to_thread(mosquitto.stop)
        await holds(lambda: not listener.transport.counters.connected)
        await asyncio.to_thread(mosquitto.start)
        again = (await listener.receives(10))[5:]
        assert payloads(again) == numbered(5)
        assert {message.flags for message in again} == {REDELIVERED}
        await holds(lambda: listener.transport.counters.reconnects == 1)


async def test_an_old_receipt_acknowledges_nothing_new(new: New, mosquitto: Mosquitto) -> None:
    """Batches of a connection that has ended are counted as done, but only what the new one delivered is acknowledged."""
    async with listening(new()) as listener:
        await publish(mosquitto, numbered(5))
        await listener.receives(5)
        await asyncio.to_thread(mosquitto.stop)
        await asyncio.to_thread(mosquitto.start)
        await listener.receives(10)
        listener.transport.acknowledge([batch for batch in listener.batches if not batch.messages[0].flags])
        assert listener.transport.counters.unacknowledged == 5
    async with listening(new()) as listener:
        assert payloads(await listener.receives(5)) == numbered(5)


async def test_a_lost_session_is_subscribed_again(
    new: New, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    """After a power cut the broker knows us no more: we subscribe anew, and say that messages may be lost."""
    async with listening(new()) as listener:
        await asyncio.to_thread(mosquitto.kill)
        await asyncio.to_thread(mosquitto.start)
        await holds(lambda: listener.transport.counters.reconnects == 1 and listener.transport.counters.connected)
        await publish(mosquitto, [b"after"])
        assert payloads(await listener.receives(1)) == [b"after"]
    assert "forgotten our session" in caplog.text


async def test_no_more_than_the_window_waits_for_the_journal(new: New, mosquitto: Mosquitto) -> None:
    """While nothing is acknowledged, the broker keeps the rest; our own publications still pass; then all come in order."""
    bound = 50 if isinstance(new(), Mqtt5Transport) else 1_000  # MQTT 3.1.1: the broker's own max_inflight_messages
    transport = new(receive_max=bound)
    async with listening(transport) as listener:
        await publish(mosquitto, numbered(3_000))
        await listener.receives(bound)
        await transport.publish("emberwatch/v1/area/site/alarm", b"{}", 1)
        assert transport.counters.unacknowledged == bound
        received: list[Message] = []
        while len(received) < 3_000:
            await listener.receives(1)
            received += listener.acknowledge()
    assert payloads(received) == numbered(3_000)
    assert transport.counters.unacknowledged == 0


async def test_qos_0_is_held_back_too(new: New, mosquitto: Mosquitto) -> None:
    """Messages at QoS 0 have no acknowledgement on the wire, but wait in the socket all the same and then arrive."""
    transport = new(receive_max=10)
    async with listening(transport) as listener, device(mosquitto) as send:
        for payload in numbered(3_000):
            await send(TOPIC, payload)
        received: list[Message] = []
        while len(received) < 3_000:
            await listener.receives(1)
            received += listener.acknowledge()
    assert payloads(received) == numbered(3_000)


async def test_a_stored_message_is_marked_and_a_fresh_one_is_not(new: New, mosquitto: Mosquitto) -> None:
    """RETAINED says that the broker had the message in store; publishing with the retain bit while we listen does not."""
    await publish(mosquitto, [b"stored"], STATUS, retain=True)
    async with listening(new()) as listener:
        await listener.receives(1)
        await publish(mosquitto, [b"fresh"], STATUS, retain=True)
        messages = await listener.receives(2)
    assert [(m.payload, m.flags) for m in messages] == [(b"stored", RETAINED), (b"fresh", 0)]


async def test_a_payload_beyond_the_limit_of_the_wire_still_arrives(new: New, mosquitto: Mosquitto) -> None:
    """So that it becomes a dead letter that somebody can look at."""
    async with listening(new()) as listener:
        await publish(mosquitto, [b"x" * 300_000, b"", b"small"])
        assert [len(payload) for payload in payloads(await listener.receives(3))] == [300_000, 0, 5]
        assert listener.transport.counters.received_bytes == 300_005


@pytest.mark.parametrize("qos", [0, 1])
async def test_we_can_speak_too(new: New, mosquitto: Mosquitto, qos: int) -> None:
    """Receipts, commands and alarms go out over the same session."""
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as subscriber, listening(new()) as listener:
        await subscriber.subscribe("safety/v1/area/site/dev-1/command", qos=1)
        await listener.transport.publish("safety/v1/area/site/dev-1/command", b"{}", 1 if qos else 0)
        async with asyncio.timeout(PATIENCE_S):
            message = await anext(subscriber.messages)
    assert (message.payload, message.qos, message.retain) == (b"{}", qos, False)


async def test_a_thousand_publications_at_once_are_all_confirmed(new: New) -> None:
    """The broker's own window is respected and every confirmation finds its message."""
    async with listening(new()) as listener:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(
                *(listener.transport.publish("emberwatch/v1/a/b/alarm", b"{}", 1) for _ in range(1_000))
            )


async def test_without_a_broker_speaking_is_refused(new: New, mosquitto: Mosquitto) -> None:
    """The caller hears at once that nothing was sent, and can try again."""
    await asyncio.to_thread(mosquitto.stop)
    with pytest.raises(EngineError, match="no connection"):
        await new().publish("emberwatch/v1/a/b/alarm", b"{}", 1)


async def test_two_under_one_name_do_not_fight_a_duel(new: New) -> None:
    """Who takes the session over keeps it a while: the other one comes back with growing delays, not at once."""
    async with listening(new()) as first, listening(new()) as second:
        await holds(lambda: first.transport.counters.reconnects >= 1)
        assert second.transport.counters.connections <= 3


class SlowJournal:
    """Keeps records in a list and takes its time over it."""

    def __init__(self, seconds: float) -> None:
        self.records: list[Record] = []
        self._seconds = seconds

    def append(self, records: Sequence[Record]) -> int:
        time.sleep(self._seconds)
        self.records += records
        return len(self.records) - len(records)

    def info(self) -> Any:
        return type("Info", (), {"last_ms": None})


async def test_a_slow_journal_loses_nothing_of_five_thousand(new: New, mosquitto: Mosquitto) -> None:
    """With 20 ms for each append, 5,000 messages are in the journal once, in order, and all acknowledged."""
    receive_max = 500
    journal, transport, ends = SlowJournal(0.02), new(receive_max=receive_max), asyncio.Queue[int]()
    collector = Collector(transport, cast("Journal", journal), clock=lambda: 1, on_append=ends.put_nowait)
    task = asyncio.create_task(collector.run())
    await holds(lambda: transport.counters.connected)
    await publish(mosquitto, numbered(5_000))
    async with asyncio.timeout(PATIENCE_S):
        while sum(r.topic == TOPIC for r in journal.records) < 5_000 or transport.counters.unacknowledged:
            await ends.get()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert payloads([record for record in journal.records if record.topic not in {START, TICK}]) == numbered(5_000)
    assert transport.counters.unacknowledged == 0
    async with listening(new()) as listener:
        await publish(mosquitto, [b"next"])
        # what the broker had not read of our acknowledgements when we left comes again: some of the last, on a busy machine
        assert len(await before_next(listener)) < 5_000 // 2
