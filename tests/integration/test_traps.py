"""The traps of brokers and clients that were reproduced once: each is a test, so that none catches us again.

Trap 4 and 5 (stores behind HTTP) are tested with their adapter; the sixth is a version of a library we do not use.
"""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import pytest

from domain.records import Record, RecordBatch
from domain.slots import SlotTable
from emberwatch.broker_watch import BrokerWatch
from emberwatch.connection import BrokerAddress
from emberwatch.settings import MqttSettings
from ingest.collector import Collector
from ingest.decoding import Decoded, Decoder
from ingest.mosquitto import Mosquitto, free_port
from ingest.transport import Endpoint, Transport
from ingest.transports.mqtt5 import Mqtt5Transport
from ingest.transports.paho import PahoTransport
from storage.journals.memory import MemoryJournal

pytestmark = pytest.mark.mosquitto

TOPIC = "safety/v1/area/site/dev-1/event"
PATIENCE_S = 60.0

Kind = Callable[[Endpoint], Transport]
both = pytest.mark.parametrize("kind", [Mqtt5Transport, PahoTransport])


class SlowJournal(MemoryJournal):
    """A journal that takes a while for each append."""

    def append(self, records: Sequence[Record]) -> int:
        time.sleep(0.02)
        return super().append(records)


@pytest.fixture
def publish(installed: Callable[[str, str], str]) -> Callable[[Mosquitto, Sequence[bytes]], None]:
    """Return a publisher at QoS 1 that ends when the broker has confirmed everything."""
    program = installed("mosquitto_pub", "Debian: apt-get install mosquitto-clients")

    def send(broker: Mosquitto, payloads: Sequence[bytes]) -> None:
        command = [program, "-h", broker.host, "-p", str(broker.port), "-q", "1", "-t", TOPIC, "-l"]
        subprocess.run(command, input=b"\n".join(payloads) + b"\n", check=True, timeout=PATIENCE_S)

    return send


Publish = Callable[[Mosquitto, Sequence[bytes]], None]


@asynccontextmanager
async def collecting(kind: Kind, broker: Mosquitto, journal: MemoryJournal) -> AsyncIterator[Callable[[int], object]]:
    """Run a collector; yields a waiter for so many device records in the journal, all acknowledged."""
    transport, appended = kind(Endpoint(broker.host, broker.port, "collector")), asyncio.Event()
    collector = Collector(transport, journal, clock=lambda: 1_000, on_append=lambda _end: appended.set())
    task = asyncio.create_task(collector.run())

    async def holds(count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while journal.info().device_records < count or not transport.counters.connected:
                appended.clear()
                await appended.wait()

    try:
        await holds(0)
        yield holds
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def said(journal: MemoryJournal) -> list[bytes]:
    return [record.payload for record in journal.read(0, 1_000_000).records if record.topic == TOPIC]


def numbered(count: int) -> list[bytes]:
    return [b"%d" % i for i in range(count)]


@both
async def test_trap_1_a_slow_consumer_of_twenty_thousand_loses_none(
    kind: Kind, mosquitto: Mosquitto, publish: Publish
) -> None:
    """A client with a bounded queue of its own acknowledged 20,000 and handed over 2,112; here the socket is the queue."""
    journal = SlowJournal()
    async with collecting(kind, mosquitto, journal) as holds:
        await asyncio.to_thread(publish, mosquitto, numbered(20_000))
        await cast("asyncio.Future[None]", holds(20_000))
    assert said(journal) == numbered(20_000)


async def _away(kind: Kind, broker: Mosquitto, publish: Publish) -> tuple[list[bytes], int]:
    """Return what arrives of 5,000 messages that were sent while we were away, and what the watch says was dropped."""
    watch = BrokerWatch(BrokerAddress(broker.host, broker.port, "test", mqtt5=True), MqttSettings())
    watching = asyncio.create_task(watch.run())
    async with collecting(kind, broker, MemoryJournal()):
        pass
    await asyncio.to_thread(publish, broker, numbered(5_000))
    journal = MemoryJournal()
    async with asyncio.timeout(PATIENCE_S):
        while watch.held + watch.dropped < 5_000:  # noqa: ASYNC110 - plain numbers, told once a second
            await asyncio.sleep(0.05)
        async with collecting(kind, broker, journal) as holds:
            await cast("asyncio.Future[None]", holds(5_000 - watch.dropped))
    watching.cancel()
    return said(journal), watch.dropped


@both
@pytest.mark.parametrize("ours", [True, False])
async def test_trap_2_the_default_limits_of_mosquitto_drop_what_ours_keep(
    kind: Kind, *, ours: bool, mosquitto_program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publish: Publish
) -> None:
    """With its defaults 4,000 of 5,000 are gone without a word to anybody, except to who watches its counters."""
    settings = Mosquitto.__module__ + "._CONFIGURATION"
    lines = _configuration().replace("sys_interval 10", "sys_interval 1").splitlines(keepends=True)
    limits = ("max_queued_messages", "max_queued_bytes", "max_inflight_messages")
    kept = [line for line in lines if ours or not line.startswith(limits)]
    monkeypatch.setattr(settings, "".join(kept))
    broker = Mosquitto(mosquitto_program, tmp_path, free_port())
    broker.start()
    try:
        arrived, dropped = await _away(kind, broker, publish)
    finally:
        broker.stop()
    if ours:
        assert (arrived, dropped) == (numbered(5_000), 0)
    else:
        assert len(arrived) < 1_100
        assert dropped == 5_000 - len(arrived)


def _configuration() -> str:
    from ingest import mosquitto  # noqa: PLC0415 - the module, whose name a fixture has

    return mosquitto._CONFIGURATION


def decoded(journal: MemoryJournal) -> list[Decoded]:
    decoder = Decoder(SlotTable(), is_registered=lambda _name: True)
    return list(decoder.decode(RecordBatch(0, journal.read(0, 1_000_000).records)))


@both
async def test_trap_3_a_killed_broker_replays_the_old_and_loses_the_newest(
    kind: Kind, mosquitto: Mosquitto, publish: Publish, tmp_path: Path
) -> None:
    """The old are known as repeats; the newest event is repeated by its device until the receipt, and is heard once."""
    events = [json.dumps({"seq": seq, "boot": 1, "type": "tamper"}).encode() for seq in range(20)]
    journal = MemoryJournal()
    async with collecting(kind, mosquitto, journal):
        pass
    await asyncio.to_thread(publish, mosquitto, events[:10])
    await asyncio.to_thread(_save, mosquitto, tmp_path / "mosquitto" / "mosquitto.db")
    async with collecting(kind, mosquitto, journal) as holds:
        await cast("asyncio.Future[None]", holds(10))
    await asyncio.to_thread(publish, mosquitto, events[10:])
    await asyncio.to_thread(mosquitto.kill)
    await asyncio.to_thread(mosquitto.start)
    async with collecting(kind, mosquitto, journal) as holds:
        await cast("asyncio.Future[None]", holds(20))
        assert said(journal)[10:] == events[:10], "the old again, and nothing of the newest"
        await asyncio.to_thread(publish, mosquitto, events[10:])
        await cast("asyncio.Future[None]", holds(30))
    segments = decoded(journal)
    assert [s.seq for d in segments for s in d.segment.signals] == list(range(20))
    assert sum(d.counts.duplicate for d in segments) == 10
    receipts = [receipt.seq for d in segments for receipt in d.receipts]
    assert sorted(receipts) == sorted([*range(10), *range(20)]), "a repeat is confirmed as well, or it would never end"


def _save(broker: Mosquitto, file: Path) -> None:
    """Make the broker write its snapshot now, as it does by itself from time to time."""
    process = broker._process
    assert process is not None
    file.unlink(missing_ok=True)
    process.send_signal(signal.SIGUSR1)
    end = time.monotonic() + PATIENCE_S
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
