"""Rows as the ledger's types, and how many there are of each sort."""

from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from storage.sql.engine import reading

T = TypeVar("T", bound=msgspec.Struct)


def convert(row: sa.Row[Any], cls: type[T]) -> T:
    """Return the row as its type; columns bear the names of its fields."""
    return msgspec.convert(row, cls, from_attributes=True)


def tally(engine: sa.Engine, column: sa.Column[Any], *where: sa.TextClause) -> dict[Any, int]:
    """Return value of `column` → how many rows have it."""
    query = sa.select(column, sa.func.count()).where(*where).group_by(column)
    with reading(engine) as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
