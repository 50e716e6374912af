"""Alarms as the API shows them."""

from typing import Annotated, Any

from pydantic import Field

from api.models.base import Body, DevicePathText, EpochMs, GivenMs, Reason, View
from api.models.devices import Curve, DeviceFacts
from api.models.rules import RuleView
from domain.findings import Severity
from ledger.alarm import AlarmEvent, AlarmState


class AlarmView(View):
    """One alarm. `cycles`: how often it became active; `late`: raised from readings that were old on arrival (迟报)."""

    id: int
    rule: str = Field(examples=["G101"])
    device: DevicePathText
    area: str
    site: str
    severity: Severity = Field(description="1 紧急 · 2 重要 · 3 一般 · 4 提示")
    state: AlarmState
    active: bool
    acknowledged: bool
    raised_at_ms: EpochMs
    event_ms: EpochMs
    changed_at_ms: EpochMs
    cleared_at_ms: EpochMs | None
    late: bool
    cycles: int
    evidence: dict[str, Any] = Field(
        examples=[{"measurand": "ch4_lel", "value": 52.0, "unit": "%LEL", "set_point": 50}]
    )
    acknowledged_by: str | None
    shelved_until_ms: EpochMs | None
    shelve_reason: str | None
    hazard: str | None = Field(examples=["ZH-2026-000123"])


class AlarmTransitionView(View):
    """One row of an alarm's history. `by`: `rule:G101`, `user:…`, `token:…` or `system`."""

    id: int
    alarm: int
    at_ms: EpochMs
    event: AlarmEvent
    before: AlarmState | None
    after: AlarmState
    severity: Severity
    by: str
    reason: str
    offset: int | None


class AlarmPage(View):
    """Newest first; give `next_before_id` as `before_id` for the next page (null: this was the last)."""

    items: list[AlarmView]
    next_before_id: int | None


class AlarmDetail(View):
    """Everything an inspector needs on one page. `allowed`: what may be done now.

    `curves`: the device's readings from 15 min before the event to 15 min after; empty with `curves_ok` false when the
    history cannot be read.
    """

    alarm: AlarmView
    rule: RuleView | None
    transitions: list[AlarmTransitionView]
    device: DeviceFacts
    allowed: list[AlarmEvent]
    curves: list[Curve]
    curves_ok: bool


class Acknowledge(Body):
    """Somebody has taken notice."""

    reason: Reason = ""


class Because(Body):
    """An action that must say why."""

    reason: Annotated[Reason, Field(min_length=1)]


class Shelve(Because):
    """Put aside until a time, at most 12 h ahead."""

    until_ms: GivenMs
