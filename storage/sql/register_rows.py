"""Between a register entry and its row in SQL."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from registers.noun import Noun
from registers.nouns import NOUNS
from storage.sql.register_tables import REGISTER_TABLES
from storage.sql.rows import convert

_CHUNK = 1000
"""Keys a query: far below SQLite's limit of parameters, large enough that a query's fixed cost does not count."""


def row_of(entry: Noun) -> dict[str, Any]:
    """Return the row's values, of a register in service."""
    values: dict[str, Any] = msgspec.to_builtins(entry, builtin_types=(dt.date, dt.datetime))
    return values | {"withdrawn": False}


def entry_of(noun: str, row: sa.Row[Any]) -> Noun:
    """Return the entry of a row; rows were validated when they were written."""
    return convert(row, NOUNS[noun])


def stored(connection: sa.Connection, noun: str, keys: Sequence[str]) -> dict[str, sa.Row[Any]]:
    """Return key → row, withdrawn ones too, of those keys that were ever in the register."""
    table = REGISTER_TABLES[noun]
    return {row.code: row for row in rows_with(connection, sa.select(table), table.c.code, keys)}


def rows_with(
    connection: sa.Connection, query: sa.Select[Any], column: sa.Column[Any], values: Iterable[str]
) -> Iterator[sa.Row[Any]]:
    """Yield the query's rows whose `column` is one of `values`."""
    wanted = list(values)
    for start in range(0, len(wanted), _CHUNK):
        yield from connection.execute(query.where(column.in_(wanted[start : start + _CHUNK])))
