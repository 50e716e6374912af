"""Revision 0004: how many messages were left out at the door."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.add_column("commit_state", sa.Column("thinned", big, nullable=False, server_default="0"))
