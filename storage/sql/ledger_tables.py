"""The ledger's tables: alarms and hazards with their histories, the outbox, the feed, dead letters, and how far we are.

Columns carry the names of the fields of the types in `ledger`, so a row converts to its type without a mapping.
Times are epoch milliseconds.
"""

from typing import Any

import sqlalchemy as sa

from storage.sql.engine import METADATA

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite numbers rows by itself only in an INTEGER key; there it has 64 bits anyway."""
ALARM_OPEN = sa.text("state <> 'closed'")
HAZARD_OPEN = sa.text("state NOT IN ('closed', 'archived')")
WAITING = sa.text("state = 'waiting'")


def _id(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, BIG, primary_key=True)


def _big(name: str, *, required: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=not required)


def _word(name: str, *, required: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=not required)


def _path(name: str, *, required: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(194), nullable=not required)


def _text(name: str, *, required: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=not required)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _small(name: str, *, required: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=not required)


def _partial(name: str, where: sa.TextClause, *columns: str, unique: bool = False) -> sa.Index:
    return sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


HAZARD = sa.Table(
    "hazard",
    METADATA,
    sa.Column("id", sa.String(24), primary_key=True),
    *(_word(name) for name in ("state", "grade", "channel")),
    *(_text(name) for name in ("title", "description", "basis")),
    *(_word(name) for name in ("area", "site")),
    _path("device", required=False),
    _word("rule", required=False),
    _small("severity", required=False),
    _big("opened_at_ms"),
    _big("changed_at_ms"),
    _big("due_ms", required=False),
    _text("assignee", required=False),
    _json("alarms"),
    _small("reopened"),
    _partial("uq_hazard_open", HAZARD_OPEN, "device", "rule", unique=True),
)

HAZARD_EVENT = sa.Table(
    "hazard_event",
    METADATA,
    _id("sequence"),
    sa.Column("hazard", sa.String(24), nullable=False, index=True),
    _big("at_ms"),
    _word("event"),
    _word("before", required=False),
    _word("after"),
    *(_text(name) for name in ("by", "basis", "note")),
    _json("data"),
    *(_word(name) for name in ("previous", "hash")),
)
"""No foreign key: a row that lost its hazard must stay readable, so that verification can name it."""

CHAIN_END = sa.Table("chain_end", METADATA, _id(), _big("rows"), _word("hash"))
"""One row: what `ledger.chain.Anchor` says of the chain, kept apart from it."""

ALARM = sa.Table(
    "alarm",
    METADATA,
    _id(),
    _word("rule"),
    _path("device"),
    _word("area"),
    _word("site"),
    _small("severity"),
    _word("state"),
    _flag("active"),
    _flag("acknowledged"),
    *(_big(name) for name in ("raised_at_ms", "event_ms", "changed_at_ms")),
    _big("cleared_at_ms", required=False),
    _flag("late"),
    _small("cycles"),
    _json("evidence"),
    _text("acknowledged_by", required=False),
    _big("shelved_until_ms", required=False),
    _text("shelve_reason", required=False),
    sa.Column("hazard", sa.String(24), sa.ForeignKey("hazard.id"), nullable=True, index=True),
    _partial("uq_alarm_open", ALARM_OPEN, "device", "rule", unique=True),
    sa.Index("ix_alarm_site", "area", "site"),
    sa.Index("ix_alarm_raised_at_ms", "raised_at_ms"),
)

ALARM_TRANSITION = sa.Table(
    "alarm_transition",
    METADATA,
    _id(),
    sa.Column("alarm", BIG, sa.ForeignKey("alarm.id"), nullable=False, index=True),
    _big("at_ms"),
    _word("event"),
    _word("before", required=False),
    _word("after"),
    _small("severity"),
    _text("by"),
    _text("reason"),
    _big("offset", required=False),
)

NOTICE = sa.Table(
    "notice",
    METADATA,
    _id(),
    _big("created_at_ms"),
    _word("kind"),
    _word("subject"),
    _json("body"),
    sa.Column("state", sa.String(64), nullable=False, index=True),
    _small("attempts"),
    _big("not_before_ms"),
    _big("done_at_ms", required=False),
    _text("error", required=False),
    _json("deliveries"),
    sa.Column("severity", sa.Integer, nullable=False, server_default="4"),
    _partial("ix_notice_waiting", WAITING, "subject", "id", "severity"),
)

FEED = sa.Table("feed", METADATA, _id(), _big("at_ms"), _word("kind"), _json("body"), sqlite_autoincrement=True)
"""Numbered by the engine: a number is never given twice, even after old rows are dropped."""

DEAD_LETTER = sa.Table(
    "dead_letter",
    METADATA,
    sa.Column("offset", BIG, primary_key=True, autoincrement=False),
    _big("received_ms"),
    _text("topic"),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("reason", sa.String(64), nullable=False, index=True),
    _text("detail"),
    _big("replayed_at_ms", required=False),
)

COMMIT_STATE = sa.Table(
    "commit_state",
    METADATA,
    _id(),
    *(_big(name) for name in ("offset", "decoded", "dead", "duplicate", "control")),
    sa.Column("thinned", BIG, nullable=False, server_default="0"),
)
"""One row: how far into the journal the books are, and the counts up to there."""
