"""Claims about the collector when it cannot hear: time stands still, and a START says that the silence was ours."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from domain.errors import EngineError
from domain.records import START, THINNED, TICK, Record
from ingest.collector import Collector
from ingest.transport import Batch, Counters, Deliver, Message, QoS
from storage.journals.memory import MemoryJournal

PATIENCE_S = 20.0


class Radio:
    """A transport whose connection the test makes and breaks."""

    def __init__(self) -> None:
        self.counters = Counters(connected=True)
        self.acknowledged: list[Batch] = []
        self.deliver: Deliver = lambda _batch: None

    async def run(self, deliver: Deliver) -> None:
        self.deliver = deliver
        await asyncio.Event().wait()

    def acknowledge(self, batches: Sequence[Batch]) -> None:
        self.acknowledged += batches

    async def publish(self, topic: str, payload: bytes, qos: QoS) -> None:
        raise NotImplementedError


class Disk(MemoryJournal):
    """A journal whose disk is full, or hangs, for as long as the test likes; `topics` is what it holds."""

    full = False

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def append(self, records: Sequence[Record]) -> int:
        assert self.gate.wait(PATIENCE_S)
        if self.full:
            raise EngineError("the disk is full")
        return super().append(records)

    @property
    def topics(self) -> list[str]:
        return [record.topic for record in self.read(0, 1_000_000).records]


class Bench:
    def __init__(self, door: Callable[[Sequence[Message]], Sequence[Message]], patience_s: float) -> None:
        self.radio, self.journal, self.news = Radio(), Disk(), asyncio.Event()
        self.collector = Collector(
            self.radio,
            self.journal,
            clock=lambda: 1,
            on_append=lambda _end: self.news.set(),
            door=door,
            tick_s=0.001,
            patience_s=patience_s,
        )

    async def until(self, done: Callable[[list[str]], bool]) -> list[str]:
        """Wait until the journal's topics are as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while not done(self.journal.topics):
                self.news.clear()
                await self.news.wait()
        return self.journal.topics


@asynccontextmanager
async def collecting(
    door: Callable[[Sequence[Message]], Sequence[Message]] = lambda messages: messages, patience_s: float = 0.1
) -> AsyncIterator[Bench]:
    bench = Bench(door, patience_s)
    task = asyncio.create_task(bench.collector.run())
    try:
        await bench.until(lambda topics: topics.count(TICK) > 2)
        yield bench
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def stands_still(bench: Bench) -> int:
    """Wait until no record has come for a tenth of a second; return how many there are."""
    with suppress(TimeoutError):
        while True:
            bench.news.clear()
            await asyncio.wait_for(bench.news.wait(), 0.1)
    return len(bench.journal.topics)


async def test_without_a_broker_time_stands_still_and_a_start_begins_it_again() -> None:
    """No device can be called silent by a tick of the time in which nobody could be heard."""
    async with collecting() as bench:
        bench.radio.counters.connected = False
        before = await stands_still(bench)
        assert START not in bench.journal.topics[1:]
        bench.radio.counters.connected = True
        topics = await bench.until(lambda topics: len(topics) > before + 2)
    assert topics[before] == START
    assert set(topics[before + 1 :]) == {TICK}


async def test_a_blink_of_the_broker_is_nothing() -> None:
    """A session that is back within the patience leaves no trace, and time went on."""
    async with collecting(patience_s=PATIENCE_S) as bench:
        bench.radio.counters.connected = False
        so_far = len(bench.journal.topics)
        await bench.until(lambda topics: len(topics) > so_far + 2)
        bench.radio.counters.connected = True
        topics = await bench.until(lambda topics: len(topics) > so_far + 4)
    assert topics.count(START) == 1


async def test_a_full_disk_is_deafness_too() -> None:
    """While nothing can be appended nothing is acknowledged and no ticks pile up; then come what waited and a START."""
    async with collecting() as bench:
        bench.journal.full = True
        bench.radio.deliver(Batch([Message("topic", b"")], 0, None))
        before = await stands_still(bench)
        await asyncio.sleep(0.5)
        assert bench.radio.acknowledged == []
        bench.journal.full = False
        topics = await bench.until(lambda topics: START in topics[before:])
    waited = topics[before : topics.index(START, before)]
    assert waited.count("topic") == 1
    assert len(waited) < 250, "one tick a millisecond would have piled up"
    assert len(bench.radio.acknowledged) == 1


async def test_a_disk_that_hangs_is_deafness_too() -> None:
    """Time does not go on while an append does not return; a START follows when it did."""
    async with collecting() as bench:
        bench.journal.gate.clear()
        before = await stands_still(bench)
        await asyncio.sleep(0.5)
        bench.journal.gate.set()
        topics = await bench.until(lambda topics: START in topics[before:])
    waited = topics[before : topics.index(START, before)]
    assert len(waited) < 250, "one tick a millisecond would have piled up"


async def test_what_the_door_leaves_out_is_acknowledged_with_the_rest() -> None:
    """The broker is told of the whole delivery once what was kept, and the count of the others, is durable."""

    def door(messages: Sequence[Message]) -> Sequence[Message]:
        return [messages[0], Message(THINNED, b'{"b": 1}')]

    async with collecting(door) as bench:
        bench.radio.deliver(Batch([Message("a", b""), Message("b", b"")], 0, None))
        topics = await bench.until(lambda topics: THINNED in topics)
    assert [topic for topic in topics if topic not in (START, TICK)] == ["a", THINNED]
    assert bench.journal.info().device_records == 2
    assert len(bench.radio.acknowledged) == 1
