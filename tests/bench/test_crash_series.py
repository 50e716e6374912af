"""Claims about series of crash runs: they may be cut short at any time, and the totals forget nothing."""

from pathlib import Path

import pytest

from bench import crash


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the seeds that were run, by a stand-in that loses an alarm at seed 3."""
    seeds: list[int] = []

    def run(order: crash.Order, *, folder: Path | None = None) -> crash.Outcome:
        seeds.append(order.seed)
        missing = [("F101", "a/s/d")] if order.seed == 3 else []
        return crash.Outcome(
            order.protocol, order.seed, order.kills, order.broker_kills, 10, missing, [], 0, 100, 1, 0, 100, 1, 0, 0, 0
        )

    monkeypatch.setattr(crash, "run", run)
    return seeds


def orders(*seeds: int) -> list[crash.Order]:
    return [crash.Order(5, seed=seed) for seed in seeds]


def test_what_was_run_is_not_run_again(ran: list[int], tmp_path: Path) -> None:
    """A series goes on where it was cut short; another protocol or another number of kills is another run."""
    keep = tmp_path / "runs.jsonl"
    assert len(list(crash.series(orders(1, 2), keep, None))) == 2
    assert len(list(crash.series(orders(1, 2, 4), keep, None))) == 3
    assert len(list(crash.series([crash.Order(5, protocol="3.1.1", seed=1)], keep, None))) == 4
    assert ran == [1, 2, 4, 1]


def test_the_total_names_the_runs_that_broke_a_promise(ran: list[int]) -> None:
    """Counts are added; one missing alarm in any run spoils the whole."""
    total = crash.total(list(crash.series(orders(1, 2, 3), None, None)))
    assert (total["runs"], total["kills"], total["sent"], total["decoded"]) == (3, 15, 300, 300)
    assert total["missing"] == [("F101", "a/s/d")]
    assert (total["broken"], total["perfect"]) == ([3], False)
