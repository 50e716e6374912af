"""Lifecycles are literal tables `{(state, event): state}`; this is the look-up, the two tables, and their diagrams."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar, cast

from domain.errors import IllegalTransitionError
from ledger.alarm import AlarmEvent as A
from ledger.alarm import AlarmState
from ledger.hazard import HazardState, HazardStep

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Lifecycle(Generic[S, E]):
    """A named table with the state a thing is born in."""

    name: str
    start: S
    table: Mapping[tuple[S, E], S]

    def step(self, state: S, event: str) -> S:
        """Return the state after `event`; raise IllegalTransitionError when the table has no such step."""
        key = cast("tuple[S, E]", (state, event))  # a StrEnum is found by its string
        if key not in self.table:
            raise IllegalTransitionError(self.name, state, event, self.allowed(state))
        return self.table[key]

    def states(self) -> tuple[S, ...]:
        """Return every state, in the order of its enumeration."""
        return tuple(type(self.start))

    def allowed(self, state: S) -> tuple[E, ...]:
        """Return the events that `state` has a step for, in table order."""
        return tuple(event for before, event in self.table if before == state)


def _alarm_table() -> dict[tuple[AlarmState, A], AlarmState]:
    s = AlarmState
    return {
        # Raised while active means: graver than before, so somebody must look again.
        (s.ACTIVE_UNACKED, A.RAISE): s.ACTIVE_UNACKED,
        (s.ACTIVE_UNACKED, A.CHANGE): s.ACTIVE_UNACKED,
        (s.ACTIVE_UNACKED, A.CLEAR): s.CLEARED_UNACKED,
        (s.ACTIVE_UNACKED, A.ACKNOWLEDGE): s.ACTIVE_ACKED,
        (s.ACTIVE_UNACKED, A.SHELVE): s.SHELVED,
        (s.ACTIVE_UNACKED, A.DISABLE): s.OUT_OF_SERVICE,
        (s.ACTIVE_ACKED, A.RAISE): s.ACTIVE_UNACKED,
        (s.ACTIVE_ACKED, A.CHANGE): s.ACTIVE_ACKED,
        (s.ACTIVE_ACKED, A.CLEAR): s.CLOSED,
        (s.ACTIVE_ACKED, A.SHELVE): s.SHELVED,
        (s.ACTIVE_ACKED, A.DISABLE): s.OUT_OF_SERVICE,
        (s.CLEARED_UNACKED, A.RAISE): s.ACTIVE_UNACKED,
        (s.CLEARED_UNACKED, A.ACKNOWLEDGE): s.CLOSED,
        (s.CLEARED_UNACKED, A.SHELVE): s.SHELVED,
        (s.CLEARED_UNACKED, A.DISABLE): s.OUT_OF_SERVICE,
        # Put aside: what the rule says is remembered in `active`. The way back always leads through "unacknowledged"
        # (and at once on to "cleared" when it is not active), so nothing ends unseen on a shelf.
        (s.SHELVED, A.RAISE): s.SHELVED,
        (s.SHELVED, A.CHANGE): s.SHELVED,
        (s.SHELVED, A.CLEAR): s.SHELVED,
        (s.SHELVED, A.UNSHELVE): s.ACTIVE_UNACKED,
        (s.SHELVED, A.DISABLE): s.OUT_OF_SERVICE,
        (s.OUT_OF_SERVICE, A.RAISE): s.OUT_OF_SERVICE,
        (s.OUT_OF_SERVICE, A.CHANGE): s.OUT_OF_SERVICE,
        (s.OUT_OF_SERVICE, A.CLEAR): s.OUT_OF_SERVICE,
        (s.OUT_OF_SERVICE, A.ENABLE): s.ACTIVE_UNACKED,
    }


def _hazard_table() -> dict[tuple[HazardState, HazardStep], HazardState]:
    s, e = HazardState, HazardStep
    return {
        (s.CLUE, e.VERIFY): s.VERIFIED,
        (s.CLUE, e.REFUTE): s.ARCHIVED,
        (s.VERIFIED, e.REGISTER): s.REGISTERED,
        (s.REGISTERED, e.ASSIGN): s.ASSIGNED,
        (s.ASSIGNED, e.ACCEPT): s.ACCEPTED,
        (s.ASSIGNED, e.DECLINE): s.REGISTERED,
        (s.ASSIGNED, e.REASSIGN): s.ASSIGNED,
        (s.ASSIGNED, e.EXTEND): s.ASSIGNED,
        (s.ACCEPTED, e.START): s.RECTIFYING,
        (s.ACCEPTED, e.REASSIGN): s.ASSIGNED,
        (s.ACCEPTED, e.EXTEND): s.ACCEPTED,
        (s.RECTIFYING, e.REQUEST_REVIEW): s.REVIEW_REQUESTED,
        (s.RECTIFYING, e.REASSIGN): s.ASSIGNED,
        (s.RECTIFYING, e.EXTEND): s.RECTIFYING,
        (s.REVIEW_REQUESTED, e.PASS_REVIEW): s.REVIEWED,
        (s.REVIEW_REQUESTED, e.RETURN_TO_RECTIFY): s.RECTIFYING,
        (s.REVIEWED, e.APPROVE): s.APPROVED,
        (s.REVIEWED, e.RETURN_TO_RECTIFY): s.RECTIFYING,
        (s.APPROVED, e.CLOSE): s.CLOSED,
        (s.APPROVED, e.RETURN_TO_RECTIFY): s.RECTIFYING,
        (s.CLOSED, e.REOPEN): s.RECTIFYING,
        **{(state, e.NOTE): state for state in HazardState},
    }


ALARM = Lifecycle("alarm", AlarmState.ACTIVE_UNACKED, _alarm_table())
"""After ISA-18.2 / IEC 62682."""
HAZARD = Lifecycle("hazard", HazardState.CLUE, _hazard_table())
"""What people may do to a hazard; what the books themselves write (`open`, `alarm`) changes no state."""


def diagram(life: Lifecycle[S, E], titles: Mapping[str, str]) -> str:
    """Return the table as a Mermaid state diagram; steps between the same two states share an arrow."""
    lines = ["stateDiagram-v2", f"    [*] --> {life.start}"]
    lines += [f"    {state}: {titles[state]} {state}" for state in life.states()]
    lines += [f"    {before} --> {after}: {events}" for before, after, events in _arrows(life, titles)]
    return "\n".join(lines)


def _arrows(life: Lifecycle[S, E], titles: Mapping[str, str]) -> Iterator[tuple[S, S, str]]:
    arrows: dict[tuple[S, S], list[str]] = {}
    for (before, event), after in life.table.items():
        arrows.setdefault((before, after), []).append(titles[event])
    for (before, after), events in arrows.items():
        yield before, after, " / ".join(events)
