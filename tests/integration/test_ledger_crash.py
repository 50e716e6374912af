"""Killed at any instant, the ledger is exactly as far as its committed offset: nothing lost, nothing doubled."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from domain.findings import Action, Finding, Severity
from ledger.alarm import AlarmFilter
from ledger.books import Counts, Decided
from ledger.hazard import Grade, HazardFilter
from ledger.policy import RulePolicy
from storage.sql.engine import open_engine
from storage.sql.ledger import SqlLedger
from storage.sql.migrate import upgrade

_POLICIES = {"G101": RulePolicy("G101", "可燃气体高报", Grade.GENERAL, "GB/T 50493-2019")}
_EACH = 5
"""Findings a commit."""


def _open(path: Path) -> SqlLedger:
    return SqlLedger(open_engine(f"sqlite:///{path}"), _POLICIES)


def _finding(offset: int) -> Finding:
    return Finding(
        offset=offset,
        rule="G101",
        device=f"a/s/d{offset}",
        action=Action.RAISE,
        severity=Severity.CRITICAL,
        at_ms=1_772_337_600_000 + offset,
        event_ms=1_772_337_600_000 + offset,
    )


def write_on(path: Path) -> None:
    """Commit for ever from where the ledger stands, saying each offset after its commit."""
    books = _open(path).books
    while True:
        start = books.committed().offset
        end = start + _EACH
        findings = [_finding(offset) for offset in range(start, end)]
        books.commit(Decided(end, findings[-1].at_ms, findings, counts=Counts(decoded=_EACH)))
        sys.stdout.write(f"{end}\n")
        sys.stdout.flush()


def _kill_after(path: Path, commits: int) -> int:
    """Let a process commit, kill -9 it after some commits; return the last offset it said."""
    command = [sys.executable, str(Path(__file__).resolve()), str(path)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=root, env={"PYTHONPATH": str(root)}
    ) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(commits)]
        process.kill()
        rest = process.stdout.read().splitlines(keepends=True)
    return int(([line for line in rest if line.endswith("\n")] or [str(said[-1])])[-1])


@pytest.mark.parametrize("seed", range(2))
def test_killed_ledger_holds_exactly_what_it_committed(tmp_path: Path, seed: int) -> None:
    """After each kill -9: one alarm, hazard and notice a finding below the offset, none past it, and the chain holds."""
    path = tmp_path / "emberwatch.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    chance = random.Random(seed)
    for _ in range(3):
        said = _kill_after(path, chance.randint(1, 12))
        ledger = _open(path)
        committed = ledger.books.committed()
        assert committed.offset >= said
        assert committed.counts == Counts(decoded=committed.offset)
        alarms = ledger.alarms.alarms(AlarmFilter(open_only=False, limit=10_000))
        assert [alarm.device for alarm in reversed(alarms)] == [f"a/s/d{n}" for n in range(committed.offset)]
        hazards = ledger.hazards.hazards(HazardFilter(limit=10_000))
        assert [hazard.alarms for hazard in reversed(hazards)] == [(n + 1,) for n in range(committed.offset)]
        assert ledger.outbox.outbox_counts()["waiting"] == 2 * committed.offset
        assert ledger.hazards.verify_chain() == []


if __name__ == "__main__":
    write_on(Path(sys.argv[1]))
