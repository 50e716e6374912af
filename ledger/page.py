"""One page of the books: the part a transaction works on, and what it writes there.

A store opens a page with what stands in the database, the rules of the ledger write on it in memory, and the
store copies what was written back, all in one transaction. So the rules know no engine, and the store knows no rules.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from ledger.alarm import Alarm, AlarmState, AlarmTransition
from ledger.chain import GENESIS, Anchor, fold
from ledger.hazard import Hazard, HazardEvent, HazardState


class Key(NamedTuple):
    """What may have one open alarm and one open hazard: a device (`area/site/device`) and a rule."""

    device: str
    rule: str


class FeedDraft(NamedTuple):
    """A feed item that has no number yet."""

    at_ms: int
    kind: str
    body: dict[str, Any]


class NoticeDraft(NamedTuple):
    """A notice that has no number yet."""

    at_ms: int
    kind: str
    subject: str
    body: dict[str, Any]


ENDED = (HazardState.CLOSED, HazardState.ARCHIVED)
"""A hazard in any other state is open."""


@dataclass
class Page:
    """`alarms` and `hazards`: the open ones that matter here. `last_*`: the newest numbers given (by year for hazards)."""

    alarms: dict[Key, Alarm] = field(default_factory=dict)
    hazards: dict[Key, Hazard] = field(default_factory=dict)
    anchor: Anchor = GENESIS
    last_alarm: int = 0
    last_transition: int = 0
    last_hazard: dict[int, int] = field(default_factory=dict)

    written_alarms: dict[int, Alarm] = field(default_factory=dict)
    written_hazards: dict[str, Hazard] = field(default_factory=dict)
    new_alarms: set[int] = field(default_factory=set)
    new_hazards: set[str] = field(default_factory=set)
    transitions: list[AlarmTransition] = field(default_factory=list)
    events: list[HazardEvent] = field(default_factory=list)
    feed: list[FeedDraft] = field(default_factory=list)
    notices: list[NoticeDraft] = field(default_factory=list)

    def next_alarm(self) -> int:
        """Return the number of a new alarm."""
        self.last_alarm += 1
        self.new_alarms.add(self.last_alarm)
        return self.last_alarm

    def next_transition(self) -> int:
        """Return the number of a new transition."""
        self.last_transition += 1
        return self.last_transition

    def next_hazard(self, year: int) -> str:
        """Return the number of a new hazard; numbers are dense within a (local) year."""
        number = self.last_hazard[year] = self.last_hazard.get(year, 0) + 1
        name = f"ZH-{year}-{number:06d}"
        self.new_hazards.add(name)
        return name

    def write_alarm(self, alarm: Alarm, transition: AlarmTransition, notice: str | None) -> None:
        """Write the alarm as it now is, with the transition that made it so; `notice` is the kind of notice, if any."""
        key = Key(alarm.device, alarm.rule)
        self.written_alarms[alarm.id] = alarm
        if alarm.state is AlarmState.CLOSED:
            self.alarms.pop(key, None)
        else:
            self.alarms[key] = alarm
        self.transitions.append(transition)
        self._tell("alarm", alarm.changed_at_ms, f"alarm/{alarm.id}", alarm, notice)

    def write_event(self, hazard: Hazard | None, event: HazardEvent, *, notify: bool) -> Hazard:
        """Write one row of the chain and the hazard as it is after it; return that hazard."""
        after = fold(hazard, event)
        self.anchor = Anchor(event.sequence, event.hash)
        self.events.append(event)
        self.written_hazards[after.id] = after
        if after.device is not None and after.rule is not None:
            self._index(Key(after.device, after.rule), after)
        self._tell("hazard", event.at_ms, f"hazard/{after.id}", after, f"hazard.{event.event}" if notify else None)
        return after

    def _index(self, key: Key, hazard: Hazard) -> None:
        if hazard.state not in ENDED:
            self.hazards[key] = hazard
        elif key in self.hazards and self.hazards[key].id == hazard.id:
            del self.hazards[key]

    def _tell(self, kind: str, at_ms: int, subject: str, thing: Alarm | Hazard, notice: str | None) -> None:
        body = msgspec.json.decode(msgspec.json.encode(thing))
        self.feed.append(FeedDraft(at_ms, kind, body))
        if notice is not None:
            self.notices.append(NoticeDraft(at_ms, notice, subject, body))
