"""Revision 0002: the ledger: alarms, hazards and their chain, outbox, feed, dead letters, commit state."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _hazards()
    _alarms()
    _outbox_and_feed()
    _progress()


def _of(kind: Any, *names: str, required: bool = True) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=not required) for name in names]


def _words(*names: str, required: bool = True) -> list[sa.Column[Any]]:
    return _of(sa.String(64), *names, required=required)


def _texts(*names: str, required: bool = True) -> list[sa.Column[Any]]:
    return _of(sa.Text, *names, required=required)


def _bigs(*names: str, required: bool = True) -> list[sa.Column[Any]]:
    return _of(sa.BigInteger, *names, required=required)


def _id(name: str = "id") -> sa.Column[Any]:
    return sa.Column(name, _BIG, primary_key=True)


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    kept = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=kept, postgresql_where=kept)


def _hazards() -> None:
    op.create_table(
        "hazard",
        sa.Column("id", sa.String(24), primary_key=True),
        *_words("state", "grade", "channel"),
        *_texts("title", "description", "basis"),
        *_words("area", "site"),
        *_of(sa.String(194), "device", required=False),
        *_words("rule", required=False),
        *_of(sa.Integer, "severity", required=False),
        *_bigs("opened_at_ms", "changed_at_ms"),
        *_bigs("due_ms", required=False),
        *_texts("assignee", required=False),
        *_of(sa.JSON, "alarms"),
        *_of(sa.Integer, "reopened"),
    )
    _partial("uq_hazard_open", "hazard", ["device", "rule"], "state NOT IN ('closed', 'archived')", unique=True)
    op.create_table(
        "hazard_event",
        _id("sequence"),
        *_of(sa.String(24), "hazard"),
        *_bigs("at_ms"),
        *_words("event"),
        *_words("before", required=False),
        *_words("after"),
        *_texts("by", "basis", "note"),
        *_of(sa.JSON, "data"),
        *_words("previous", "hash"),
    )
    op.create_index("ix_hazard_event_hazard", "hazard_event", ["hazard"])
    op.create_table("chain_end", _id(), *_bigs("rows"), *_words("hash"))


def _alarms() -> None:
    op.create_table(
        "alarm",
        _id(),
        *_words("rule"),
        *_of(sa.String(194), "device"),
        *_words("area", "site"),
        *_of(sa.Integer, "severity"),
        *_words("state"),
        *_of(sa.Boolean, "active", "acknowledged"),
        *_bigs("raised_at_ms", "event_ms", "changed_at_ms"),
        *_bigs("cleared_at_ms", required=False),
        *_of(sa.Boolean, "late"),
        *_of(sa.Integer, "cycles"),
        *_of(sa.JSON, "evidence"),
        *_texts("acknowledged_by", required=False),
        *_bigs("shelved_until_ms", required=False),
        *_texts("shelve_reason", required=False),
        sa.Column("hazard", sa.String(24), sa.ForeignKey("hazard.id"), nullable=True),
    )
    _partial("uq_alarm_open", "alarm", ["device", "rule"], "state <> 'closed'", unique=True)
    op.create_index("ix_alarm_site", "alarm", ["area", "site"])
    op.create_index("ix_alarm_raised_at_ms", "alarm", ["raised_at_ms"])
    op.create_index("ix_alarm_hazard", "alarm", ["hazard"])
    _alarm_transitions()


def _alarm_transitions() -> None:
    op.create_table(
        "alarm_transition",
        _id(),
        sa.Column("alarm", _BIG, sa.ForeignKey("alarm.id"), nullable=False),
        *_bigs("at_ms"),
        *_words("event"),
        *_words("before", required=False),
        *_words("after"),
        *_of(sa.Integer, "severity"),
        *_texts("by", "reason"),
        *_bigs("offset", required=False),
    )
    op.create_index("ix_alarm_transition_alarm", "alarm_transition", ["alarm"])


def _outbox_and_feed() -> None:
    op.create_table(
        "notice",
        _id(),
        *_bigs("created_at_ms"),
        *_words("kind", "subject"),
        *_of(sa.JSON, "body"),
        *_words("state"),
        *_of(sa.Integer, "attempts"),
        *_bigs("not_before_ms"),
        *_bigs("done_at_ms", required=False),
        *_texts("error", required=False),
        *_of(sa.JSON, "deliveries"),
    )
    op.create_index("ix_notice_state", "notice", ["state"])
    op.create_table("feed", _id(), *_bigs("at_ms"), *_words("kind"), *_of(sa.JSON, "body"), sqlite_autoincrement=True)


def _progress() -> None:
    op.create_table(
        "dead_letter",
        sa.Column("offset", _BIG, primary_key=True, autoincrement=False),
        *_bigs("received_ms"),
        *_texts("topic"),
        *_of(sa.LargeBinary, "payload"),
        *_words("reason"),
        *_texts("detail"),
        *_bigs("replayed_at_ms", required=False),
    )
    op.create_index("ix_dead_letter_reason", "dead_letter", ["reason"])
    op.create_table("commit_state", _id(), *_bigs("offset", "decoded", "dead", "duplicate", "control"))
