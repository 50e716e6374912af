"""Readings on their way to the history store: a thread that never holds up alarms.

Readings arrive in journal order in a bounded queue. When the store was down for longer than the queue is long, forgot what it
had taken, or the process was killed, the gap between the store's own offset and the queue is read again from the journal.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from domain.errors import EngineError
from domain.history import History
from domain.readings import Readings
from domain.records import Journal, batches
from emberwatch.pipeline import Machine, resume
from emberwatch.snapshots import SnapshotStore

_LOG = logging.getLogger(__name__)
_MOST_QUEUED = 2_000_000
_MOST_BACKOFF_S = 30.0


class _Item(NamedTuple):
    first_offset: int
    end_offset: int
    readings: Readings


class HistoryFeed:
    """`put` from the pipeline's thread; the rest happens in the feed's own thread between `start` and `stop`.

    `failed` is called once, from that thread, if it dies of a bug; a failing store is waited for.
    """

    def __init__(
        self,
        history: History,
        journal: Journal,
        snapshots: SnapshotStore,
        new_machine: Callable[[], Machine],
        paths: Callable[[], tuple[str, ...]],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._history = history
        self._journal = journal
        self._snapshots = snapshots
        self._new_machine = new_machine
        self._paths = paths
        self._failed = failed
        self._queue: deque[_Item] = deque()
        self._rows = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="history-feed", daemon=True)
        self.expected = history.offset()
        """Journal offset up to which readings were written; `History.offset` may lag behind it."""
        self.healthy = True

    def start(self, resume_offset: int) -> None:
        """Begin; the pipeline will `put` everything from `resume_offset` on."""
        self._resume_offset = resume_offset
        self._thread.start()

    def put(self, first_offset: int, end_offset: int, readings: Readings) -> None:
        """Queue readings; the oldest fall out when the queue is full (they are read again from the journal later)."""
        with self._wake:
            self._queue.append(_Item(first_offset, end_offset, readings))
            self._rows += len(readings)
            while self._rows > _MOST_QUEUED and len(self._queue) > 1:
                dropped = self._queue.popleft()
                self._rows -= len(dropped.readings)
                self._resume_offset = dropped.end_offset
            self._wake.notify()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Write what is queued and end."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout_s)

    @property
    def queued(self) -> int:
        """Readings waiting."""
        return self._rows

    def _run(self) -> None:
        try:
            self._feed()
        except BaseException as error:  # noqa: BLE001  whatever it is, history must not stop unseen
            self.healthy = False
            _LOG.exception("the history feed stopped")
            self._failed(error)

    def _feed(self) -> None:
        backoff = 0.5
        while True:
            stopping = self._stopping  # an attempt begun before the end was asked for is not the last one
            try:
                done = self._work()
                self.healthy, backoff = True, 0.5
            except EngineError as error:
                self.expected = self._history.offset()  # what it had taken and not yet stored may be gone
                if self.healthy:
                    _LOG.warning("history waits, alarms go on: %s", error)
                self.healthy, done = False, stopping
                with self._wake:
                    self._wake.wait_for(lambda: self._stopping, backoff)
                backoff = min(backoff * 2, _MOST_BACKOFF_S)
            if done:
                return

    def _work(self) -> bool:
        """Do one piece of work; return whether all is done and the feed is stopping."""
        gap_end, items = self._take()
        if gap_end is not None:
            self._catch_up(gap_end)
            return False
        if not items:
            return self._stopping
        try:
            self._write(items)
        except EngineError:
            self._give_back(items)
            raise
        return False

    def _take(self, rows: int = 100_000) -> tuple[int | None, list[_Item]]:
        """Return the end of the gap before the queue, if there is one, else what to write; in one look at the queue."""
        with self._wake:
            self._wake.wait_for(lambda: self._queue or self._stopping or self._has_gap(), timeout=1.0)
            if self._queue and not self._stopping:  # larger commits are cheaper
                self._wake.wait_for(lambda: self._rows >= rows or self._stopping, timeout=1.0)
            if self._has_gap():
                return self._resume_offset, []
            items: list[_Item] = []
            while self._queue and rows > 0:
                item = self._queue.popleft()
                self._rows -= len(item.readings)
                rows -= len(item.readings)
                items.append(item)
            if items:
                self._resume_offset = items[-1].end_offset
            return None, items

    def _has_gap(self) -> bool:
        return self.expected < self._resume_offset

    def _give_back(self, items: list[_Item]) -> None:
        with self._wake:
            if self._resume_offset != items[-1].end_offset:
                return  # the queue overflowed meanwhile: these and the lost ones are read again from the journal
            self._queue.extendleft(reversed(items))
            self._rows += sum(len(item.readings) for item in items)
            self._resume_offset = items[0].first_offset

    def _write(self, items: list[_Item]) -> None:
        self._history.write(
            Readings.concatenate([item.readings for item in items]), self._paths(), items[-1].end_offset
        )
        self.expected = items[-1].end_offset

    def _catch_up(self, end: int) -> None:
        """Decode the records the store missed with a machine of our own; only its decoder and registers are used."""
        machine = self._new_machine()
        start = resume(machine, self._snapshots, self._journal, self.expected).offset
        _LOG.info("history reads records %d to %d again", start, end)
        for batch in batches(self._journal, start, end):
            parts = []
            for decoded in machine.decoder.decode(batch):
                machine.world.view.apply(decoded.segment.changes)
                parts.append(decoded.segment.readings)
            self._history.write(Readings.concatenate(parts), machine.world.slots.paths(), batch.end_offset)
        self.expected = max(self.expected, end)
