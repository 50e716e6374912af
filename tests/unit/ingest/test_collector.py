"""Claims about the collector: what it appends, when it acknowledges, and what it does when the journal fails."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import EngineError
from domain.records import REGISTER, START, TICK, Journal, JournalInfo, Record
from ingest.collector import Collector
from ingest.transport import Batch, Counters, Deliver, Message, QoS

LONG_S = 3_600.0
PATIENCE_S = 20.0


class ListJournal:
    """A journal in a list; while `gate` is closed appends wait, and the first `failures` of them fail."""

    def __init__(self, failures: int = 0, last_ms: int | None = None) -> None:
        self.appends: list[list[Record]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.failures = failures
        self._last_ms = last_ms

    @property
    def records(self) -> list[Record]:
        return [record for append in self.appends for record in append]

    def append(self, records: Sequence[Record]) -> int:
        self.entered.release()
        assert self.gate.wait(PATIENCE_S)
        if self.failures:
            self.failures -= 1
            raise EngineError("the disk is full")
        first = len(self.records)
        self.appends.append(list(records))
        return first

    def info(self) -> JournalInfo:
        return JournalInfo(0, 0, 0, 0, None, self._last_ms)


class FakeTransport:
    """Delivers what the test gives it, and keeps what was acknowledged."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.acknowledged: list[Batch] = []
        self.running = asyncio.Event()
        self.fault: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self.running.set()
        await self.fault

    def deliver(self, *payloads: bytes) -> None:
        messages = [Message("topic", payload) for payload in payloads]
        self._deliver(Batch(messages, sum(map(len, payloads)), payloads))

    def acknowledge(self, batches: Sequence[Batch]) -> None:
        self.acknowledged += batches

    async def publish(self, topic: str, payload: bytes, qos: QoS) -> None:
        raise NotImplementedError


class Bench:
    """A collector between a fake transport and a journal in a list; `ends` receives what on_append is told."""

    def __init__(
        self,
        journal: ListJournal,
        clock: Callable[[], int],
        tick_s: float,
        monotonic: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.journal = journal
        self.transport = FakeTransport()
        self.ends: asyncio.Queue[int] = asyncio.Queue()
        self.collector = Collector(
            self.transport,
            cast("Journal", journal),
            clock=clock,
            monotonic=monotonic,
            on_append=self.ends.put_nowait,
            tick_s=tick_s,
        )

    async def holds(self, count: int) -> list[Record]:
        """Wait until the journal has `count` records and on_append has been told."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.ends.get() < count:
                pass
        return self.journal.records

    async def enters_append(self) -> None:
        assert await asyncio.to_thread(self.journal.entered.acquire, timeout=PATIENCE_S)


@asynccontextmanager
async def collecting(
    journal: ListJournal | None = None,
    *,
    clock: Callable[[], int] = lambda: 1_000,
    tick_s: float = LONG_S,
    monotonic: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[Bench]:
    bench = Bench(journal or ListJournal(), clock, tick_s, monotonic)
    task = asyncio.create_task(bench.collector.run())
    try:
        await bench.transport.running.wait()
        yield bench
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_journal_begins_with_a_start_and_then_time_goes_on() -> None:
    """A START record comes first, and ticks come with no broker at all."""
    async with collecting(tick_s=0.001) as bench:
        records = await bench.holds(3)
    assert [(r.topic, r.payload, r.flags) for r in records[:3]] == [(START, b"", 0), (TICK, b"", 0), (TICK, b"", 0)]


async def test_nothing_is_acknowledged_before_it_is_durable() -> None:
    """While the append has not returned, the broker hears nothing; afterwards it does, once."""
    async with collecting() as bench:
        await bench.holds(1)
        await bench.enters_append()
        bench.journal.gate.clear()
        bench.transport.deliver(b"a")
        await bench.enters_append()
        assert bench.transport.acknowledged == []
        bench.journal.gate.set()
        await bench.holds(2)
        assert [batch.receipt for batch in bench.transport.acknowledged] == [(b"a",)]


async def test_what_arrives_during_an_append_is_the_next_append() -> None:
    """Three reads while one commit is being written become one commit, in order, acknowledged together."""
    async with collecting() as bench:
        await bench.holds(1)
        await bench.enters_append()
        bench.journal.gate.clear()
        bench.transport.deliver(b"a")
        await bench.enters_append()
        bench.transport.deliver(b"b")
        bench.transport.deliver(b"c", b"d")
        bench.transport.deliver(b"e")
        bench.journal.gate.set()
        await bench.holds(6)
    assert [[record.payload for record in append] for append in bench.journal.appends] == [
        [b""],
        [b"a"],
        [b"b", b"c", b"d", b"e"],
    ]
    assert bench.collector.counters.appended == 6
    assert bench.collector.counters.commits == 3


async def test_a_failing_journal_is_tried_again_with_the_same_records(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is acknowledged during an outage, nothing is lost by it, and it is told once."""
    async with collecting(ListJournal(failures=3)) as bench:
        bench.transport.deliver(b"a")
        await bench.enters_append()
        assert bench.transport.acknowledged == []
        records = await bench.holds(2)
    assert [record.payload for record in records] == [b"", b"a"]
    assert len(bench.transport.acknowledged) == 1
    assert bench.collector.counters.failures == 3
    assert caplog.text.count("the disk is full") == 1
    assert "takes records again" in caplog.text


async def test_time_in_the_journal_never_goes_back() -> None:
    """Neither a clock that is set back nor one behind the journal's last record makes a record older than the one before."""
    times = iter([500, 2_000, 1_500, 3_000])
    async with collecting(ListJournal(last_ms=1_000), clock=lambda: next(times, 3_000)) as bench:
        for payload in (b"a", b"b", b"c"):
            bench.transport.deliver(payload)
        records = await bench.holds(4)
    assert [record.received_ms for record in records] == [1_000, 2_000, 2_000, 3_000]


async def test_time_goes_on_while_the_clock_is_behind(caplog: pytest.LogCaptureFixture) -> None:
    """A clock that ran ahead and was set back stops no time: what goes on meanwhile is told by the monotonic clock."""
    clock_ms, gone_s = 60_000, 0.0
    async with collecting(clock=lambda: clock_ms, monotonic=lambda: gone_s) as bench:
        await bench.holds(1)
        clock_ms = 10_000
        for payload in (b"a", b"b", b"c"):
            gone_s += 0.25
            bench.transport.deliver(payload)
        clock_ms = 70_000
        bench.transport.deliver(b"d")
        records = await bench.holds(5)
    assert [record.received_ms for record in records] == [60_000, 60_250, 60_500, 60_750, 70_000]
    assert caplog.text.count("the clock is 50 s behind the journal") == 1


@pytest.mark.parametrize(("step_ms", "starts"), [(4_000, 1), (3_600_000, 2)])
async def test_a_jump_of_time_is_a_start(step_ms: int, starts: int) -> None:
    """Nobody was silent for the hour that a sleeping machine or a clock that was set has skipped."""
    clock_ms = 1_000
    async with collecting(clock=lambda: clock_ms, tick_s=0.001) as bench:
        before = len(await bench.holds(3))
        clock_ms += step_ms
        bench.transport.deliver(b"a")
        records = await bench.holds(before + 3)
    jump = next(i for i, record in enumerate(records) if record.received_ms > 1_000)
    assert [record.topic for record in records].count(START) == starts
    assert records[jump].topic == START or starts == 1
    assert all(record.received_ms == clock_ms for record in records[jump:])


async def test_records_of_ours_are_taken_from_any_thread() -> None:
    """Register changes wake a sleeping collector and are in the journal in the order given."""
    async with collecting() as bench:
        await bench.holds(1)
        await asyncio.to_thread(bench.collector.submit, [Message(REGISTER, b"1"), Message(REGISTER, b"2")])
        records = await bench.holds(3)
    assert [(record.topic, record.payload) for record in records[1:]] == [(REGISTER, b"1"), (REGISTER, b"2")]


async def test_records_of_ours_may_come_before_the_run_and_after_it() -> None:
    """Given early they follow START; given too late they are forgotten without an error."""
    bench = Bench(ListJournal(), lambda: 1, LONG_S)
    bench.collector.submit([Message(REGISTER, b"early")])
    task = asyncio.create_task(bench.collector.run())
    records = await bench.holds(2)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    bench.collector.submit([Message(REGISTER, b"late")])
    assert [record.topic for record in records] == [START, REGISTER]


async def test_a_clean_end_commits_and_acknowledges_what_has_arrived() -> None:
    """Cancelled in the middle of an append, it sees that one through, then one more with the rest."""
    journal = ListJournal()
    async with collecting(journal) as bench:
        await bench.holds(1)
        await bench.enters_append()
        journal.gate.clear()
        bench.transport.deliver(b"a")
        await bench.enters_append()
        bench.transport.deliver(b"b")
        asyncio.get_running_loop().call_later(0.01, journal.gate.set)
    assert [record.payload for record in journal.records] == [b"", b"a", b"b"]
    assert len(bench.transport.acknowledged) == 2


async def test_an_end_during_an_outage_acknowledges_nothing() -> None:
    """It does not wait for the journal to come back: the broker will send the messages again."""
    async with collecting(ListJournal(failures=1_000_000)) as bench:
        bench.transport.deliver(b"a")
        await bench.enters_append()
    assert bench.transport.acknowledged == []
    assert bench.journal.records == []


async def test_a_bug_in_the_transport_ends_the_run_with_what_it_had_delivered_committed() -> None:
    """An unexpected error is not swallowed, and costs no message."""
    bench = Bench(ListJournal(), lambda: 1, LONG_S)
    task = asyncio.create_task(bench.collector.run())
    await bench.transport.running.wait()
    bench.transport.deliver(b"a")
    bench.transport.fault.set_exception(ZeroDivisionError())
    with pytest.raises(ExceptionGroup) as caught:
        await task
    assert caught.group_contains(ZeroDivisionError)
    assert [record.payload for record in bench.journal.records] == [b"", b"a"]


async def test_a_bug_of_the_listener_ends_the_run() -> None:
    """An error of on_append is raised, not logged and forgotten."""
    bench = Bench(ListJournal(), lambda: 1, LONG_S)
    bench.collector = Collector(
        bench.transport, cast("Journal", bench.journal), clock=lambda: 1, on_append=lambda end: [][end]
    )
    with pytest.raises(ExceptionGroup) as caught:
        await bench.collector.run()
    assert caught.group_contains(IndexError)


@settings(max_examples=30)
@given(st.lists(st.lists(st.binary(max_size=3), min_size=1, max_size=4), min_size=1, max_size=8))
async def test_the_journal_is_what_was_delivered(deliveries: list[list[bytes]]) -> None:
    """However messages are grouped and appends fall between them, the journal holds them all, once, in order."""
    async with collecting(clock=itertools.count(1).__next__) as bench:
        for payloads in deliveries:
            bench.transport.deliver(*payloads)
            await asyncio.sleep(0)
    assert [r.payload for r in bench.journal.records[1:]] == [
        payload for payloads in deliveries for payload in payloads
    ]
    assert [batch.receipt for batch in bench.transport.acknowledged] == [tuple(payloads) for payloads in deliveries]
