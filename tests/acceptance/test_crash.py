"""The promise that carries the house: whatever kills us, every alarm of the truth is in the ledger exactly once."""

import pytest

from bench import crash

pytestmark = pytest.mark.mosquitto


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_kill_9_at_random_instants_loses_and_doubles_nothing(mosquitto_program: str, protocol: str) -> None:
    """Six kills while forty devices publish; `python -m bench.crash --kills N` does the same with any count."""
    outcome = crash.run(crash.Order(kills=6, protocol=protocol, devices=40, seed=20261123))
    assert outcome.perfect, outcome
    assert outcome.alarms == 70


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_is_killed_costs_no_alarm(mosquitto_program: str, protocol: str) -> None:
    """Three kills of the broker and two of us: it replays the old and has lost the newest, and each alarm comes once."""
    order = crash.Order(kills=2, broker_kills=3, protocol=protocol, devices=40, seed=7)
    outcome = crash.run(order)
    assert outcome.perfect, outcome
