"""The composition root of what is kept: which engine stands behind which port, in one data folder.

Several processes may open the books and registers at once (command line beside the service); journal, history and snapshots
belong to one process, which holds the folder's lock.
"""

import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from detectors.catalogue import policies
from domain.errors import ConfigurationError
from domain.history import History
from domain.records import Journal
from emberwatch.settings import Settings
from emberwatch.snapshots import SnapshotStore, code_version
from ledger.books import Books as LedgerBooks
from registers.account import Accounts
from registers.local_time import LOCAL
from registers.store import Registers
from storage.duckdb.history import DuckdbHistory
from storage.duckdb.parquet import ExportedDay, export_days
from storage.journals.sqlite import SqliteJournal
from storage.sql.accounts import SqlAccounts
from storage.sql.engine import open_engine
from storage.sql.ledger import SqlLedger
from storage.sql.migrate import upgrade
from storage.sql.registers import SqlRegisters

if TYPE_CHECKING:
    from storage.influx.history import InfluxHistory

POLICIES = policies()
_BOOKS = "emberwatch.db"


@dataclass(frozen=True, slots=True)
class Books:
    """What any process may open: registers, ledger and accounts in one SQL database."""

    engine: sa.Engine
    registers: Registers
    ledger: SqlLedger
    accounts: Accounts


@dataclass(frozen=True, slots=True)
class Streams:
    """What one process owns: the journal, the readings' history and the detectors' snapshots."""

    journal: Journal
    history: History
    snapshots: SnapshotStore


def prepare(folder: Path) -> Path:
    """Return the folder, made if needed; raise ConfigurationError when it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"cannot make data folder {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(f"data folder {folder} is not writable by this user")
    return folder


def sql_url(folder: Path) -> str:
    """Return where the books are."""
    return f"sqlite:///{folder / _BOOKS}"


@contextmanager
def open_books(settings: Settings, *, new: bool = True) -> Iterator[Books]:
    """Open registers, ledger and accounts, brought to the newest schema; without `new` they must be there."""
    if not new and not (settings.folder / _BOOKS).exists():
        raise ConfigurationError(f"there are no books in {settings.folder}; is --data right?")
    engine = open_engine(sql_url(prepare(settings.folder)))
    try:
        upgrade(engine)
        yield books_on(engine)
    finally:
        engine.dispose()


def books_on(engine: sa.Engine) -> Books:
    """Return the books on an engine that is already migrated."""
    return Books(engine, SqlRegisters(engine), SqlLedger(engine, POLICIES), SqlAccounts(engine))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; raise ConfigurationError when another one has it."""
    with (prepare(folder) / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise ConfigurationError(
                f"data folder {folder} is in use by another emberwatch (process {owner})"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def open_streams(settings: Settings) -> Iterator[Streams]:
    """Open journal, history and snapshots; call it only while holding `locked`."""
    folder = settings.folder
    with ExitStack() as stack:
        journal = SqliteJournal(folder / "journal.db")
        stack.callback(journal.close)
        history = open_history(settings)
        stack.callback(history.close)
        yield Streams(journal, history, SnapshotStore(folder / "snapshots", code_version(settings.rules)))


def open_history(settings: Settings) -> History:
    """Return the history the settings name; a server may be down, a file must not be open elsewhere."""
    if settings.history == "influx":
        return open_history_server(settings)
    return DuckdbHistory(history_file(settings))


def history_file(settings: Settings) -> Path:
    """Return where readings are when they are in a file."""
    return settings.folder / "history.duckdb"


def export_history(settings: Settings, before: dt.date, folder: Path, *, drop: bool) -> Iterator[ExportedDay]:
    """Export the local days before `before` from the history file of a service that is not running."""
    if settings.history != "duckdb":
        raise ConfigurationError("readings are on a server (`history` is not `duckdb`): export them with its own tools")
    if not history_file(settings).exists():
        raise ConfigurationError(f"there is no history in {settings.folder}; is --data right?")
    with locked(settings.folder):
        yield from export_days(history_file(settings), before, LOCAL, folder, drop=drop)


def open_history_server(settings: Settings) -> "InfluxHistory":
    """Return the history of `[influx]`, connected at its first use."""
    from storage.influx.connection import Connection  # noqa: PLC0415  its client takes 0.4 s to load
    from storage.influx.history import InfluxHistory  # noqa: PLC0415  as above

    server = settings.influx
    connection = Connection(server.url, server.token, server.org, server.bucket)
    return InfluxHistory(connection, settings.folder / "history-offset.json")


@contextmanager
def books_in_memory() -> Iterator[LedgerBooks]:
    """Open an empty ledger that is gone at the end: for backtests."""
    engine = open_engine("sqlite://")
    try:
        upgrade(engine)
        yield SqlLedger(engine, POLICIES).books
    finally:
        engine.dispose()


@contextmanager
def open_journal_for_reading(settings: Settings) -> Iterator[Journal]:
    """Open the journal beside a running service; raise ConfigurationError when there is none."""
    file = settings.folder / "journal.db"
    if not file.exists():
        raise ConfigurationError(f"there is no journal in {settings.folder}; is --data right?")
    journal = SqliteJournal(file)
    try:
        yield journal
    finally:
        journal.close()
