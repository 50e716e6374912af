"""The promise of detectors/base.py, run on the whole engine and on every detector by itself.

How the journal is cut, when the process restarts and how long it runs must not change one byte of what is found.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.base import World
from detectors.build import build_engine
from detectors.catalogue import CATALOGUE
from detectors.engine import BROKEN, Engine
from domain.findings import Action, to_json_lines
from domain.readings import Quality

LENGTH = 250
BYTES_A_SLOT = 8_000
_seeds = st.integers(0, 10_000)
_offsets = st.frozensets(st.integers(1, LENGTH - 1), max_size=40)
_examples = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])

Maker = Callable[[], Engine]


@_examples
@given(seed=_seeds, cuts=_offsets)
def test_how_the_journal_is_cut_changes_nothing(bench: Any, maker: Maker, seed: int, cuts: frozenset[int]) -> None:
    """Findings are byte-identical, and scores equal, for whole, cut, and record-by-record segments."""
    records = bench.journal(seed, LENGTH)
    whole = bench.play(maker, records, frozenset())
    for other in (cuts, frozenset(range(LENGTH))):
        outcome = bench.play(maker, records, other)
        assert to_json_lines(outcome.findings) == to_json_lines(whole.findings)
        assert outcome.scores == whole.scores


@_examples
@given(seed=_seeds, cuts=_offsets, restarts=_offsets)
def test_a_restart_at_any_record_changes_nothing(
    bench: Any, maker: Maker, seed: int, cuts: frozenset[int], restarts: frozenset[int]
) -> None:
    """A snapshot, sent through bytes and restored into a fresh engine, goes on exactly as the old one would have."""
    records = bench.journal(seed, LENGTH)
    straight = bench.play(maker, records, frozenset())
    restarted = bench.play(maker, records, cuts, restarts)
    assert to_json_lines(restarted.findings) == to_json_lines(straight.findings)
    assert restarted.scores == straight.scores


@_examples
@given(seed=_seeds)
def test_alarms_are_raised_once_and_cleared_once(bench: Any, maker: Maker, seed: int) -> None:
    """Per device and rule: a raise only when quiet, a change or clear only while active, severity and code from the book."""
    active: set[tuple[str, str]] = set()
    for finding in bench.play(maker, bench.journal(seed, LENGTH), frozenset()).findings:
        key = (finding.device, finding.rule)
        assert (finding.action is Action.RAISE) == (key not in active), finding
        (active.discard if finding.action is Action.CLEAR else active.add)(key)
        assert finding.rule in CATALOGUE
        assert CATALOGUE[finding.rule].built
        assert finding.event_ms <= finding.at_ms


@_examples
@given(seed=_seeds)
def test_retained_messages_never_raise(bench: Any, maker: Maker, seed: int) -> None:
    """When all that devices said is retained, nothing is found but silence, age by the register, and what is ours to say."""
    retained = int(Quality.RETAINED)
    records = [
        replace(told, quality=retained, rows=tuple(row._replace(quality=retained) for row in told.rows))
        for told in bench.journal(seed, LENGTH)
    ]
    assert {f.rule for f in bench.play(maker, records, frozenset()).findings} <= {"D101", "D105", "D109", "D111"}


def test_memory_is_bounded_by_devices_not_by_records(bench: Any, maker: Maker) -> None:
    """Four thousand records of seven devices leave no more state than some kilobytes a device."""
    engine = maker()
    records = bench.journal(3, 4_000)
    for first, end in bench.pieces(records, frozenset()):
        engine.process(bench.segment_of(records, first, end, engine.world))
    parts = bench.frozen(engine.snapshot()["parts"])
    assert len(parts) < BYTES_A_SLOT * len(engine.world.slots)


def test_a_snapshot_shares_nothing_with_the_detector(bench: Any, maker: Maker) -> None:
    """What was taken stays as it was while the detector goes on."""
    engine = maker()
    records = bench.journal(5, LENGTH)
    ranges = bench.pieces(records, frozenset())
    for first, end in ranges[: len(ranges) // 2]:
        engine.process(bench.segment_of(records, first, end, engine.world))
    taken = engine.snapshot()
    before = bench.frozen(taken)
    for first, end in ranges[len(ranges) // 2 :]:
        engine.process(bench.segment_of(records, first, end, engine.world))
    assert bench.frozen(taken) == before


def test_the_random_district_makes_every_built_rule_speak(bench: Any, maker: Maker) -> None:
    """The contract is run on streams in which each rule of the detector under test raises at least once."""
    engine = maker()
    rules = {rule for part in engine._parts for rule in part.rules}
    spoken: set[str] = set()
    for seed in range(12):
        spoken |= {f.rule for f in bench.play(maker, bench.journal(seed, 600), frozenset()).findings}
    assert spoken == rules


@pytest.mark.parametrize("code", [code for code, rule in CATALOGUE.items() if rule.built and code != BROKEN])
def test_every_built_rule_has_a_detector(code: str) -> None:
    """What the catalogue calls built is found by some detector or correlator of build.py; BROKEN is the engine's own."""
    engine = build_engine(World())
    assert code in {rule for part in engine._parts for rule in part.rules}
