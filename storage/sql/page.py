"""Opens a page of the ledger in a write transaction, and copies back what was written on it."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from domain.findings import Severity
from ledger.alarm import Alarm
from ledger.books import FeedItem
from ledger.chain import GENESIS, Anchor
from ledger.hazard import Hazard
from ledger.page import Key, Page
from storage.sql import ledger_tables as t
from storage.sql.rows import T, convert

_CHUNK = 500
"""Devices a query asks for at once: below every engine's limit of parameters."""


def open_page(connection: sa.Connection, keys: Iterable[Key] = (), years: Iterable[int] = ()) -> Page:
    """Return a page with the open alarms and hazards of `keys`, ready to number hazards of `years`."""
    wanted = set(keys)
    page = Page(
        anchor=chain_end(connection),
        last_alarm=_last(connection, t.ALARM),
        last_transition=_last(connection, t.ALARM_TRANSITION),
        last_hazard={year: _last_hazard(connection, year) for year in years},
    )
    devices = sorted({key.device for key in wanted})
    for start in range(0, len(devices), _CHUNK):
        chunk = devices[start : start + _CHUNK]
        page.alarms.update(_open(connection, t.ALARM, t.ALARM_OPEN, Alarm, chunk, wanted))
        page.hazards.update(_open(connection, t.HAZARD, t.HAZARD_OPEN, Hazard, chunk, wanted))
    return page


def _open(
    connection: sa.Connection,
    table: sa.Table,
    is_open: sa.TextClause,
    cls: type[T],
    devices: Sequence[str],
    wanted: set[Key],
) -> dict[Key, T]:
    rows = connection.execute(sa.select(table).where(table.c.device.in_(devices), is_open))
    return {key: convert(row, cls) for row in rows if (key := Key(row.device, row.rule)) in wanted}


def chain_end(connection: sa.Connection) -> Anchor:
    """Return the anchor of the hazard chain."""
    row = connection.execute(sa.select(t.CHAIN_END.c.rows, t.CHAIN_END.c.hash)).one_or_none()
    return Anchor(*row) if row else GENESIS


def _last(connection: sa.Connection, table: sa.Table) -> int:
    return connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0


def _last_hazard(connection: sa.Connection, year: int) -> int:
    numbers = t.HAZARD.c.id.between(f"ZH-{year}-", f"ZH-{year}-~")
    newest: str | None = connection.execute(sa.select(sa.func.max(t.HAZARD.c.id)).where(numbers)).scalar()
    return int(newest.rsplit("-", 1)[1]) if newest else 0


def write_page(connection: sa.Connection, page: Page) -> list[FeedItem]:
    """Copy what was written on the page; return the feed items with their numbers.

    Changes come before inserts, so that an alarm that closed has left its unique index when its successor enters.
    """
    _save(connection, t.HAZARD, page.written_hazards, page.new_hazards)
    _save(connection, t.ALARM, page.written_alarms, page.new_alarms)
    _insert(connection, t.ALARM_TRANSITION, page.transitions)
    if page.events:
        _insert(connection, t.HAZARD_EVENT, page.events)
        put_single(connection, t.CHAIN_END, page.anchor._asdict())
    _write_notices(connection, page)
    return _write_feed(connection, page)


def _save(connection: sa.Connection, table: sa.Table, things: dict[Any, T], new: set[Any]) -> None:
    changed = [{"_id": name, **msgspec.to_builtins(thing)} for name, thing in things.items() if name not in new]
    if changed:
        columns: dict[str, Any] = {c.name: sa.bindparam(c.name) for c in table.c if c.name != "id"}
        connection.execute(sa.update(table).where(table.c.id == sa.bindparam("_id")).values(columns), changed)
    _insert(connection, table, [thing for name, thing in things.items() if name in new])


def _insert(connection: sa.Connection, table: sa.Table, things: Sequence[msgspec.Struct]) -> None:
    if things:
        connection.execute(sa.insert(table), [msgspec.to_builtins(thing) for thing in things])


def put_single(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> None:
    """Write the only row of a table of one row."""
    if not connection.execute(sa.update(table).values(values)).rowcount:
        connection.execute(sa.insert(table).values(id=1, **values))


def _write_notices(connection: sa.Connection, page: Page) -> None:
    waiting = {"state": "waiting", "attempts": 0, "not_before_ms": 0, "deliveries": []}
    rows = [
        {
            "created_at_ms": n.at_ms,
            "kind": n.kind,
            "subject": n.subject,
            "body": n.body,
            "severity": n.body.get("severity") or Severity.NOTICE,
            **waiting,
        }
        for n in page.notices
    ]
    if rows:
        connection.execute(sa.insert(t.NOTICE), rows)


def _write_feed(connection: sa.Connection, page: Page) -> list[FeedItem]:
    if not page.feed:
        return []
    statement = sa.insert(t.FEED).returning(t.FEED.c.id, sort_by_parameter_order=True)
    numbers = connection.execute(statement, [draft._asdict() for draft in page.feed]).scalars()
    return [FeedItem(id=n, **draft._asdict()) for n, draft in zip(numbers, page.feed, strict=True)]
