"""What a restart must survive besides a kill: a lost or damaged journal, other code, a rule with a bug."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detectors.base import Output, World
from detectors.build import build_engine
from detectors.engine import Engine
from domain.changes import RegisterChange
from domain.errors import EngineError
from domain.findings import Action
from domain.readings import Contacts, Readings
from domain.records import REGISTER, START, TICK, Journal, Record
from emberwatch.pipeline import Machine, Pipeline
from emberwatch.snapshots import SnapshotStore
from emberwatch.stores import POLICIES
from ingest.decoding import Receipt
from ledger.alarm import AlarmFilter
from ledger.books import FeedItem
from registers.device import Device, DeviceKind, DeviceModel
from registers.place import Area, Site
from storage.journals.memory import MemoryJournal
from storage.journals.sqlite import SqliteJournal
from storage.sql.engine import open_engine
from storage.sql.ledger import SqlLedger
from storage.sql.migrate import upgrade

MINUTE = 60_000
NOON = 1_800_000_000_000
TELEMETRY = "safety/v1/a/s/d/telemetry"
EVENT = "safety/v1/a/s/d/event"
FULL_OF_GAS = Record(NOON + MINUTE, TELEMETRY, b'{"v": {"ch4_lel": 60.0}}')
FIRE = Record(NOON + 2 * MINUTE, EVENT, b'{"type": "fire.alarm", "data": {"point": "smoke"}}')


class Deaf:
    """Takes what the pipeline hands out and forgets it."""

    def readings(self, first_offset: int, end_offset: int, readings: Readings) -> None: ...
    def contacts(self, contacts: Contacts) -> None: ...
    def receipts(self, receipts: list[Receipt]) -> None: ...
    def feed(self, items: list[FeedItem]) -> None: ...


class House:
    """Books and snapshots that outlive the pipelines run on them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        engine = open_engine(f"sqlite:///{folder / 'books.db'}")
        upgrade(engine)
        self.ledger = SqlLedger(engine, POLICIES)

    def run(
        self,
        journal: Journal,
        version: str = "1",
        build: Callable[[World], Engine] = build_engine,
        *,
        save: bool = True,
    ) -> None:
        pipeline = Pipeline(
            journal, Machine(build), self.ledger.books, SnapshotStore(self._folder / "snapshots", version), Deaf()
        )
        pipeline.recover()
        while pipeline.read():
            pipeline.commit()
        if save:
            assert pipeline.save()

    def alarms(self) -> dict[str, int]:
        return {a.rule: a.cycles for a in self.ledger.alarms.alarms(AlarmFilter(limit=1000)) if a.active}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def registers() -> Record:
    entries = (
        Area(code="a", name="a"),
        Site(code="s", name="s", area="a"),
        DeviceModel(code="m", name="m", kind=DeviceKind.GAS, measurand="ch4_lel", interval_s=60),
        Device(code="d", site="s", model="m"),
    )
    changes = [RegisterChange(i, e.noun, e.key, e.projection()) for i, e in enumerate(entries, start=1)]
    return Record(NOON, REGISTER, msgspec.json.encode(changes))


def filled(journal: Any, *records: Record) -> Any:
    for record in (Record(NOON, START, b""), registers(), *records):
        journal.append([record])
    return journal


def test_a_lost_journal_goes_on_where_the_books_are(house: House) -> None:
    """The service is not deaf for as long as the old journal was long."""
    house.run(filled(MemoryJournal(), FULL_OF_GAS))
    fresh = MemoryJournal()
    house.run(fresh)
    fresh.append([FIRE])
    house.run(fresh)
    assert {"G101", "F101"} <= house.alarms().keys()
    counts = house.ledger.books.committed().counts
    assert fresh.info().device_records == counts.accounted == 2


def test_a_journal_older_than_the_books_is_refused_with_advice(house: House) -> None:
    """A backup of another day must not be read as today's."""
    house.run(filled(MemoryJournal(), FULL_OF_GAS, FIRE))
    with pytest.raises(EngineError, match=r"move journal\.db away"):
        house.run(filled(MemoryJournal()))


def test_one_damaged_batch_does_not_silence_what_came_after(house: House, tmp_path: Path) -> None:
    """It is counted and shown as lost; the fire behind it alarms."""
    journal = filled(SqliteJournal(tmp_path / "journal.db"), FULL_OF_GAS, FIRE)
    journal.close()
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        raw.execute("UPDATE batch SET checksum = checksum + 1 WHERE first = 2")
    raw.close()
    house.run(SqliteJournal(tmp_path / "journal.db"))
    assert "F101" in house.alarms()
    assert "G101" not in house.alarms()
    (letter,) = house.ledger.dead_letters.dead_letters()
    assert (letter.offset, letter.reason) == (2, "damaged")
    counts = house.ledger.books.committed().counts
    assert (counts.decoded, counts.dead) == (1, 1)


def test_other_code_finds_the_state_again_with_the_registers_it_had(house: House) -> None:
    """After an upgrade with a trimmed journal a registered device is no stranger, and its standing alarm comes once."""
    journal = filled(MemoryJournal(), FULL_OF_GAS)
    house.run(journal)
    before = house.alarms()
    journal.append([Record(NOON + 2 * MINUTE, TELEMETRY, b'{"v": {"ch4_lel": 61.0}}')])
    journal.trim(3)
    house.run(journal, version="2")
    assert house.alarms() == before
    assert "D102" not in before


def test_what_other_code_finds_and_the_books_lack_is_raised(house: House) -> None:
    """A rule that is new sees what stands since before the upgrade."""

    def without_gas(world: World) -> Engine:
        engine = build_engine(world)
        kept = [d for d in engine._detectors if "G101" not in d.rules]
        return Engine(world, kept, engine._correlators)

    journal = filled(MemoryJournal(), FULL_OF_GAS)
    house.run(journal, build=without_gas)
    assert "G101" not in house.alarms()
    journal.append([Record(NOON + 3 * MINUTE, TICK, b"")])
    house.run(journal, version="2")
    assert house.alarms()["G101"] == 1


class Faulty:
    """A detector with a bug that shows on a fire."""

    rules: tuple[str, ...] = ("G104",)

    def observe(self, segment: Any, world: World) -> Output:
        if any(signal.type == "fire.alarm" for signal in segment.signals):
            raise ZeroDivisionError
        return Output()

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    started = tick

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        return Output()

    def snapshot(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None: ...


def with_a_bug(world: World) -> Engine:
    engine = build_engine(world)
    kept = [d for d in engine._detectors if "G104" not in d.rules]
    return Engine(world, [Faulty(), *kept], engine._correlators)


def test_a_rule_with_a_bug_is_left_out_and_said_so(house: House) -> None:
    """The fire that triggers the bug alarms all the same, once, at this start and at the next; an upgrade ends the word."""
    journal = filled(MemoryJournal(), FIRE)
    for _ in range(2):
        house.run(journal, build=with_a_bug)
        assert {"F101": 1, "D110": 1}.items() <= house.alarms().items()
    journal.append([Record(NOON + 3 * MINUTE, TICK, b"")])
    house.run(journal, version="2")
    assert "D110" not in house.alarms()
    assert house.alarms()["F101"] == 1


def test_findings_before_a_register_change_are_judged_by_the_registers_of_their_time() -> None:
    """However the records are cut: fire and gas at one site, then a change, is X103."""
    moved = RegisterChange(99, "site", "s", None)
    change = Record(NOON + 3 * MINUTE, REGISTER, msgspec.json.encode([moved]))

    def found(stride: int) -> set[tuple[str, Action]]:
        journal, machine, offset = filled(MemoryJournal(), FULL_OF_GAS, FIRE, change), Machine(build_engine), 0
        seen = set()
        while (batch := journal.read(offset, stride)).records:
            for decoded in machine.decoder.decode(batch):
                seen |= {(f.rule, f.action) for f in machine.engine.process(decoded.segment)}
            offset = batch.end_offset
        return seen

    assert found(1) == found(1000)
    assert ("X103", Action.RAISE) in found(1000)
