"""Bytes off the wire into the journal, and nothing else: appended in order of arrival, acknowledged only when durable.

While one append is being written, what arrives meanwhile waits and becomes the next: under load the batches grow by
themselves (group commit). Payloads are not looked at, so no payload can stop this.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from domain.errors import EngineError
from domain.records import START, TICK, Journal, Record
from ingest.transport import Batch, Message, Transport, back_off

_LOG = logging.getLogger(__name__)
_PATIENCE_S = 5.0
_BEHIND_MS = 1000
"""A clock this little behind the journal is ordinary (it is slewed all the time); beyond it we say so."""

Door = Callable[[Sequence[Message]], Sequence[Message]]
"""What of the messages of one delivery goes into the journal; it may add records of ours."""


def _open(messages: Sequence[Message]) -> Sequence[Message]:
    return messages


@dataclass(slots=True)
class Counters:
    """Since the start: records of any kind appended, the appends that held them, and appends that failed."""

    appended: int = 0
    commits: int = 0
    failures: int = 0


class Collector:
    """Carries messages from `transport` to `journal`; `clock` gives epoch ms, `on_append` is told each new end offset.

    The journal's times never go backwards, whatever the clock does; while it is behind them, they go on by `monotonic` (s).
    A START record comes first, then a TICK every `tick_s` seconds. While we are deaf (for longer than `patience_s` there was
    no session with the broker, or the journal failed or did not answer) no tick comes, for silence is then ours and not the
    devices'; another START comes when we hear again. So it does when the time jumps by more than `patience_s`: the machine
    slept, or its clock was set. When the journal fails, nothing is acknowledged and the same records are tried again. `door`
    may leave messages out.
    """

    def __init__(
        self,
        transport: Transport,
        journal: Journal,
        *,
        clock: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
        on_append: Callable[[int], None],
        door: Door = _open,
        tick_s: float = 1.0,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self.counters = Counters()
        self._transport = transport
        self._journal = journal
        self._clock = clock
        self._monotonic = monotonic
        self._on_append = on_append
        self._door = door
        self._tick_s = tick_s
        self._patience_s = patience_s
        self._failing = False
        self._appending_since: float | None = None
        self._last_ms = 0
        self._last_s = monotonic()
        self._behind = False
        self._records: list[Record] = []
        self._batches: list[Batch] = []
        self._submitted: deque[Message] = deque()
        self._something = asyncio.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, messages: Sequence[Message]) -> None:
        """Append control records of ours, e.g. `Message(REGISTER, payload)`, in this order; from any thread, at any time.

        They are in the journal when `on_append` has been called; what is not there when `run` ends is forgotten.
        """
        self._submitted.extend(messages)
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has just ended: there is nobody left to wake
                self._loop.call_soon_threadsafe(self._something.set)

    async def run(self) -> None:
        """Collect until cancelled; what has arrived by then is appended and acknowledged before this returns."""
        self._loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "journal") as thread:
            self._last_ms = (await self._loop.run_in_executor(thread, self._journal.info)).last_ms or 0
            self._last_s = self._monotonic()
            self._take([Message(START, b"")])
            async with asyncio.TaskGroup() as group:
                group.create_task(self._transport.run(self._deliver), name="transport")
                group.create_task(self._tick(), name="ticks")
                await self._write_to_the_end(thread)

    async def _tick(self) -> None:
        heard, deaf = self._monotonic(), False
        while True:
            await asyncio.sleep(self._tick_s)
            now = self._monotonic()
            if self._hears(now):
                self._take([Message(START if deaf else TICK, b"")])
                heard, deaf = now, False
            elif now - heard < self._patience_s:
                self._take([Message(TICK, b"")])
            else:
                deaf = True

    def _hears(self, now: float) -> bool:
        answers = self._appending_since is None or now - self._appending_since < self._tick_s
        return self._transport.counters.connected and not self._failing and answers

    def _deliver(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._take(self._door(batch.messages))

    def _take(self, messages: Sequence[Message]) -> None:
        self._stamp(messages)
        self._something.set()

    def _stamp(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        before, now = self._last_ms, self._now()
        if messages[0].topic != START and now - before > 1000 * (self._tick_s + self._patience_s):
            self._records.append(Record(now, START, b""))  # no tick came for so long: the time jumped, or we were deaf
        self._records += [Record(now, said.topic, said.payload, said.flags) for said in messages]

    def _now(self) -> int:
        """Return the time of the next record: the clock's, or while that is behind, the last one and what has gone since."""
        clock_ms, gone_ms = self._clock(), int(1000 * (self._monotonic() - self._last_s))
        behind_ms = self._last_ms - clock_ms
        if behind_ms <= 0:
            self._last_ms, self._last_s, self._behind = clock_ms, self._monotonic(), False
        else:
            self._last_ms += gone_ms
            self._last_s += gone_ms / 1000
            if behind_ms > _BEHIND_MS and not self._behind:
                self._behind = True
                _LOG.warning("the clock is %d s behind the journal, whose time goes on without it", behind_ms // 1000)
        return self._last_ms

    async def _write_to_the_end(self, thread: ThreadPoolExecutor) -> None:
        writer = asyncio.create_task(self._write(thread), name="journal")
        try:
            await asyncio.shield(writer)  # a cancelled append would still happen: see it through instead
        finally:
            self._stopping.set()
            self._something.set()
            await writer

    async def _write(self, thread: ThreadPoolExecutor) -> None:
        while not self._stopping.is_set():
            await self._something.wait()
            await self._commit(thread)
        await self._commit(thread)

    async def _commit(self, thread: ThreadPoolExecutor) -> None:
        self._something.clear()
        if self._submitted:
            self._stamp([self._submitted.popleft() for _ in range(len(self._submitted))])
        records, self._records = self._records, []
        batches, self._batches = self._batches, []
        if not records:
            return
        first = await self._append(records, thread)
        if first is not None:
            self._transport.acknowledge(batches)
            self.counters.appended += len(records)
            self.counters.commits += 1
            self._on_append(first + len(records))

    async def _append(self, records: Sequence[Record], thread: ThreadPoolExecutor) -> int | None:
        """Return the first offset, or None when the journal failed and we are stopping."""
        loop, delays = asyncio.get_running_loop(), back_off()
        while True:
            self._appending_since = self._monotonic()
            try:
                first = await loop.run_in_executor(thread, self._journal.append, records)
            except EngineError as error:
                self.counters.failures += 1
                if not self._failing:
                    _LOG.error("the journal takes nothing; nothing is acknowledged until it does: %s", error)
                self._failing = True
            else:
                if self._failing:
                    _LOG.warning("the journal takes records again")
                self._failing, self._appending_since = False, None
                return first
            if self._stopping.is_set():
                return None
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), next(delays))
