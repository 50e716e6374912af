"""The registers' tables say what the registers' types say."""

import datetime as dt
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest
import sqlalchemy as sa

from registers.account import Account, Token
from registers.cells import bare
from registers.nouns import NOUNS
from storage.sql.account_tables import ACCOUNT, TOKEN
from storage.sql.register_tables import REGISTER_TABLES, Instant

_SQL: dict[type, type[sa.types.TypeEngine[Any]]] = {
    str: sa.String,
    bool: sa.Boolean,
    int: sa.Integer,
    float: sa.Double,
    tuple: sa.JSON,
    dt.date: sa.Date,
    dt.datetime: Instant,
}


def _kept_as(hint: Any) -> type[sa.types.TypeEngine[Any]]:
    hint = bare(hint)
    if get_origin(hint) is Literal or (isinstance(hint, type) and issubclass(hint, str)):
        return sa.String
    return _SQL[get_origin(hint) or hint]


def test_tables_stand_in_the_order_of_registers() -> None:
    """Same names, same order: what is referred to comes first."""
    assert list(REGISTER_TABLES) == list(NOUNS)


@pytest.mark.parametrize("noun", NOUNS)
def test_columns_are_the_fields(noun: str) -> None:
    """Names and order, type, and NULL exactly where None is allowed."""
    cls, table = NOUNS[noun], REGISTER_TABLES[noun]
    hints = get_type_hints(cls)
    assert [column.name for column in table.c] == [*cls.__struct_fields__, "withdrawn"]
    for name in cls.__struct_fields__:
        assert type(table.c[name].type) is _kept_as(hints[name]), name
        assert table.c[name].nullable is (type(None) in get_args(hints[name])), name


@pytest.mark.parametrize("noun", NOUNS)
def test_foreign_keys_are_the_references(noun: str) -> None:
    """The database itself refuses an unknown reference; lists are checked by the store."""
    cls, table = NOUNS[noun], REGISTER_TABLES[noun]
    keys = {key.parent.name: key.column.table.name for key in table.foreign_keys}
    lists = {name for name in cls.references if isinstance(table.c[name].type, sa.JSON)}
    assert keys == {name: refers for name, refers in cls.references.items() if name not in lists}


@pytest.mark.parametrize("noun", NOUNS)
def test_unique_indexes_are_the_unique_groups(noun: str) -> None:
    """Two processes that write at once cannot break them either."""
    indexes = {
        tuple(column.name for column in index.columns) for index in REGISTER_TABLES[noun].indexes if index.unique
    }
    assert indexes == set(NOUNS[noun].unique)


@pytest.mark.parametrize(("cls", "table"), [(Account, ACCOUNT), (Token, TOKEN)])
def test_account_columns_are_the_fields(cls: type[msgspec.Struct], table: sa.Table) -> None:
    """Accounts and tokens likewise."""
    assert [column.name for column in table.c] == list(cls.__struct_fields__)
