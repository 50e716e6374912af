"""Alarms: what is wrong now, what was, and what an operator may do about it."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.context import Ctx, Svc
from api.curves import device_curves
from api.directory import facts
from api.guard import Operator
from api.models.alarms import Acknowledge, AlarmDetail, AlarmPage, AlarmTransitionView, AlarmView, Because, Shelve
from api.models.base import GivenId, GivenMs
from api.models.rules import RuleView
from detectors.catalogue import CATALOGUE
from domain.findings import Severity
from ledger.alarm import Alarm, AlarmEvent, AlarmFilter
from ledger.lifecycle import ALARM

router = APIRouter(prefix="/alarms", tags=["alarms 报警"])

_BY_RULES = frozenset({AlarmEvent.RAISE, AlarmEvent.CHANGE, AlarmEvent.CLEAR})


@router.get("", summary="报警列表")
def list_alarms(
    services: Svc,
    *,
    open_only: bool = True,
    rule: Annotated[list[str], Query(max_length=50)] = [],  # noqa: B006  FastAPI copies it
    severity: Annotated[list[Severity], Query(max_length=4)] = [],  # noqa: B006  FastAPI copies it
    area: str | None = None,
    site: str | None = None,
    device: Annotated[str | None, Query(description="area/site/device")] = None,
    from_ms: GivenMs | None = None,
    to_ms: GivenMs | None = None,
    before_id: GivenId | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AlarmPage:
    """List alarms, newest first; by default those still open."""
    wanted = AlarmFilter(
        open_only=open_only,
        rules=tuple(rule),
        severities=tuple(int(s) for s in severity),
        area=area,
        site=site,
        device=device,
        from_ms=from_ms,
        to_ms=to_ms,
        before_id=before_id,
        limit=limit,
    )
    found = services.alarms.alarms(wanted)
    more = found[-1].id if len(found) == limit else None
    return AlarmPage(items=[AlarmView.of(alarm) for alarm in found], next_before_id=more)


@router.get("/{alarm_id}", summary="报警详情")
def get_alarm(context: Ctx, alarm_id: GivenId) -> AlarmDetail:
    """Give one alarm with its history, the device's readings around the event, and what may be done now."""
    services = context.services
    alarm = services.alarms.alarm(alarm_id)
    rule = CATALOGUE.get(alarm.rule)
    curves = device_curves(services.history, alarm)
    with context.directory.reading() as view:
        device = facts(view, alarm.device)
    return AlarmDetail(
        alarm=AlarmView.of(alarm),
        rule=RuleView.of(rule) if rule else None,
        transitions=[AlarmTransitionView.of(row) for row in services.alarms.alarm_history(alarm_id)],
        device=device,
        allowed=_allowed(alarm),
        curves=curves or [],
        curves_ok=curves is not None,
    )


def _allowed(alarm: Alarm) -> list[AlarmEvent]:
    """Return what a person may do: rules raise and clear by themselves, and some rules may never be put aside."""
    rule = CATALOGUE.get(alarm.rule)
    refused = _BY_RULES if rule is None or rule.shelvable else _BY_RULES | {AlarmEvent.SHELVE}
    return [event for event in ALARM.allowed(alarm.state) if event not in refused]


@router.post("/{alarm_id}/acknowledge", summary="确认报警", response_model=AlarmView)
def acknowledge_alarm(services: Svc, who: Operator, alarm_id: GivenId, body: Acknowledge) -> Alarm:
    """Say that somebody has taken notice."""
    return services.alarms.act_on_alarm(
        alarm_id, AlarmEvent.ACKNOWLEDGE, by=who.by, at_ms=services.clock_ms(), reason=body.reason
    )


@router.post("/{alarm_id}/shelve", summary="搁置报警", response_model=AlarmView)
def shelve_alarm(services: Svc, who: Operator, alarm_id: GivenId, body: Shelve) -> Alarm:
    """Put an alarm aside until a time at most 12 h ahead; the gravest gas and fire alarms may not be."""
    return services.alarms.act_on_alarm(
        alarm_id,
        AlarmEvent.SHELVE,
        by=who.by,
        at_ms=services.clock_ms(),
        reason=body.reason,
        until_ms=body.until_ms,
    )


@router.post("/{alarm_id}/unshelve", summary="取消搁置", response_model=AlarmView)
def unshelve_alarm(services: Svc, who: Operator, alarm_id: GivenId, body: Acknowledge) -> Alarm:
    """Take an alarm back before its time."""
    return services.alarms.act_on_alarm(
        alarm_id, AlarmEvent.UNSHELVE, by=who.by, at_ms=services.clock_ms(), reason=body.reason
    )


@router.post("/{alarm_id}/disable", summary="停用报警", response_model=AlarmView)
def disable_alarm(services: Svc, who: Operator, alarm_id: GivenId, body: Because) -> Alarm:
    """Take an alarm out of service, e.g. while its detector is being replaced."""
    return services.alarms.act_on_alarm(
        alarm_id, AlarmEvent.DISABLE, by=who.by, at_ms=services.clock_ms(), reason=body.reason
    )


@router.post("/{alarm_id}/enable", summary="启用报警", response_model=AlarmView)
def enable_alarm(services: Svc, who: Operator, alarm_id: GivenId, body: Acknowledge) -> Alarm:
    """Put an alarm back into service."""
    return services.alarms.act_on_alarm(
        alarm_id, AlarmEvent.ENABLE, by=who.by, at_ms=services.clock_ms(), reason=body.reason
    )
