"""The alarm book in SQL."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from domain.errors import NotFoundError
from ledger import alarming
from ledger.alarm import Alarm, AlarmEvent, AlarmFilter, AlarmState, AlarmTransition
from ledger.page import Key, Page
from ledger.policy import RulePolicy
from storage.sql.engine import reading, writing
from storage.sql.ledger_tables import ALARM, ALARM_OPEN, ALARM_TRANSITION
from storage.sql.page import open_page, write_page
from storage.sql.rows import convert, tally


@dataclass(frozen=True, slots=True)
class SqlAlarmBook:
    """`ledger.alarm.AlarmBook` in SQL."""

    engine: sa.Engine
    policies: Mapping[str, RulePolicy]

    def alarms(self, wanted: AlarmFilter) -> list[Alarm]:
        query = sa.select(ALARM).where(*_conditions(wanted)).order_by(_newest_first(wanted)).limit(wanted.limit)
        with reading(self.engine) as connection:
            return [convert(row, Alarm) for row in connection.execute(query)]

    def alarm(self, alarm_id: int) -> Alarm:
        with reading(self.engine) as connection:
            return _alarm(connection, alarm_id)

    def alarm_history(self, alarm_id: int) -> list[AlarmTransition]:
        query = sa.select(ALARM_TRANSITION).where(ALARM_TRANSITION.c.alarm == alarm_id).order_by(ALARM_TRANSITION.c.id)
        with reading(self.engine) as connection:
            _alarm(connection, alarm_id)
            return [convert(row, AlarmTransition) for row in connection.execute(query)]

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
        def act(page: Page, alarm: Alarm) -> Alarm:
            policy = self.policies.get(alarm.rule)
            return alarming.act(page, alarm, event, by=by, at_ms=at_ms, policy=policy, reason=reason, until_ms=until_ms)

        with writing(self.engine) as connection:
            return _on_page(connection, _alarm(connection, alarm_id), act)

    def expire_shelves(self, now_ms: int) -> list[Alarm]:
        def unshelve(page: Page, alarm: Alarm) -> Alarm:
            return alarming.act(page, alarm, AlarmEvent.UNSHELVE, by="system", at_ms=now_ms, policy=None)

        over = sa.and_(ALARM_OPEN, ALARM.c.state == AlarmState.SHELVED, ALARM.c.shelved_until_ms <= now_ms)
        with writing(self.engine) as connection:
            shelved = sorted(connection.execute(sa.select(ALARM).where(over)), key=lambda row: row.id)
            return [_on_page(connection, convert(row, Alarm), unshelve) for row in shelved]

    def open_alarm_counts(self) -> dict[int, int]:
        return tally(self.engine, ALARM.c.severity, ALARM_OPEN)


def _on_page(connection: sa.Connection, alarm: Alarm, act: Callable[[Page, Alarm], Alarm]) -> Alarm:
    page = open_page(connection, [Key(alarm.device, alarm.rule)])
    after = act(page, alarm)
    write_page(connection, page)
    return after


def _alarm(connection: sa.Connection, alarm_id: int) -> Alarm:
    row = connection.execute(sa.select(ALARM).where(ALARM.c.id == alarm_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no alarm {alarm_id}")
    return convert(row, Alarm)


def _newest_first(wanted: AlarmFilter) -> sa.ColumnElement[Any]:
    """Return the order. `+ 0` keeps the engine from walking all alarms ever by number when the few open ones are indexed."""
    number: sa.ColumnElement[Any] = ALARM.c.id + sa.literal_column("0") if wanted.open_only else ALARM.c.id
    return number.desc()


def _conditions(wanted: AlarmFilter) -> Iterator[sa.ColumnElement[Any] | sa.TextClause]:
    c = ALARM.c
    if wanted.open_only:
        yield ALARM_OPEN
    if wanted.rules:
        yield c.rule.in_(wanted.rules)
    if wanted.severities:
        yield c.severity.in_(wanted.severities)
    for name in ("area", "site", "device"):
        if (value := getattr(wanted, name)) is not None:
            yield c[name] == value
    if wanted.from_ms is not None:
        yield c.raised_at_ms >= wanted.from_ms
    if wanted.to_ms is not None:
        yield c.raised_at_ms < wanted.to_ms
    if wanted.before_id is not None:
        yield c.id < wanted.before_id
