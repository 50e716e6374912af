"""What findings and operators do to alarms."""

from collections.abc import Callable, Mapping

import pytest

from domain.errors import IllegalTransitionError, InputError, RefusedError
from domain.findings import Action, Finding, Severity
from ledger import alarming
from ledger.alarm import Alarm, AlarmEvent, AlarmState
from ledger.page import Page
from ledger.policy import RulePolicy

Make = Callable[..., Finding]
Policies = Mapping[str, RulePolicy]
HOUR = 3_600_000


class Desk:
    """A page with a finding and an operator's hand on it."""

    def __init__(self, policies: Policies, make: Make) -> None:
        self.page = Page()
        self.policies = policies
        self.make = make

    def found(self, **fields: object) -> Alarm | None:
        finding = self.make(**fields)
        alarming.record(self.page, finding, self.policies)
        return self.alarm

    @property
    def alarm(self) -> Alarm | None:
        newest = max(self.page.written_alarms, default=None)
        return None if newest is None else self.page.written_alarms[newest]

    @property
    def state(self) -> AlarmState:
        assert self.alarm is not None
        return self.alarm.state

    def act(self, event: AlarmEvent, at_ms: int = 0, reason: str = "", until_ms: int | None = None) -> Alarm:
        assert self.alarm is not None
        policy = self.policies.get(self.alarm.rule)
        return alarming.act(
            self.page, self.alarm, event, by="user:li", at_ms=at_ms, policy=policy, reason=reason, until_ms=until_ms
        )

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.page.notices]


@pytest.fixture
def desk(policies: Policies, finding: Make) -> Desk:
    return Desk(policies, finding)


def test_raise_opens_one_alarm_with_its_transition_notice_and_feed(desk: Desk, noon: int) -> None:
    """A first raise is an alarm, one row of history, one notice, one feed item."""
    alarm = desk.found(rule="G102", severity=Severity.HIGH, offset=7)
    assert alarm is not None
    assert (alarm.state, alarm.active, alarm.acknowledged, alarm.cycles) == (AlarmState.ACTIVE_UNACKED, True, False, 1)
    assert (alarm.area, alarm.site, alarm.raised_at_ms) == ("weidong", "hotpot", noon)
    assert [(t.before, t.after, t.by, t.offset) for t in desk.page.transitions] == [
        (None, AlarmState.ACTIVE_UNACKED, "rule:G102", 7)
    ]
    assert desk.kinds() == ["alarm.raise"]
    assert [item.kind for item in desk.page.feed] == ["alarm"]


@pytest.mark.parametrize("action", [Action.CLEAR, Action.CHANGE])
def test_clear_or_change_of_nothing_is_ignored(desk: Desk, action: Action) -> None:
    """Without an open alarm, a clear or change writes nothing."""
    assert desk.found(action=action) is None
    assert desk.page.transitions == []


def test_cleared_alarm_waits_for_acknowledgement(desk: Desk) -> None:
    """Clear, then acknowledge closes; the key is free for a new alarm."""
    desk.found(rule="G102")
    desk.found(rule="G102", action=Action.CLEAR)
    assert desk.state is AlarmState.CLEARED_UNACKED
    assert desk.act(AlarmEvent.ACKNOWLEDGE).state is AlarmState.CLOSED
    assert desk.page.alarms == {}
    again = desk.found(rule="G102")
    assert again is not None
    assert (again.id, again.cycles) == (2, 1)


def test_acknowledged_alarm_closes_when_cleared(desk: Desk, noon: int) -> None:
    """Acknowledge, then clear closes, and remembers who and when."""
    desk.found(rule="G102")
    desk.act(AlarmEvent.ACKNOWLEDGE)
    alarm = desk.found(rule="G102", action=Action.CLEAR, at_ms=noon + 5, evidence={"peak": 60})
    assert alarm is not None
    assert (alarm.state, alarm.acknowledged, alarm.acknowledged_by) == (AlarmState.CLOSED, True, "user:li")
    assert alarm.cleared_at_ms == noon + 5
    assert (alarm.evidence["value"], alarm.evidence["clear"]) == (55.0, {"peak": 60})


def test_raise_again_reactivates_the_same_alarm(desk: Desk) -> None:
    """An alarm that chatters is one alarm with several cycles."""
    for action in (Action.RAISE, Action.CLEAR, Action.RAISE, Action.CLEAR, Action.RAISE):
        desk.found(rule="G102", action=action)
    assert desk.alarm is not None
    assert (desk.alarm.id, desk.alarm.cycles, desk.alarm.cleared_at_ms) == (1, 3, None)
    assert desk.state is AlarmState.ACTIVE_UNACKED


def test_rise_in_severity_asks_for_attention_again(desk: Desk) -> None:
    """An acknowledged alarm that becomes graver is unacknowledged, and people are told."""
    desk.found(rule="G102", severity=Severity.MEDIUM)
    desk.act(AlarmEvent.ACKNOWLEDGE)
    desk.found(rule="G102", severity=Severity.CRITICAL, action=Action.CHANGE)
    assert desk.state is AlarmState.ACTIVE_UNACKED
    assert desk.kinds() == ["alarm.raise", "alarm.change"]


def test_severity_falls_only_by_change(desk: Desk) -> None:
    """A milder raise of an active alarm keeps its severity; a change lowers it without bothering anybody."""
    desk.found(rule="G102", severity=Severity.CRITICAL)
    milder = desk.found(rule="G102", severity=Severity.MEDIUM)
    assert milder is not None
    assert milder.severity is Severity.CRITICAL
    changed = desk.found(rule="G102", severity=Severity.MEDIUM, action=Action.CHANGE)
    assert changed is not None
    assert changed.severity is Severity.MEDIUM
    assert desk.kinds() == ["alarm.raise"]


def test_clear_twice_is_said_once(desk: Desk) -> None:
    """A second clear writes nothing."""
    desk.found(rule="G102")
    desk.found(rule="G102", action=Action.CLEAR)
    desk.found(rule="G102", action=Action.CLEAR)
    assert len(desk.page.transitions) == 2


def test_shelf_keeps_quiet_but_keeps_count(desk: Desk, noon: int) -> None:
    """On the shelf raise and clear change `active` only, and nobody is told."""
    desk.found(rule="G102")
    desk.act(AlarmEvent.SHELVE, noon, "维修", noon + HOUR)
    for action, active in ((Action.CLEAR, False), (Action.RAISE, True)):
        alarm = desk.found(rule="G102", action=action)
        assert alarm is not None
        assert (alarm.state, alarm.active, alarm.shelve_reason) == (AlarmState.SHELVED, active, "维修")
    assert desk.kinds() == ["alarm.raise"]


@pytest.mark.parametrize(
    ("last", "state", "told"),
    [(Action.RAISE, AlarmState.ACTIVE_UNACKED, True), (Action.CLEAR, AlarmState.CLEARED_UNACKED, False)],
)
def test_nothing_ends_unseen_on_a_shelf(desk: Desk, noon: int, last: Action, state: AlarmState, *, told: bool) -> None:
    """Back from the shelf an alarm is unacknowledged, active or cleared as its rule said last."""
    desk.found(rule="G102")
    desk.act(AlarmEvent.ACKNOWLEDGE)
    desk.act(AlarmEvent.SHELVE, noon, "维修", noon + HOUR)
    desk.found(rule="G102", action=last)
    alarm = desk.act(AlarmEvent.UNSHELVE, noon + 5)
    assert (alarm.state, alarm.shelved_until_ms, alarm.acknowledged) == (state, None, False)
    assert ("alarm.unshelve" in desk.kinds()) is told


def test_out_of_service_and_back(desk: Desk) -> None:
    """Disabling needs a reason; enabling returns the alarm to the unacknowledged."""
    desk.found(rule="G102")
    with pytest.raises(InputError, match="reason"):
        desk.act(AlarmEvent.DISABLE)
    assert desk.act(AlarmEvent.DISABLE, reason="拆修").state is AlarmState.OUT_OF_SERVICE
    assert desk.act(AlarmEvent.ENABLE).state is AlarmState.ACTIVE_UNACKED


@pytest.mark.parametrize("until", [None, 0, 13 * HOUR])
def test_shelf_has_an_end_within_a_shift(desk: Desk, noon: int, until: int | None) -> None:
    """No end, an end now, or an end past 12 h is refused and changes nothing."""
    before = desk.found(rule="G102")
    with pytest.raises(InputError, match="12 hours"):
        desk.act(AlarmEvent.SHELVE, noon, "x", None if until is None else noon + until)
    assert desk.alarm == before


def test_unshelvable_rule_is_not_shelved(desk: Desk, noon: int) -> None:
    """A rule that guards lives cannot be put aside by an operator."""
    desk.found(rule="G101")
    with pytest.raises(RefusedError, match="G101"):
        desk.act(AlarmEvent.SHELVE, noon, "x", noon + HOUR)


@pytest.mark.parametrize("event", [AlarmEvent.RAISE, AlarmEvent.CHANGE, AlarmEvent.CLEAR])
def test_people_cannot_speak_for_a_rule(desk: Desk, event: AlarmEvent) -> None:
    """Raise, change and clear come from rules only."""
    desk.found()
    with pytest.raises(RefusedError, match="only a rule"):
        desk.act(event)


def test_illegal_step_changes_nothing(desk: Desk) -> None:
    """Acknowledging twice raises and writes nothing."""
    desk.found(rule="G102")
    desk.act(AlarmEvent.ACKNOWLEDGE)
    written = len(desk.page.transitions)
    with pytest.raises(IllegalTransitionError):
        desk.act(AlarmEvent.ACKNOWLEDGE)
    assert len(desk.page.transitions) == written


def test_grave_alarm_opens_a_hazard(desk: Desk) -> None:
    """A raise of a graded rule opens a clue that names rule, device, basis and alarm."""
    alarm = desk.found(rule="G101")
    assert alarm is not None
    assert alarm.hazard == "ZH-2026-000001"
    hazard = desk.page.written_hazards[alarm.hazard]
    assert (hazard.rule, hazard.basis, hazard.alarms, hazard.state) == ("G101", "GB/T 50493-2019", (1,), "clue")
    assert desk.kinds() == ["hazard.open", "alarm.raise"]


def test_next_alarm_joins_the_open_hazard(desk: Desk) -> None:
    """One hazard a device and rule: a later alarm is chained to the open one, once."""
    desk.found(rule="G101")
    desk.found(rule="G101", action=Action.CLEAR)
    desk.found(rule="G101")
    desk.found(rule="G101", action=Action.CLEAR)
    desk.act(AlarmEvent.ACKNOWLEDGE)
    second = desk.found(rule="G101")
    assert second is not None
    assert (second.id, second.hazard) == (2, "ZH-2026-000001")
    assert [e.event for e in desk.page.events] == ["open", "alarm"]
    assert desk.page.written_hazards["ZH-2026-000001"].alarms == (1, 2)


def test_mild_finding_of_a_graded_rule_opens_no_hazard_until_it_is_grave(desk: Desk) -> None:
    """W104 at severity 3 (certificate only unverified) is an alarm; lifted to 1 it is a hazard."""
    mild = desk.found(rule="W104", severity=Severity.MEDIUM)
    assert mild is not None
    assert mild.hazard is None
    grave = desk.found(rule="W104", severity=Severity.CRITICAL, action=Action.CHANGE)
    assert grave is not None
    assert grave.hazard == "ZH-2026-000001"


def test_unknown_rule_still_alarms(desk: Desk) -> None:
    """A rule the catalogue does not know raises its alarm, without a hazard."""
    alarm = desk.found(rule="Z999")
    assert alarm is not None
    assert alarm.hazard is None
