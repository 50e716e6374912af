"""Every scenario, played through decoder and detectors without a broker: what its truth names is found, and nothing else grave.

This is the one test in which the simulators' physics and the rules' arithmetic, written apart, must agree.
"""

import datetime as dt
import heapq
from collections.abc import Iterator
from functools import cache

import msgspec
import pytest

from detectors.base import World
from detectors.build import build_engine
from domain.changes import RegisterChange
from domain.findings import Action, Finding, Severity
from domain.records import REGISTER, START, TICK, Record, RecordBatch
from ingest.decoding import Decoder
from registers.view import LOCAL
from simulators.districts import demo_registers
from simulators.fleet import Fleet
from simulators.scenario import Scenario, TruthRow, generate, load_scenario, scenario_names, truth

# A Monday morning: work by daylight needs no higher permit.
BEGIN = dt.datetime(2026, 3, 2, 9, 0, tzinfo=LOCAL)
START_MS = int(BEGIN.timestamp() * 1000)
SECONDS = {"demo": 420.0}
AFTER_MS = 60_000

# Alarms that follow from an expected one and are true as well, so that they are no false alarms.
COMPANIONS = {"G102": {"G104", "G105"}, "G101": {"G104", "G105"}, "W101": {"D102"}, "F101": {"F103", "F104"}}


def registers(scenario: Scenario) -> Record:
    nouns = demo_registers(BEGIN.date(), BEGIN)
    if any(path.startswith("fleet/") for path in scenario.devices):
        nouns = Fleet(count=len(scenario.devices), interval_s=2.0).registers()
    present = {path.rpartition("/")[2] for path in scenario.devices}
    rows = [(noun, e) for noun, entries in nouns.items() for e in entries if noun != "device" or e.key in present]
    changes = [RegisterChange(i, noun, e.key, e.projection()) for i, (noun, e) in enumerate(rows, 1)]
    return Record(START_MS, REGISTER, msgspec.json.encode(changes))


def records(name: str) -> Iterator[Record]:
    """Yield what the journal would hold: a start, the registers, then messages and a tick every second."""
    scenario = load_scenario(name)
    seconds = SECONDS.get(name, scenario.duration_s)
    assert seconds is not None
    yield Record(START_MS, START, b"")
    yield registers(scenario)
    said = (Record(m.at_ms, m.topic, m.payload) for m in generate(scenario, START_MS, seconds=seconds))
    ticks = (Record(START_MS + 1000 * second, TICK, b"") for second in range(1, int(seconds)))
    yield from heapq.merge(said, ticks, key=lambda record: record.received_ms)


@cache
def findings(name: str) -> list[Finding]:
    world = World()
    engine = build_engine(world)
    view = world.view
    decoder = Decoder(world.slots, is_registered=lambda device: bool(view.device(device) or view.machine(device)))
    batch = RecordBatch(0, list(records(name)))
    return [finding for decoded in decoder.decode(batch) for finding in engine.process(decoded.segment)]


def expected(name: str) -> list[TruthRow]:
    return truth(load_scenario(name), START_MS, seconds=SECONDS.get(name))


def raised(name: str) -> list[Finding]:
    return [finding for finding in findings(name) if finding.action is Action.RAISE]


@pytest.mark.parametrize("name", scenario_names())
def test_everything_the_truth_names_is_raised_exactly_once(name: str) -> None:
    """Each row has one alarm of its rule at its device, from its start until a minute after its end."""
    for row in expected(name):
        window = range(row.start_ms, row.end_ms + AFTER_MS)
        hits = [f for f in raised(name) if (f.rule, f.device) == (row.rule, row.device) and f.at_ms in window]
        assert len(hits) == 1, row


@pytest.mark.parametrize("name", scenario_names())
def test_nothing_is_raised_that_the_truth_does_not_name(name: str) -> None:
    """Cooking, lawful welding, rubbish and repeats raise no alarm; notices are not counted."""
    named = {(row.device, rule) for row in expected(name) for rule in {row.rule} | COMPANIONS.get(row.rule, set())}
    grave = {(f.device, f.rule) for f in raised(name) if f.severity < Severity.NOTICE}
    assert grave - named == set()
