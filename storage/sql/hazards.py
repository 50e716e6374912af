"""The hazard ledger in SQL."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from domain.errors import NotFoundError
from ledger import casework
from ledger.alarm import Alarm
from ledger.hazard import Hazard, HazardDraft, HazardEvent, HazardFilter, Tampering
from ledger.page import Key, Page
from registers.local_time import local_day
from storage.sql.audit import audit
from storage.sql.engine import reading, writing
from storage.sql.ledger_tables import ALARM, ALARM_OPEN, HAZARD, HAZARD_EVENT, HAZARD_OPEN
from storage.sql.page import open_page, write_page
from storage.sql.rows import convert, tally


@dataclass(frozen=True, slots=True)
class SqlHazardBook:
    """`ledger.hazard.HazardBook` in SQL."""

    engine: sa.Engine

    def hazards(self, wanted: HazardFilter) -> list[Hazard]:
        query = sa.select(HAZARD).where(*_conditions(wanted)).order_by(HAZARD.c.id.desc()).limit(wanted.limit)
        with reading(self.engine) as connection:
            return [convert(row, Hazard) for row in connection.execute(query)]

    def hazard(self, hazard_id: str) -> Hazard:
        with reading(self.engine) as connection:
            return _hazard(connection, hazard_id)

    def hazard_events(self, hazard_id: str) -> list[HazardEvent]:
        query = sa.select(HAZARD_EVENT).where(HAZARD_EVENT.c.hazard == hazard_id).order_by(HAZARD_EVENT.c.sequence)
        with reading(self.engine) as connection:
            _hazard(connection, hazard_id)
            return [convert(row, HazardEvent) for row in connection.execute(query)]

    def open_hazard(self, draft: HazardDraft, *, by: str, at_ms: int) -> Hazard:
        with writing(self.engine) as connection:
            page = open_page(connection, _keys(draft), [local_day(at_ms).year])
            hazard = casework.open_by_hand(page, draft, by=by, at_ms=at_ms)
            write_page(connection, page)
            return hazard

    def act_on_hazard(
        self,
        hazard_id: str,
        event: str,
        *,
        by: str,
        at_ms: int,
        basis: str,
        note: str = "",
        data: dict[str, Any] | None = None,
    ) -> Hazard:
        with writing(self.engine) as connection:
            hazard = _hazard(connection, hazard_id)
            page = _page_of(connection, hazard)
            after = casework.act(page, hazard, event, by=by, at_ms=at_ms, basis=basis, note=note, data=data)
            write_page(connection, page)
            return after

    def open_hazard_counts(self) -> dict[str, int]:
        return tally(self.engine, HAZARD.c.state, HAZARD_OPEN)

    def verify_chain(self) -> list[Tampering]:
        with reading(self.engine) as connection:
            return audit(connection)


def _hazard(connection: sa.Connection, hazard_id: str) -> Hazard:
    row = connection.execute(sa.select(HAZARD).where(HAZARD.c.id == hazard_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no hazard {hazard_id}")
    return convert(row, Hazard)


def _keys(thing: Hazard | HazardDraft) -> list[Key]:
    return [Key(thing.device, thing.rule)] if thing.device is not None and thing.rule is not None else []


def _page_of(connection: sa.Connection, hazard: Hazard) -> Page:
    """Return a page with the open alarms of the hazard, and the open hazard of its device and rule."""
    page = open_page(connection, _keys(hazard))
    rows = connection.execute(sa.select(ALARM).where(ALARM.c.hazard == hazard.id, ALARM_OPEN))
    page.alarms.update({Key(row.device, row.rule): convert(row, Alarm) for row in rows})
    return page


def _conditions(wanted: HazardFilter) -> Iterator[sa.ColumnElement[Any] | sa.TextClause]:
    c = HAZARD.c
    if wanted.open_only:
        yield HAZARD_OPEN
    if wanted.states:
        yield c.state.in_(wanted.states)
    if wanted.grades:
        yield c.grade.in_(wanted.grades)
    for name in ("area", "site"):
        if (value := getattr(wanted, name)) is not None:
            yield c[name] == value
    if wanted.after is not None:
        yield c.id < wanted.after
