"""One way to open the database: durable, one writer at a time, errors in our own words."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import EngineError

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    },
)
"""All tables of the house; each `*_tables.py` beside this file adds its own."""

_turns: WeakKeyDictionary[sa.Engine, Lock] = WeakKeyDictionary()
_PAGES_AT_ONCE = 512  # 2 MiB


def open_engine(url: str) -> sa.Engine:
    """Return an engine for `url`, e.g. `sqlite:////var/lib/emberwatch/emberwatch.db`."""
    engine = sa.create_engine(url, hide_parameters=True)  # rows hold people: their names belong in no traceback
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _configure_sqlite)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, or pysqlite starts transactions too late
    cursor = connection.cursor()
    for pragma in (
        "auto_vacuum=INCREMENTAL",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "journal_size_limit=67108864",  # a log of changes that was long once need not stay so
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Run one write transaction: commit at the end, roll back on any error; engine failures become EngineError.

    Writers of one process take turns by a lock: SQLite's own wait sleeps up to 100 ms between two looks, and alarms with it.
    """
    with (
        _turns.setdefault(engine, Lock()),
        _translated(),
        engine.connect().execution_options(writing=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Run one consistent read."""
    with _translated(), engine.connect() as connection, connection.begin():
        yield connection


def give_back(engine: sa.Engine) -> None:
    """Return free space to the disk where a SQLite file keeps it; one made by an older version keeps it for new rows.

    Some at a time: writers come between, and the log of changes stays short on a disk that may be nearly full.
    """
    if engine.dialect.name != "sqlite":
        return
    before, left = -1, 1
    while left not in {0, before}:
        before, left = left, _give_back_some(engine)


def _give_back_some(engine: sa.Engine) -> int:
    """Return how many pages of the file are still free."""
    with _turns.setdefault(engine, Lock()), _translated(), closing(engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        # a script, because `execute` would stop after the first page
        driver.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE}); PRAGMA wal_checkpoint(PASSIVE)")
        free: int = driver.execute("PRAGMA freelist_count").fetchone()[0]
    return free


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise EngineError(
            f"the database did not do its work: {type(error).__name__}: {getattr(error, 'orig', error)}"
        ) from error
