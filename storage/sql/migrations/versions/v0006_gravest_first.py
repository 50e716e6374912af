"""Revision 0006: a notice says how grave it is, so that the gravest is found and sent first."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("notice", sa.Column("severity", sa.Integer, nullable=False, server_default="4"))
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_notice_waiting",
        "notice",
        ["subject", "id", "severity"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    notice = sa.table("notice", sa.column("severity"), sa.column("body", sa.JSON))
    said = sa.func.coalesce(notice.c.body["severity"].as_integer(), notice.c.severity)
    op.execute(sa.update(notice).where(waiting).values(severity=said))
