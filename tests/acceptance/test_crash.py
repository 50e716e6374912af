"""The promise that carries the house: whatever kills us, every alarm of the truth is in the ledger exactly once."""

import pytest

from bench import crash


@pytest.mark.mosquitto
def test_kill_9_at_random_instants_loses_and_doubles_nothing(mosquitto_program: str) -> None:
    """Six kills while forty devices publish; `python -m bench.crash --kills N` does the same with any count."""
    outcome = crash.run(kills=6, devices=40, seed=20261123)
    assert outcome.perfect, outcome
    assert outcome.alarms == 70
