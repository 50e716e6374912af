"""Revision 0005: where and when hot work is forbidden."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "ban",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("area", sa.String(64), sa.ForeignKey("area.code")),
        sa.Column("site", sa.String(64), sa.ForeignKey("site.code")),
        sa.Column("starts_at", sa.DateTime),
        sa.Column("ends_at", sa.DateTime),
        sa.Column("from_h", sa.Double),
        sa.Column("to_h", sa.Double),
        sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    )
