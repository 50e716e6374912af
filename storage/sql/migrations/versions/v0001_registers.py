"""Revision 0001: registers with their stream of changes; accounts, tokens and secrets."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _places()
    _devices()
    _people()
    _permits()
    _changes()
    _accounts()


def _register(name: str, *columns: sa.Column[Any]) -> None:
    withdrawn = sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false())
    op.create_table(name, sa.Column("code", sa.String(64), primary_key=True), *columns, withdrawn)


def _code(name: str, refers_to: str | None = None, *, required: bool = True) -> sa.Column[str]:
    keys = [sa.ForeignKey(f"{refers_to}.code")] if refers_to else []
    return sa.Column(name, sa.String(64), *keys, nullable=not required)


def _text(name: str, *, required: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(200), nullable=not required)


def _of(kind: Any, name: str, *, required: bool = True) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=not required)


def _number(name: str) -> sa.Column[Any]:
    return _of(sa.Double, name, required=False)


def _word(name: str) -> sa.Column[Any]:
    return _of(sa.String(32), name)


def _unique(name: str, table: str, *columns: str) -> None:
    kept = sa.text("NOT withdrawn")
    op.create_index(name, table, list(columns), unique=True, sqlite_where=kept, postgresql_where=kept)


def _places() -> None:
    _register("area", _text("name", required=True))
    _register(
        "enterprise",
        *(_text(name, required=True) for name in ("name", "industry")),
        *(_text(name) for name in ("uscc", "contact", "phone")),
    )
    _register(
        "site",
        _text("name", required=True),
        _code("area", "area"),
        _code("enterprise", "enterprise", required=False),
        _text("industry"),
        _word("risk"),
        _number("lat"),
        _number("lon"),
    )


def _devices() -> None:
    _register(
        "model",
        _text("name", required=True),
        _word("kind"),
        _text("measurand"),
        _text("gas"),
        _number("lel_vol"),
        _text("lel_basis"),
        _number("level1"),
        _number("level2"),
        _text("set_point_basis"),
        _number("full_scale"),
        _of(sa.Integer, "interval_s"),
        _number("life_years"),
    )
    _register(
        "device",
        _code("site", "site"),
        _code("model", "model"),
        _text("name"),
        _number("level1"),
        _number("level2"),
        _text("set_point_basis"),
        _of(sa.Date, "installed_on", required=False),
        _number("lat"),
        _number("lon"),
        _of(sa.Boolean, "in_service"),
    )
    _register(
        "machine",
        _code("chip"),
        _code("enterprise", "enterprise", required=False),
        _text("name"),
        _word("process"),
        _word("measures"),
        _of(sa.Integer, "interval_s"),
        _of(sa.Boolean, "in_service"),
    )
    _unique("uq_machine_chip", "machine", "chip")


def _people() -> None:
    _register(
        "welder",
        _text("name", required=True),
        _code("credential"),
        _text("id_number"),
        _text("phone"),
        _code("enterprise", "enterprise", required=False),
    )
    _unique("uq_welder_credential", "welder", "credential")
    _register(
        "certificate",
        _code("welder", "welder"),
        _text("number", required=True),
        _word("family"),
        _text("category", required=True),
        _text("item", required=True),
        _of(sa.Date, "issued_on"),
        _of(sa.Date, "valid_until"),
        _of(sa.Date, "review_due", required=False),
        _word("state"),
    )
    _unique("uq_certificate_number", "certificate", "number", "category", "item")
    _register(
        "inspector",
        _text("name", required=True),
        _text("phone"),
        *(_of(sa.JSON, name) for name in ("areas", "kinds", "channels")),
    )


def _permits() -> None:
    _register(
        "permit",
        _code("site", "site"),
        _word("level"),
        _of(sa.DateTime, "starts_at"),
        _of(sa.DateTime, "ends_at"),
        _of(sa.JSON, "welders"),
        _code("guardian", required=False),
        _text("work"),
        _number("lat"),
        _number("lon"),
        _number("radius_m"),
        _word("state"),
    )


def _changes() -> None:
    op.create_table(
        "register_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        _word("noun"),
        _code("key"),
        sa.Column("row", sa.JSON, comment="public projection; NULL: withdrawn"),
        _text("by", required=True),
        _of(sa.BigInteger, "at_ms"),
    )


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("name", sa.String(200), primary_key=True),
        _word("role"),
        _text("password_hash", required=True),
        _of(sa.Integer, "generation"),
        _of(sa.Integer, "failures"),
        _of(sa.BigInteger, "locked_until_ms"),
        _of(sa.Boolean, "disabled"),
    )
    op.create_table(
        "token",
        sa.Column("name", sa.String(200), primary_key=True),
        _word("role"),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        _of(sa.BigInteger, "created_at_ms"),
        _of(sa.BigInteger, "expires_ms", required=False),
        _of(sa.Boolean, "revoked"),
    )
    op.create_table("secret", sa.Column("name", sa.String(200), primary_key=True), _of(sa.LargeBinary, "value"))
