"""The one pipeline: journal records in order → decode → detect → commit, and the way back to that point after a crash.

State (slots, registers, duplicates, detectors) is a function of the journal. A restart loads the newest snapshot at or before
the committed offset, replays up to that offset without committing, and goes on live: nothing is decided twice or not at all.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import msgspec

from detectors.base import World
from detectors.engine import BROKEN, Engine
from domain.changes import RegisterChange
from domain.errors import EngineError
from domain.findings import Action, Finding, Severity
from domain.readings import Contacts, Readings, Segment
from domain.records import Damage, Journal, RecordBatch, batches, read_on
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

    def adopt_registers(self, state: dict[str, Any], offset: int, now_ms: int) -> None:
        """Take only the registers of a state that other code made, as if they had just been told; only on a fresh machine.

        The records that told them may be trimmed away, and machines without registers would be judged as strangers.
        """
        view = state["engine"]["view"]
        rows = [(noun, key, row) for noun, by in view["rows"].items() for key, row in by.items()]
        changes = [RegisterChange(i, *row) for i, row in enumerate(rows, start=view["last_id"] - len(rows) + 1)]
        self.engine.process(Segment(offset, offset, changes=tuple(changes), changed_ms=now_ms))

    def restore(self, state: dict[str, Any]) -> None:
        """Become the state that `snapshot` gave; only on a fresh machine."""
        self.engine.restore(state["engine"])
        self.decoder.restore(state["decoder"])


class Resumed(NamedTuple):
    """Where a machine's state stands, and whether it is exactly what the records before made of it."""

    offset: int
    exact: bool


def resume(machine: Machine, snapshots: SnapshotStore, journal: Journal, at_most: int) -> Resumed:
    """Bring a fresh machine as near to `at_most` as snapshots allow; the rest must be replayed."""
    snapshot = snapshots.newest(at_most)
    info = journal.info()
    if snapshot is None:
        return Resumed(info.start, exact=info.start == 0)
    if snapshots.is_ours(snapshot):
        machine.restore(snapshot.state)
        return Resumed(snapshot.offset, exact=True)
    _LOG.warning("state is of other code or other rule settings: finding it again from record %d on", info.start)
    machine.adopt_registers(snapshot.state, info.start, info.first_ms or 0)
    return Resumed(info.start, exact=False)


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
        """Rebuild state up to the committed offset; return how many records were replayed.

        State of other code or other rule settings is not restored but found again from all the journal holds; what that finds
        active and the books do not know is raised. Raises EngineError when the journal ends before the books.
        """
        committed = self.committed = self._books.committed()
        self._join_journal(committed)
        resumed = resume(self._machine, self._snapshots, self._journal, committed.offset)
        active = self._replay(resumed.offset, committed.offset, progress)
        self._pending = Pending(max(committed.offset, resumed.offset), self.last_received_ms)
        if not resumed.exact and committed.offset:
            self._pending.findings += self._unknown_to_books(active, committed.offset)
        return max(0, committed.offset - resumed.offset)

    def _join_journal(self, committed: Committed) -> None:
        """Let a journal that was lost begin where the books are; one that only lost its end must be put aside by a person."""
        info = self._journal.info()
        if info.end >= committed.offset:
            return
        if info.end:
            raise EngineError(
                f"the journal ends at record {info.end}, but the books are at {committed.offset}: it is older than they are. "
                "Restore the journal that belongs to these books, or move journal.db away: a new one goes on from there",
            )
        _LOG.critical("the journal is gone: a new one begins at record %d", committed.offset)
        self._journal.begin_at(committed.offset, committed.counts.accounted)

    def _replay(self, start: int, end: int, progress: Callable[[int, int], None]) -> dict[tuple[str, str], Finding]:
        """Decide `[start, end)` again without committing; return what is active at the end, by rule and device."""
        active: dict[tuple[str, str], Finding] = {}
        for batch in batches(self._journal, start, end):
            for decoded in self._machine.decoder.decode(batch):
                for finding in self._machine.engine.process(decoded.segment):
                    if finding.action is Action.CLEAR:
                        active.pop((finding.rule, finding.device), None)
                    else:
                        active[finding.rule, finding.device] = finding
                self._outlet.contacts(decoded.segment.contacts)
            self.last_received_ms = batch.records[-1].received_ms
            progress(batch.end_offset - start, end - start)
        return active

    def _unknown_to_books(self, active: dict[tuple[str, str], Finding], offset: int) -> list[Finding]:
        """Return findings that bring the books up to other code: raise what they lack, end our own failures that are mended.

        What the books hold active and a replay does not find stays: its beginning may have been trimmed away. A person can
        put such an alarm out of service.
        """
        held = self._books.active_alarms()
        now = self.last_received_ms
        raised = [
            msgspec.structs.replace(finding, action=Action.RAISE, offset=offset, at_ms=now)
            for alarm, finding in active.items()
            if alarm not in held
        ]
        mended = [device for rule, device in sorted(held) if rule == BROKEN and (rule, device) not in active]
        return raised + [_mended(device, offset, now) for device in mended]

    def read(self, limit: int = 20_000) -> int:
        """Decide the next records; return how many there were. Call `commit` before the next `read` when `matters`."""
        batch, damage = read_on(self._journal, self.offset, limit)
        if damage is not None:
            self._give_up(damage)
            return damage.end - damage.offset
        if batch.records:
            self._decide(batch)
        return len(batch.records)

    def _give_up(self, damage: Damage) -> None:
        """Account for records that cannot be read any more, for everybody to see, and go on behind them."""
        _LOG.critical("%s; going on at record %d", damage.problem, damage.end)
        detail = f"{damage.problem}; {damage.messages} messages of devices are lost"
        pending, now = self._pending, self.last_received_ms
        pending.dead_letters.append(
            DeadLetter(
                offset=damage.offset, received_ms=now, topic="$journal", payload=b"", reason="damaged", detail=detail
            )
        )
        pending.counts += Counts(dead=damage.messages, control=damage.end - damage.offset - damage.messages)
        pending.end_offset = damage.end

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
        findings = [_signed(finding, self._snapshots.version) for finding in pending.findings]
        items = self._books.commit(
            Decided(pending.end_offset, pending.now_ms, findings, pending.dead_letters, pending.counts),
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
        except Exception:  # noqa: BLE001  a bug of ours; a snapshot only saves time at the next start, the service goes on
            _LOG.exception("no snapshot now")
            return False
        return True


def _signed(finding: Finding, version: str) -> Finding:
    """Return a finding that says by which rules, code and settings, it was decided: part of the evidence of an alarm."""
    if finding.action is Action.CLEAR:
        return finding
    return msgspec.structs.replace(finding, evidence=finding.evidence | {"rules_version": version})


def _mended(device: str, offset: int, now_ms: int) -> Finding:
    return Finding(
        offset=offset,
        rule=BROKEN,
        device=device,
        action=Action.CLEAR,
        severity=Severity.CRITICAL,
        at_ms=now_ms,
        event_ms=now_ms,
    )
