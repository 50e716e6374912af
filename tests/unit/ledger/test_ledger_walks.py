"""Random walks over both tables: whatever rules and people do, and in whatever order, the books stay true."""

import contextlib
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.errors import RefusedError
from domain.findings import Action, Finding, Severity
from ledger import alarming, casework
from ledger.alarm import AlarmEvent, AlarmState
from ledger.chain import verify
from ledger.hazard import Grade, HazardStep
from ledger.lifecycle import ALARM, HAZARD
from ledger.page import ENDED, Key, Page
from ledger.policy import RulePolicy

_KEYS = [Key(f"a/s/d{n}", code) for n in range(2) for code in ("G101", "G102")]
_POLICIES = {
    "G101": RulePolicy("G101", "高报", Grade.GENERAL, "GB/T 50493-2019"),
    "G102": RulePolicy("G102", "低报", None, "GB/T 50493-2019"),
}
_DATA: dict[str, dict[str, Any]] = {
    HazardStep.ASSIGN: {"assignee": "E-1", "due_ms": 5},
    HazardStep.REASSIGN: {"assignee": "E-2"},
}


class Walk(RuleBasedStateMachine):
    """A page as it grows over many transactions, and a plain model of what each rule said last."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.said: dict[Key, bool] = {}
        self.seen: dict[int, bool] = {}
        self.now = 1_772_337_600_000

    @rule(key=st.sampled_from(_KEYS), action=st.sampled_from(Action), severity=st.sampled_from(Severity))
    def finding(self, key: Key, action: Action, severity: Severity) -> None:
        self.now += 1
        found = Finding(
            offset=self.now,
            rule=key.rule,
            device=key.device,
            action=action,
            severity=severity,
            at_ms=self.now,
            event_ms=self.now,
        )
        alarming.record(self.page, found, _POLICIES)
        if action is not Action.CHANGE:
            self.said[key] = action is Action.RAISE
        if action is Action.RAISE and key in self.page.alarms:
            alarm = self.page.alarms[key]
            if self.page.transitions[-1].event is AlarmEvent.RAISE and alarm.state is AlarmState.ACTIVE_UNACKED:
                self.seen[alarm.id] = False

    @rule(data=st.data(), event=st.sampled_from(AlarmEvent))
    def operator(self, data: st.DataObject, event: AlarmEvent) -> None:
        if not self.page.written_alarms:
            return
        alarm = data.draw(st.sampled_from(list(self.page.written_alarms.values())))
        before = (len(self.page.transitions), len(self.page.feed), dict(self.page.written_alarms))
        try:
            alarming.act(
                self.page, alarm, event, by="user:li", at_ms=self.now, policy=None, reason="r", until_ms=self.now + 1
            )
        except RefusedError:
            assert before == (len(self.page.transitions), len(self.page.feed), self.page.written_alarms)
        else:
            self.seen[alarm.id] = event is AlarmEvent.ACKNOWLEDGE or self.seen.get(alarm.id, False)

    @rule(data=st.data(), step=st.sampled_from(HazardStep))
    def inspector(self, data: st.DataObject, step: HazardStep) -> None:
        if not self.page.written_hazards:
            return
        hazard = data.draw(st.sampled_from(list(self.page.written_hazards.values())))
        legal = step in HAZARD.allowed(hazard.state)
        said = {"due_ms": (hazard.due_ms or 0) + 1} if step is HazardStep.EXTEND else _DATA.get(step)
        with contextlib.suppress(RefusedError):
            casework.act(self.page, hazard, step, by="user:li", at_ms=self.now, basis="b", data=said)
            assert legal

    @invariant()
    def alarms_are_as_their_rules_said_last(self) -> None:
        for key, alarm in self.page.alarms.items():
            assert alarm.active is self.said[key]
            assert alarm.state is not AlarmState.CLOSED
        assert all(key in self.page.alarms for key, active in self.said.items() if active)

    @invariant()
    def no_alarm_closes_unseen(self) -> None:
        closed = [a for a in self.page.written_alarms.values() if a.state is AlarmState.CLOSED]
        assert all(self.seen[alarm.id] for alarm in closed)

    @invariant()
    def history_is_an_unbroken_legal_walk(self) -> None:
        last: dict[int, AlarmState] = {}
        for move in self.page.transitions:
            assert move.before == last.get(move.alarm)
            if move.before is not None:
                assert ALARM.table[move.before, move.event] is move.after
            last[move.alarm] = move.after
        assert last == {alarm.id: alarm.state for alarm in self.page.written_alarms.values()}

    @invariant()
    def chain_holds_and_one_hazard_is_open(self) -> None:
        page = self.page
        assert verify(page.events, page.anchor, page.written_hazards) == []
        still_open = [h for h in page.written_hazards.values() if h.state not in ENDED]
        assert len({(h.device, h.rule) for h in still_open}) == len(still_open) == len(page.hazards)


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=40, stateful_step_count=40)
