"""The outbox and the live feed in SQL."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from domain.errors import NotFoundError
from ledger.books import FeedItem, Notice, Sent
from storage.sql.engine import reading, writing
from storage.sql.ledger_tables import FEED, NOTICE, WAITING
from storage.sql.rows import convert, tally

_NOTICE_COLUMNS = [NOTICE.c[name] for name in Notice.__struct_fields__]


@dataclass(frozen=True, slots=True)
class SqlOutbox:
    """`ledger.books.Outbox` in SQL: a notice is in state `waiting`, `sent` or `failed`."""

    engine: sa.Engine

    def due_notices(self, now_ms: int, limit: int = 100, busy: Collection[str] = ()) -> list[Notice]:
        waiting = NOTICE.alias()
        first, gravest = sa.func.min(waiting.c.id).label("first"), sa.func.min(waiting.c.severity).label("gravest")
        subjects = sa.select(first, gravest).where(WAITING).group_by(waiting.c.subject).subquery()
        due = (
            sa.select(*_NOTICE_COLUMNS)
            .join(subjects, NOTICE.c.id == subjects.c.first)
            .where(NOTICE.c.not_before_ms <= now_ms, NOTICE.c.subject.not_in(busy))
            .order_by(subjects.c.gravest, NOTICE.c.id)
        )
        with reading(self.engine) as connection:
            return [convert(row, Notice) for row in connection.execute(due.limit(limit))]

    def notices_sent(self, sent: Sequence[Sent]) -> None:
        with writing(self.engine) as connection:
            for notice_id, at_ms, deliveries in sent:
                values = {"done_at_ms": at_ms, "deliveries": list(deliveries), "error": None}
                _update(connection, notice_id, state="sent", **values)

    def notice_failed(
        self,
        notice_id: int,
        at_ms: int,
        *,
        error: str,
        retry_at_ms: int | None,
        deliveries: Sequence[dict[str, Any]] = (),
    ) -> None:
        values = {"attempts": NOTICE.c.attempts + 1, "error": error, "deliveries": list(deliveries)}
        ended = {"state": "failed", "done_at_ms": at_ms}
        with writing(self.engine) as connection:
            _update(
                connection, notice_id, **values, **(ended if retry_at_ms is None else {"not_before_ms": retry_at_ms})
            )

    def outbox_counts(self) -> dict[str, int]:
        found = tally(self.engine, NOTICE.c.state)
        return {state: found.get(state, 0) for state in ("waiting", "sent", "failed")}

    def drop_sent_before(self, before_ms: int) -> int:
        with writing(self.engine) as connection:
            old = NOTICE.c.id < _first_since(connection, NOTICE.c.id, NOTICE.c.created_at_ms, before_ms)
            return connection.execute(sa.delete(NOTICE).where(old, NOTICE.c.state == "sent")).rowcount


@dataclass(frozen=True, slots=True)
class SqlFeed:
    """`ledger.books.Feed` in SQL."""

    engine: sa.Engine

    def feed(self, after_id: int, limit: int = 500) -> list[FeedItem]:
        query = sa.select(FEED).where(FEED.c.id > after_id).order_by(FEED.c.id).limit(limit)
        with reading(self.engine) as connection:
            return [convert(row, FeedItem) for row in connection.execute(query)]

    def feed_end(self) -> int:
        with reading(self.engine) as connection:
            return connection.execute(sa.select(sa.func.max(FEED.c.id))).scalar() or 0

    def drop_feed_before(self, before_ms: int) -> int:
        with writing(self.engine) as connection:
            old = FEED.c.id < _first_since(connection, FEED.c.id, FEED.c.at_ms, before_ms)
            return connection.execute(sa.delete(FEED).where(old)).rowcount


def _update(connection: sa.Connection, notice_id: int, **values: Any) -> None:
    if not connection.execute(sa.update(NOTICE).where(NOTICE.c.id == notice_id).values(values)).rowcount:
        raise NotFoundError(f"there is no notice {notice_id}")


def _first_since(connection: sa.Connection, row_id: sa.Column[int], at_ms: sa.Column[int], before_ms: int) -> int:
    """Return the first id at or after a time, else the last there is; walks only the rows that are older."""
    first = sa.select(row_id).where(at_ms >= before_ms).order_by(row_id).limit(1)
    found: int | None = connection.execute(first).scalar()
    return found if found is not None else connection.execute(sa.select(sa.func.max(row_id))).scalar() or 0
