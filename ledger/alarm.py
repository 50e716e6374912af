"""Alarms after ISA-18.2 / IEC 62682: what one is, and the table of its life.

At most one alarm per (device, rule) is open at a time; `closed` is the only state that is not open.
"""

from enum import StrEnum
from typing import Any, Protocol

import msgspec

from domain.findings import Severity


class AlarmState(StrEnum):
    """Active or cleared, acknowledged or not; shelved and out of service keep what they return to in `active`."""

    ACTIVE_UNACKED = "active_unacked"
    ACTIVE_ACKED = "active_acked"
    CLEARED_UNACKED = "cleared_unacked"
    SHELVED = "shelved"
    OUT_OF_SERVICE = "out_of_service"
    CLOSED = "closed"


class AlarmEvent(StrEnum):
    """What can happen to an alarm."""

    RAISE = "raise"
    CHANGE = "change"
    CLEAR = "clear"
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    DISABLE = "disable"
    ENABLE = "enable"


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm. Times in epoch ms by our clock, except `event_ms` (the device's). `cycles`: how often it became active."""

    id: int
    rule: str
    device: str
    area: str
    site: str
    severity: Severity
    state: AlarmState
    active: bool
    acknowledged: bool
    raised_at_ms: int
    event_ms: int
    changed_at_ms: int
    cleared_at_ms: int | None = None
    late: bool = False
    cycles: int = 1
    evidence: dict[str, Any] = {}
    acknowledged_by: str | None = None
    shelved_until_ms: int | None = None
    shelve_reason: str | None = None
    hazard: str | None = None


class AlarmTransition(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an alarm's history; append-only. `by`: `rule:G101`, `user:…` or `system`."""

    id: int
    alarm: int
    at_ms: int
    event: AlarmEvent
    before: AlarmState | None
    after: AlarmState
    severity: Severity
    by: str
    reason: str = ""
    offset: int | None = None


class AlarmFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to list; empty fields do not filter. `before_id` pages backwards (newest first)."""

    open_only: bool = True
    rules: tuple[str, ...] = ()
    severities: tuple[int, ...] = ()
    area: str | None = None
    site: str | None = None
    device: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    before_id: int | None = None
    limit: int = 100


class AlarmBook(Protocol):
    """Reading alarms, and what operators may do to them.

    Actions are one transaction each: the alarm, its transition row, its outbox and feed rows. They raise NotFoundError,
    IllegalTransitionError (nothing changed), RefusedError (e.g. shelving a rule that may not be), EngineError.
    """

    def alarms(self, wanted: AlarmFilter) -> list[Alarm]:
        """Return matching alarms, newest first."""
        ...

    def alarm(self, alarm_id: int) -> Alarm:
        """Return one alarm."""
        ...

    def alarm_history(self, alarm_id: int) -> list[AlarmTransition]:
        """Return its transitions, oldest first."""
        ...

    def act_on_alarm(
        self,
        alarm_id: int,
        event: AlarmEvent,
        *,
        by: str,
        at_ms: int,
        reason: str = "",
        until_ms: int | None = None,
    ) -> Alarm:
        """Acknowledge, shelve (needs `until_ms` within 12 h and a reason), unshelve, disable (needs a reason) or enable."""
        ...

    def expire_shelves(self, now_ms: int) -> list[Alarm]:
        """Unshelve every alarm whose time has passed; return them."""
        ...

    def open_alarm_counts(self) -> dict[int, int]:
        """Return severity → how many alarms are open."""
        ...
