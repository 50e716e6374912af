"""The registers' tables, one a noun with the noun's fields as columns, and the append-only stream of their changes.

A row is never deleted: `withdrawn` takes it out of the register and out of the unique indexes.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from registers.device import LIMITS
from registers.local_time import LOCAL
from storage.sql.engine import METADATA


class Instant(sa.TypeDecorator[dt.datetime]):
    """A point in time, kept as UTC and given back in China Standard Time (SQLite keeps no offsets)."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:  # noqa: ARG002
        return value if value is None else value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> dt.datetime | None:  # noqa: ARG002
        return value if value is None else value.replace(tzinfo=dt.UTC).astimezone(LOCAL)


def _key() -> sa.Column[str]:
    return sa.Column("code", sa.String(64), primary_key=True)


def _code(name: str, refers_to: str | None = None, *, required: bool = True) -> sa.Column[str]:
    keys = [sa.ForeignKey(f"{refers_to}.code")] if refers_to else []
    return sa.Column(name, sa.String(64), *keys, nullable=not required)


def _text(name: str, *, required: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(200), nullable=not required)


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), nullable=False)


def _number(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double)


def _limits() -> list[sa.Column[float]]:
    return [_number(name) for name in LIMITS]


def _list(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _withdrawn() -> sa.Column[bool]:
    return sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false())


def _unique_in_service(name: str, *columns: str) -> sa.Index:
    kept = sa.text("NOT withdrawn")
    return sa.Index(name, *columns, unique=True, sqlite_where=kept, postgresql_where=kept)


AREA = sa.Table("area", METADATA, _key(), _text("name", required=True), _withdrawn())

ENTERPRISE = sa.Table(
    "enterprise",
    METADATA,
    _key(),
    _text("name", required=True),
    _text("industry", required=True),
    _text("uscc"),
    _text("contact"),
    _text("phone"),
    _number("safe_kw"),
    _withdrawn(),
)

SITE = sa.Table(
    "site",
    METADATA,
    _key(),
    _text("name", required=True),
    _code("area", "area"),
    _code("enterprise", "enterprise", required=False),
    _text("industry"),
    _word("risk"),
    _number("lat"),
    _number("lon"),
    _withdrawn(),
)

MODEL = sa.Table(
    "model",
    METADATA,
    _key(),
    _text("name", required=True),
    _word("kind"),
    _text("measurand"),
    _text("gas"),
    _number("lel_vol"),
    _text("lel_basis"),
    _number("level1"),
    _number("level2"),
    *_limits(),
    _text("set_point_basis"),
    _number("full_scale"),
    sa.Column("interval_s", sa.Integer, nullable=False),
    _number("life_years"),
    _withdrawn(),
)

DEVICE = sa.Table(
    "device",
    METADATA,
    _key(),
    _code("site", "site"),
    _code("model", "model"),
    _text("name"),
    _number("level1"),
    _number("level2"),
    *_limits(),
    _text("set_point_basis"),
    sa.Column("installed_on", sa.Date),
    sa.Column("calibration_due", sa.Date),
    _number("lat"),
    _number("lon"),
    _flag("in_service"),
    _withdrawn(),
)

MACHINE = sa.Table(
    "machine",
    METADATA,
    _key(),
    _code("chip"),
    _code("enterprise", "enterprise", required=False),
    _text("name"),
    _word("process"),
    _word("measures"),
    sa.Column("interval_s", sa.Integer, nullable=False),
    _flag("in_service"),
    _withdrawn(),
    _unique_in_service("uq_machine_chip", "chip"),
)

WELDER = sa.Table(
    "welder",
    METADATA,
    _key(),
    _text("name", required=True),
    _code("credential"),
    _text("id_number"),
    _text("phone"),
    _code("enterprise", "enterprise", required=False),
    _withdrawn(),
    _unique_in_service("uq_welder_credential", "credential"),
)

CERTIFICATE = sa.Table(
    "certificate",
    METADATA,
    _key(),
    _code("welder", "welder"),
    _text("number", required=True),
    _word("family"),
    _text("category", required=True),
    _text("item", required=True),
    sa.Column("issued_on", sa.Date, nullable=False),
    sa.Column("valid_until", sa.Date, nullable=False),
    sa.Column("review_due", sa.Date),
    _word("state"),
    _withdrawn(),
    _unique_in_service("uq_certificate_number", "number", "category", "item"),
)

PERMIT = sa.Table(
    "permit",
    METADATA,
    _key(),
    _code("site", "site"),
    _word("level"),
    sa.Column("starts_at", Instant, nullable=False),
    sa.Column("ends_at", Instant, nullable=False),
    _list("welders"),
    _code("guardian", required=False),
    _text("work"),
    _number("lat"),
    _number("lon"),
    _number("radius_m"),
    _word("state"),
    _withdrawn(),
)

INSPECTOR = sa.Table(
    "inspector",
    METADATA,
    _key(),
    _text("name", required=True),
    _text("phone"),
    _list("areas"),
    _list("kinds"),
    _list("channels"),
    _withdrawn(),
)

STOP_ORDER = sa.Table(
    "stop_order",
    METADATA,
    _key(),
    _code("enterprise", "enterprise"),
    sa.Column("starts_at", Instant, nullable=False),
    sa.Column("ends_at", Instant),
    sa.Column("base_kw", sa.Double, nullable=False),
    _text("reason"),
    _withdrawn(),
)

BAN = sa.Table(
    "ban",
    METADATA,
    _key(),
    _text("reason", required=True),
    _code("area", "area", required=False),
    _code("site", "site", required=False),
    sa.Column("starts_at", Instant),
    sa.Column("ends_at", Instant),
    _number("from_h"),
    _number("to_h"),
    _withdrawn(),
)

REGISTER_TABLES: dict[str, sa.Table] = {
    table.name: table
    for table in (
        *(AREA, ENTERPRISE, SITE, MODEL, DEVICE, MACHINE),
        *(WELDER, CERTIFICATE, PERMIT, INSPECTOR, STOP_ORDER, BAN),
    )
}
"""Noun → its table, in the order of registers.nouns.NOUNS."""

# Ids are dense and in commit order: they are taken as max + 1 inside the write transaction, and no row is ever removed.
REGISTER_CHANGE = sa.Table(
    "register_change",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("noun", sa.String(32), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("row", sa.JSON(none_as_null=True), comment="public projection; NULL: withdrawn"),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
)
