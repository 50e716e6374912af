"""Recovery: wherever the process dies, the books end as if it never had; history too."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.build import build_engine
from domain.changes import RegisterChange
from domain.errors import EngineError
from domain.findings import to_json_lines
from domain.readings import Contacts, Readings
from domain.records import REGISTER, START, TICK, Record
from emberwatch.history_feed import HistoryFeed
from emberwatch.pipeline import Machine, Pipeline
from emberwatch.snapshots import SnapshotStore
from emberwatch.stores import POLICIES
from ingest.decoding import Receipt
from ledger.alarm import AlarmFilter
from ledger.books import FeedItem
from ledger.hazard import HazardFilter
from simulators.districts import demo_registers
from simulators.scenario import generate, load_scenario
from storage.journals.memory import MemoryJournal
from storage.memory_history import MemoryHistory
from storage.sql.engine import open_engine
from storage.sql.ledger import SqlLedger
from storage.sql.migrate import upgrade

START_MS = 1_800_000_000_000
"""A fixed afternoon, so that the run is the same every day."""


class Sink:
    """Takes what the pipeline hands out and keeps only the readings."""

    def __init__(self) -> None:
        self.history: HistoryFeed | None = None

    def readings(self, first_offset: int, end_offset: int, readings: Readings) -> None:
        if self.history is not None:
            self.history.put(first_offset, end_offset, readings)

    def contacts(self, contacts: Contacts) -> None:
        pass

    def receipts(self, receipts: list[Receipt]) -> None:
        pass

    def feed(self, items: list[FeedItem]) -> None:
        pass


def new_machine() -> Machine:
    return Machine(build_engine)


def district_records() -> Iterator[Record]:
    """Yield a minute and a half of the demo district as the collector would have written it."""
    now = dt.datetime.fromtimestamp(START_MS / 1000, dt.UTC)
    entries = [entry for group in demo_registers(now.date(), now).values() for entry in group]
    changes = [RegisterChange(i, e.noun, e.key, e.projection()) for i, e in enumerate(entries, start=1)]
    yield Record(START_MS, START, b"")
    yield Record(START_MS, REGISTER, msgspec.json.encode(changes))
    ticked = START_MS
    for message in generate(load_scenario("demo"), START_MS, seconds=90):
        while ticked + 1000 <= message.at_ms:
            ticked += 1000
            yield Record(ticked, TICK, b"")
        yield Record(max(ticked, message.at_ms), message.topic, message.payload)


@pytest.fixture(scope="module")
def journal() -> MemoryJournal:
    filled = MemoryJournal()
    for record in district_records():
        filled.append([record])
    return filled


def books_at(file: Path) -> SqlLedger:
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    return SqlLedger(engine, POLICIES)


def contents(ledger: SqlLedger) -> Any:
    alarms = ledger.alarms.alarms(AlarmFilter(open_only=False, limit=10_000))
    hazards = ledger.hazards.hazards(HazardFilter(open_only=False, limit=10_000))
    chains = [ledger.hazards.hazard_events(hazard.id) for hazard in hazards]
    letters = ledger.dead_letters.dead_letters(limit=10_000)
    return alarms, hazards, chains, letters, ledger.books.committed()


def run_to_the_end(pipeline: Pipeline, limit: int = 20_000) -> None:
    while pipeline.read(limit):
        pipeline.commit()


@pytest.fixture(scope="module")
def undisturbed(journal: MemoryJournal, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("undisturbed")
    ledger = books_at(folder / "books.db")
    pipeline = Pipeline(journal, new_machine(), ledger.books, SnapshotStore(folder, "1"), Sink())
    pipeline.recover()
    run_to_the_end(pipeline)
    return contents(ledger)


def test_the_demo_shows_what_it_promises(undisturbed: Any) -> None:
    """Within a minute and a half: leak, strangers, uncertified and expired welders, fire, silence, a dead letter."""
    alarms, hazards, _chains, letters, committed = undisturbed
    assert {"G101", "G102", "W101", "W103", "W104", "F101", "D101"} <= {alarm.rule for alarm in alarms}
    assert {"G101", "W101", "W103", "F101"} <= {hazard.rule for hazard in hazards}
    assert letters
    assert committed.counts.decoded > 100


def test_every_alarm_says_by_which_rules_it_was_decided(undisturbed: Any) -> None:
    """Version of the code and of the rule settings: what was shown can be found again by the same rules."""
    alarms, *_ = undisturbed
    assert {alarm.evidence["rules_version"] for alarm in alarms} == {"1"}


steps = st.tuples(st.sampled_from(["read", "read", "commit", "save"]), st.integers(1, 400))
lives = st.lists(st.lists(steps, min_size=1, max_size=8), max_size=6)


@settings(max_examples=15)
@given(lives=lives)
def test_dying_anywhere_changes_nothing(
    journal: MemoryJournal,
    undisturbed: Any,
    tmp_path_factory: pytest.TempPathFactory,
    lives: list[list[tuple[str, int]]],
) -> None:
    """Reads of any size, commits and snapshots at any point, deaths in between: the books end byte for byte the same."""
    folder = tmp_path_factory.mktemp("killed")
    ledger, snapshots = books_at(folder / "books.db"), SnapshotStore(folder, "1")
    for life in [*lives, []]:
        pipeline = Pipeline(journal, new_machine(), ledger.books, snapshots, Sink())
        pipeline.recover()
        for step, size in life:
            if step == "read":
                pipeline.read(size)
            else:
                pipeline.commit()
            if step == "save":
                assert pipeline.save()
    run_to_the_end(pipeline)
    assert contents(ledger) == undisturbed


class Flaky:
    """Books that fail every second commit, before or after doing it."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._books = ledger.books
        self._turn = 0

    def committed(self) -> Any:
        return self._books.committed()

    def active_alarms(self) -> Any:
        return self._books.active_alarms()

    def commit(self, decided: Any) -> Any:
        self._turn += 1
        if self._turn % 4 == 1:
            raise EngineError("down before")
        items = self._books.commit(decided)
        if self._turn % 4 == 3:
            raise EngineError("down after")
        return items


def test_a_commit_that_fails_is_made_later_and_once(journal: MemoryJournal, undisturbed: Any, tmp_path: Path) -> None:
    """Even when it did happen and only the answer was lost."""
    ledger = books_at(tmp_path / "books.db")
    pipeline = Pipeline(journal, new_machine(), Flaky(ledger), SnapshotStore(tmp_path, "1"), Sink())
    pipeline.recover()
    while pipeline.read(50):
        committed = False
        while not committed:
            try:
                pipeline.commit()
                committed = True
            except EngineError:
                continue
    assert contents(ledger) == undisturbed


class Sleepy(MemoryHistory):
    """A history store that is down until it is woken."""

    def __init__(self) -> None:
        super().__init__()
        self.down = True

    def write(self, *arguments: Any) -> None:
        if self.down:
            raise EngineError("down")
        super().write(*arguments)


def curves(history: MemoryHistory) -> dict[tuple[str, str], tuple[list[int], list[float]]]:
    found = {}
    for device in ("nanhuan/hotpot-1/hotpot-ch4-1", "mazhuang/mall-1/mall-smoke-2"):
        for measurand in history.latest(device):
            series = history.series(device, measurand, 0, START_MS * 2, 100_000)
            found[device, measurand] = (series.time_ms.tolist(), series.value.tolist())
    return found


@pytest.mark.parametrize("lost_queue", [False, True])
def test_history_catches_up_after_being_down(
    journal: MemoryJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, lost_queue: bool
) -> None:
    """From its queue, or from the journal when the queue was too short: no reading missing, none twice."""
    if lost_queue:
        monkeypatch.setattr("emberwatch.history_feed._MOST_QUEUED", 50)
    reference, late = MemoryHistory(), Sleepy()
    for history in (reference, late):
        _fill(history, journal, tmp_path / type(history).__name__)
    assert curves(late) == curves(reference)
    assert curves(late)
    assert late.offset() == reference.offset()


def _fill(history: MemoryHistory, journal: MemoryJournal, folder: Path) -> None:
    folder.mkdir()
    failures: list[BaseException] = []
    snapshots, sink = SnapshotStore(folder, "1"), Sink()
    pipeline = Pipeline(journal, new_machine(), books_at(folder / "books.db").books, snapshots, sink)
    pipeline.recover()
    sink.history = HistoryFeed(history, journal, snapshots, new_machine, pipeline.world.slots.paths, failures.append)
    sink.history.start(pipeline.offset)
    run_to_the_end(pipeline, limit=50)
    if isinstance(history, Sleepy):
        history.down = False
    sink.history.stop()
    assert failures == []


def findings_by(stride: int, journal: MemoryJournal) -> bytes:
    machine, found, offset = new_machine(), [], 0
    while (batch := journal.read(offset, stride)).records:
        for decoded in machine.decoder.decode(batch):
            found += machine.engine.process(decoded.segment)
        offset = batch.end_offset
    return to_json_lines(found)


def test_the_same_records_give_the_same_bytes_however_they_are_read(journal: MemoryJournal) -> None:
    """Findings are a function of the journal alone."""
    assert findings_by(7, journal) == findings_by(1000, journal) == findings_by(1000, journal) != b""
