"""The one pipeline: journal records in order → decode → detect → commit, and the way back to that point after a crash.

State (slots, registers, duplicates, detectors) is a function of the journal. A restart loads the newest snapshot at or before
the committed offset, replays up to that offset without committing, and goes on live: nothing is decided twice or not at all.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from detectors.base import World
from detectors.engine import Engine
from domain.errors import EngineError
from domain.findings import Finding
from domain.readings import Contacts, Readings, Segment
from domain.records import Journal, RecordBatch, batches
from emberwatch.snapshots import SnapshotStore
from ingest.decoding import Decoder, Receipt
from ledger.books import Books, Committed, Counts, DeadLetter, Decided, FeedItem

_LOG = logging.getLogger(__name__)


class Machine:
    """Everything that turns records into decisions, as one value with one state: world, decoder and engine."""

    def __init__(self, build_engine: Callable[[World], Engine], unknown_allowance: int = 10_000) -> None:
        self.world = World()
        self.engine = build_engine(self.world)
        self.decoder = Decoder(self.world.slots, is_registered=self._is_registered, unknown_allowance=unknown_allowance)

    def _is_registered(self, device: str) -> bool:
        view = self.world.view
        return view.device(device) is not None or view.machine(device) is not None

    def snapshot(self) -> dict[str, Any]:
        """Return all state as plain values and arrays."""
        return {"engine": self.engine.snapshot(), "decoder": self.decoder.snapshot()}

    def restore(self, state: dict[str, Any]) -> None:
        """Become the state that `snapshot` gave; only on a fresh machine."""
        self.engine.restore(state["engine"])
        self.decoder.restore(state["decoder"])


class Outlet(Protocol):
    """Where the pipeline hands what others do with its work; every method returns at once and never raises."""

    def readings(self, first_offset: int, end_offset: int, readings: Readings) -> None:
        """Take decoded readings for history."""
        ...

    def contacts(self, contacts: Contacts) -> None:
        """Take who spoke and when."""
        ...

    def receipts(self, receipts: list[Receipt]) -> None:
        """Take receipts to send: these events are in the journal."""
        ...

    def feed(self, items: list[FeedItem]) -> None:
        """Take what changed in the books."""
        ...


@dataclass(slots=True)
class Pending:
    """What was decided since the last commit."""

    end_offset: int
    now_ms: int = 0
    findings: list[Finding] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)

    @property
    def matters(self) -> bool:
        """Whether somebody waits for this commit; an offset alone can wait a second."""
        return bool(self.findings or self.dead_letters)


class Pipeline:
    """Reads the journal from where the books are and keeps them up to date. Used by one thread."""

    def __init__(
        self, journal: Journal, machine: Machine, books: Books, snapshots: SnapshotStore, outlet: Outlet
    ) -> None:
        self._journal = journal
        self._machine = machine
        self._books = books
        self._snapshots = snapshots
        self._outlet = outlet
        self._pending = Pending(0)
        self.committed = Committed(0, Counts())
        """The last commit: one value, so that whoever looks from another thread sees offset and counts that belong together."""
        self.last_received_ms = 0

    @property
    def committed_offset(self) -> int:
        """The first record that is not decided for good."""
        return self.committed.offset

    @property
    def counts(self) -> Counts:
        """What became of the messages before `committed_offset`."""
        return self.committed.counts

    @property
    def offset(self) -> int:
        """The next record to read."""
        return self._pending.end_offset

    @property
    def world(self) -> World:
        """What the detectors see; reading it from another thread gives a recent picture."""
        return self._machine.world

    def recover(self, progress: Callable[[int, int], None] = lambda _done, _total: None) -> int:
        """Rebuild state up to the committed offset; return how many records were replayed."""
        committed = self.committed = self._books.committed()
        snapshot = self._snapshots.newest(committed.offset)
        start = self._journal.info().start
        if snapshot is not None:
            self._machine.restore(snapshot.state)
            start = snapshot.offset
        done = 0
        for batch in batches(self._journal, start, committed.offset):
            for decoded in self._machine.decoder.decode(batch):
                self._machine.engine.process(decoded.segment)
                self._outlet.contacts(decoded.segment.contacts)
            done += len(batch.records)
            progress(done, committed.offset - start)
        self._pending = Pending(max(committed.offset, start))
        return done

    def read(self, limit: int = 20_000) -> int:
        """Decide the next records; return how many there were. Call `commit` before the next `read` when `matters`."""
        batch = self._journal.read(self.offset, limit)
        if batch.records:
            self._decide(batch)
        return len(batch.records)

    def _decide(self, batch: RecordBatch) -> None:
        pending = self._pending
        receipts: list[Receipt] = []
        for decoded in self._machine.decoder.decode(batch):
            pending.findings += self._machine.engine.process(decoded.segment)
            pending.dead_letters += decoded.dead_letters
            pending.counts += decoded.counts
            receipts += decoded.receipts
            self._hand_out(decoded.segment)
        pending.end_offset = batch.end_offset
        pending.now_ms = self.last_received_ms = batch.records[-1].received_ms
        if receipts:
            self._outlet.receipts(receipts)

    def _hand_out(self, segment: Segment) -> None:
        self._outlet.contacts(segment.contacts)
        if len(segment.readings):
            self._outlet.readings(segment.first_offset, segment.end_offset, segment.readings)

    @property
    def matters(self) -> bool:
        """Whether what was read must be committed now."""
        return self._pending.matters

    def commit(self) -> None:
        """Write what was decided; on EngineError nothing is written, nothing is forgotten, and it may be called again."""
        pending = self._pending
        if pending.end_offset == self.committed_offset:
            return
        items = self._books.commit(
            Decided(pending.end_offset, pending.now_ms, pending.findings, pending.dead_letters, pending.counts),
        )
        self.committed = Committed(pending.end_offset, self.committed.counts + pending.counts)
        self._pending = Pending(pending.end_offset, pending.now_ms)
        if items:
            self._outlet.feed(items)

    def save(self) -> bool:
        """Write a snapshot of the committed state; return False when something is uncommitted or the disk refuses."""
        if self.offset != self.committed_offset:
            return False
        try:
            self._snapshots.save(self.committed_offset, self._machine.snapshot())
        except EngineError as error:
            _LOG.warning("no snapshot now: %s", error)
            return False
        return True
