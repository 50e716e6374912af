"""The tables: complete, reachable, and strict."""

from enum import StrEnum
from typing import Any

import pytest

from domain.errors import IllegalTransitionError
from ledger.alarm import AlarmEvent, AlarmState
from ledger.hazard import HazardState, HazardStep
from ledger.lifecycle import ALARM, HAZARD, Lifecycle, diagram

_BOTH = pytest.mark.parametrize("life", [ALARM, HAZARD], ids=["alarm", "hazard"])


def _reachable(life: Lifecycle[Any, Any]) -> set[StrEnum]:
    seen = {life.start}
    while True:
        more = {after for (before, _), after in life.table.items() if before in seen} - seen
        if not more:
            return seen
        seen |= more


@_BOTH
def test_every_state_can_be_reached(life: Lifecycle[Any, Any]) -> None:
    """From birth, some steps lead to each state."""
    assert _reachable(life) == set(life.states())


@_BOTH
def test_step_is_legal_exactly_when_the_table_has_it(life: Lifecycle[Any, Any]) -> None:
    """Every pair of state and event either moves as the table says or raises and names what is allowed."""
    events = {event for _, event in life.table}
    for state in life.states():
        for event in events:
            if (state, event) in life.table:
                assert life.step(state, event) is life.table[state, event]
            else:
                with pytest.raises(IllegalTransitionError) as caught:
                    life.step(state, event)
                assert set(caught.value.allowed) == {e for s, e in life.table if s == state}


def test_event_may_be_its_plain_word() -> None:
    """A request carries the event as text; an unknown word is an illegal step, not a crash."""
    assert HAZARD.step(HazardState.CLUE, "verify") is HazardState.VERIFIED
    with pytest.raises(IllegalTransitionError, match="sing"):
        HAZARD.step(HazardState.CLUE, "sing")


def test_alarm_closes_only_when_somebody_has_seen_it() -> None:
    """The ways into `closed` are an acknowledgement, or the clearing of what was acknowledged."""
    ways = {(before, event) for (before, event), after in ALARM.table.items() if after is AlarmState.CLOSED}
    assert ways == {
        (AlarmState.ACTIVE_ACKED, AlarmEvent.CLEAR),
        (AlarmState.CLEARED_UNACKED, AlarmEvent.ACKNOWLEDGE),
    }


def test_rules_may_speak_of_every_open_alarm() -> None:
    """Raise is legal in every open state, so a finding is never refused."""
    assert all((state, AlarmEvent.RAISE) in ALARM.table for state in AlarmState if state is not AlarmState.CLOSED)


def test_hazard_walks_the_whole_road() -> None:
    """线索→核实→登记定级→交办→签收→整改→申请复查→复查→部门审核→销号."""
    road = ("verify", "register", "assign", "accept", "start", "request_review", "pass_review", "approve", "close")
    state = HAZARD.start
    for step in road:
        state = HAZARD.step(state, step)
    assert state is HazardState.CLOSED


@pytest.mark.parametrize("state", [HazardState.REVIEW_REQUESTED, HazardState.REVIEWED, HazardState.APPROVED])
def test_every_examiner_may_send_back(state: HazardState) -> None:
    """From review on, each stage may return the hazard to rectification."""
    assert HAZARD.step(state, HazardStep.RETURN_TO_RECTIFY) is HazardState.RECTIFYING


@_BOTH
def test_diagram_draws_every_step_once(life: Lifecycle[Any, Any]) -> None:
    """Each pair of states has one arrow that carries all its events."""
    titles = {word: word for word in (*life.states(), *(event for _, event in life.table))}
    arrows = [line.strip() for line in diagram(life, titles).splitlines() if "-->" in line and "[*]" not in line]
    drawn = {(a.split(" --> ")[0], *a.split(" --> ")[1].split(": ")) for a in arrows}
    assert len(arrows) == len({(before, after) for (before, _), after in life.table.items()})
    assert sum(len(events.split(" / ")) for _, _, events in drawn) == len(life.table)
