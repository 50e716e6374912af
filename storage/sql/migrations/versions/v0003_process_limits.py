"""Revision 0003: limits of process quantities, calibration, safe loads of enterprises, and stop orders."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table in ("model", "device"):
        for name in ("low_low", "low", "high", "high_high"):
            op.add_column(table, sa.Column(name, sa.Double))
    op.add_column("device", sa.Column("calibration_due", sa.Date))
    op.add_column("enterprise", sa.Column("safe_kw", sa.Double))
    op.create_table(
        "stop_order",
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("enterprise", sa.String(64), sa.ForeignKey("enterprise.code"), nullable=False),
        sa.Column("starts_at", sa.DateTime, nullable=False),
        sa.Column("ends_at", sa.DateTime),
        sa.Column("base_kw", sa.Double, nullable=False),
        sa.Column("reason", sa.String(200)),
        sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    )
