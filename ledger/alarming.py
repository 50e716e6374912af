"""What findings and operators do to alarms, written on a page of the books; grave alarms open hazards."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from domain.errors import InputError, RefusedError
from domain.findings import Action, Finding, Severity
from domain.places import DevicePath
from ledger import casework
from ledger.alarm import Alarm, AlarmEvent, AlarmState, AlarmTransition
from ledger.lifecycle import ALARM
from ledger.page import Key, Page
from ledger.policy import RulePolicy

LONGEST_SHELF_MS = 12 * 3_600_000
"""Shelving is for a shift, not for ever (domain-facts section 5: at most 8 to 12 h)."""
OPENS_HAZARD = Severity.HIGH
"""An alarm less grave than this opens no hazard whatever its rule (e.g. W104 while a certificate is only unverified)."""
_ASIDE = (AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE)


class _News(NamedTuple):
    """What a finding makes of an alarm: the alarm after it, the event of the table, and the kind of notice, if any."""

    alarm: Alarm
    event: AlarmEvent
    notice: str | None


def record(page: Page, finding: Finding, policies: Mapping[str, RulePolicy]) -> None:
    """Write what one finding means. A change or clear of what is not active means nothing and is ignored."""
    before = page.alarms.get(Key(finding.device, finding.rule))
    news = _news(page, before, finding)
    if news is None:
        return
    after = _with_hazard(page, news.alarm, policies.get(finding.rule), finding.at_ms)
    by = f"rule:{finding.rule}"
    page.write_alarm(after, _transition(page, before, after, news.event, by=by, offset=finding.offset), news.notice)


def _news(page: Page, alarm: Alarm | None, finding: Finding) -> _News | None:
    if alarm is None:
        return _born(page, finding) if finding.action is Action.RAISE else None
    if finding.action is Action.CLEAR:
        return _cleared(alarm, finding) if alarm.active else None
    return _raised(alarm, finding) if finding.action is Action.RAISE or alarm.active else None


def _born(page: Page, finding: Finding) -> _News:
    place = DevicePath(*finding.device.split("/"))
    alarm = Alarm(
        id=page.next_alarm(),
        rule=finding.rule,
        device=finding.device,
        area=place.area,
        site=place.site,
        severity=finding.severity,
        state=ALARM.start,
        active=True,
        acknowledged=False,
        raised_at_ms=finding.at_ms,
        event_ms=finding.event_ms,
        changed_at_ms=finding.at_ms,
        late=finding.late,
        evidence=finding.evidence,
    )
    return _News(alarm, AlarmEvent.RAISE, "alarm.raise")


def _raised(alarm: Alarm, finding: Finding) -> _News:
    """Reactivate, or change an active one. Graver than before counts as raised: somebody must look again."""
    graver = finding.severity < alarm.severity
    as_given = graver or finding.action is Action.CHANGE or not alarm.active
    event = AlarmEvent.RAISE if graver or not alarm.active else AlarmEvent.CHANGE
    notice = None
    if event is AlarmEvent.RAISE and alarm.state not in _ASIDE:
        notice = "alarm.change" if alarm.active else "alarm.raise"
    fields: dict[str, Any] = {
        "active": True,
        "severity": finding.severity if as_given else alarm.severity,
        "cycles": alarm.cycles + (not alarm.active),
        "cleared_at_ms": None,
        "event_ms": finding.event_ms,
        "late": finding.late,
        "evidence": finding.evidence or alarm.evidence,
    }
    return _News(_moved(alarm, event, finding.at_ms, fields), event, notice)


def _cleared(alarm: Alarm, finding: Finding) -> _News:
    """Clear; what the rule says at the end (a peak, a duration) is kept beside what raised the alarm."""
    said = {"clear": finding.evidence} if finding.evidence else {}
    fields = {"active": False, "cleared_at_ms": finding.at_ms, "evidence": {**alarm.evidence, **said}}
    notice = None if alarm.state in _ASIDE else "alarm.clear"
    return _News(_moved(alarm, AlarmEvent.CLEAR, finding.at_ms, fields), AlarmEvent.CLEAR, notice)


def _moved(alarm: Alarm, event: AlarmEvent, at_ms: int, fields: dict[str, Any]) -> Alarm:
    state = ALARM.step(alarm.state, event)
    acknowledged = state is AlarmState.ACTIVE_ACKED or state is AlarmState.CLOSED
    shelf: dict[str, Any] = {} if state in _ASIDE else {"shelved_until_ms": None, "shelve_reason": None}
    moved = {"state": state, "acknowledged": acknowledged, "changed_at_ms": at_ms, **shelf, **fields}
    return msgspec.structs.replace(alarm, **moved)


def _transition(
    page: Page,
    before: Alarm | None,
    after: Alarm,
    event: AlarmEvent,
    *,
    by: str,
    reason: str = "",
    offset: int | None = None,
) -> AlarmTransition:
    return AlarmTransition(
        id=page.next_transition(),
        alarm=after.id,
        at_ms=after.changed_at_ms,
        event=event,
        before=before.state if before else None,
        after=after.state,
        severity=after.severity,
        by=by,
        reason=reason,
        offset=offset,
    )


def _with_hazard(page: Page, alarm: Alarm, policy: RulePolicy | None, at_ms: int) -> Alarm:
    """Open the hazard that the rule's grade asks for, or join the open one of this device and rule."""
    grave = alarm.active and alarm.severity <= OPENS_HAZARD
    if not grave or policy is None or policy.grade is None:
        return alarm
    hazard = page.hazards.get(Key(alarm.device, alarm.rule))
    if hazard is None:
        hazard = casework.open_from_alarm(page, alarm, policy, policy.grade, at_ms)
    elif alarm.id not in hazard.alarms:
        hazard = casework.join(page, hazard, alarm, at_ms)
    return msgspec.structs.replace(alarm, hazard=hazard.id)


def act(
    page: Page,
    alarm: Alarm,
    event: AlarmEvent,
    *,
    by: str,
    at_ms: int,
    policy: RulePolicy | None,
    reason: str = "",
    until_ms: int | None = None,
) -> Alarm:
    """Write what an operator did and return the alarm; raises as `AlarmBook` says."""
    ALARM.step(alarm.state, event)
    fields = _asked(event, at_ms, policy, reason, until_ms)
    if event is AlarmEvent.ACKNOWLEDGE:
        fields["acknowledged_by"] = by
    after = _moved(alarm, event, at_ms, fields)
    back = event in (AlarmEvent.UNSHELVE, AlarmEvent.ENABLE)
    notice = f"alarm.{event}" if back and after.active else None
    page.write_alarm(after, _transition(page, alarm, after, event, by=by, reason=reason), notice)
    return _settle(page, after, by, at_ms) if back and not after.active else after


def _settle(page: Page, alarm: Alarm, by: str, at_ms: int) -> Alarm:
    """Back from the shelf, but what it warned of is over: it still waits for somebody to see it."""
    after = _moved(alarm, AlarmEvent.CLEAR, at_ms, {})
    page.write_alarm(after, _transition(page, alarm, after, AlarmEvent.CLEAR, by=by), None)
    return after


def _asked(
    event: AlarmEvent, at_ms: int, policy: RulePolicy | None, reason: str, until_ms: int | None
) -> dict[str, Any]:
    """Return what the event sets; refuse what may not be."""
    match event:
        case AlarmEvent.SHELVE:
            _check_shelf(at_ms, policy, until_ms)
            return {"shelved_until_ms": until_ms, "shelve_reason": _given(reason, event)}
        case AlarmEvent.DISABLE:
            return {"shelved_until_ms": None, "shelve_reason": _given(reason, event)}
        case AlarmEvent.RAISE | AlarmEvent.CHANGE | AlarmEvent.CLEAR:
            raise RefusedError(f"only a rule may {event} an alarm")
        case _:
            return {}


def _check_shelf(at_ms: int, policy: RulePolicy | None, until_ms: int | None) -> None:
    if policy is not None and not policy.shelvable:
        raise RefusedError(f"alarms of rule {policy.code} may not be shelved")
    if until_ms is None or not at_ms < until_ms <= at_ms + LONGEST_SHELF_MS:
        raise InputError("shelving needs an end within the next 12 hours")


def _given(reason: str, event: AlarmEvent) -> str:
    if not reason.strip():
        raise InputError(f"to {event} an alarm needs a reason")
    return reason
