"""The registers in SQL: entries in their tables, and every change of them in `register_change`, in one transaction."""

import time
from collections.abc import Callable, Iterable, Sequence

import msgspec
import sqlalchemy as sa

from domain.changes import RegisterChange
from domain.errors import InputError, NotFoundError, RefusedError
from registers.noun import Noun
from registers.nouns import NOUNS
from registers.store import Violation
from storage.sql.engine import reading, writing
from storage.sql.register_checks import violations
from storage.sql.register_rows import entry_of, row_of, stored
from storage.sql.register_tables import REGISTER_CHANGE, REGISTER_TABLES

_NAMED_IN_ERROR = 3


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class SqlRegisters:
    """Implements registers.store.Registers; `clock_ms` stamps the rows of `register_change`."""

    def __init__(self, engine: sa.Engine, *, clock_ms: Callable[[], int] = _now_ms) -> None:
        self._engine = engine
        self._clock_ms = clock_ms

    def check(self, entries: Sequence[Noun]) -> list[Violation]:
        with reading(self._engine) as connection:
            return violations(connection, entries)

    def put(self, entries: Sequence[Noun], by: str) -> list[RegisterChange]:
        with writing(self._engine) as connection:
            _refuse(entries, violations(connection, entries))
            changed = [entry for group in _by_noun(entries) for entry in _put_noun(connection, group)]
            return self._record(connection, [(entry, entry.projection()) for entry in changed], by)

    def withdraw(self, noun: str, key: str, by: str) -> RegisterChange:
        table = _table(noun)
        with writing(self._engine) as connection:
            entry = _one(connection, noun, key)
            _refuse_if_used(connection, entry)
            connection.execute(table.update().where(table.c.code == key).values(withdrawn=True))
            return self._record(connection, [(entry, None)], by)[0]

    def get(self, noun: str, key: str) -> Noun:
        with reading(self._engine) as connection:
            return _one(connection, noun, key)

    def find(self, noun: str, *, text: str = "", limit: int = 100, after: str = "") -> list[Noun]:
        table = _table(noun)
        query = sa.select(table).where(~table.c.withdrawn, table.c.code > after).order_by(table.c.code).limit(limit)
        if text:
            searched = [table.c[name] for name in ("code", "name") if name in table.c]
            query = query.where(sa.or_(*(column.icontains(text, autoescape=True) for column in searched)))
        with reading(self._engine) as connection:
            return [entry_of(noun, row) for row in connection.execute(query)]

    def count(self, noun: str) -> int:
        table = _table(noun)
        with reading(self._engine) as connection:
            query = sa.select(sa.func.count()).select_from(table).where(~table.c.withdrawn)
            return connection.execute(query).scalar_one()

    def changes(self, after: int, limit: int = 1000) -> list[RegisterChange]:
        columns = [REGISTER_CHANGE.c[name] for name in ("id", "noun", "key", "row")]
        query = sa.select(*columns).where(REGISTER_CHANGE.c.id > after).order_by(REGISTER_CHANGE.c.id).limit(limit)
        with reading(self._engine) as connection:
            return [RegisterChange(*row) for row in connection.execute(query)]

    def _record(
        self, connection: sa.Connection, rows: Iterable[tuple[Noun, dict[str, object] | None]], by: str
    ) -> list[RegisterChange]:
        last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(REGISTER_CHANGE.c.id), 0))).scalar_one()
        changes = [RegisterChange(last + n, entry.noun, entry.key, row) for n, (entry, row) in enumerate(rows, 1)]
        if changes:
            stamp = {"by": by, "at_ms": self._clock_ms()}
            connection.execute(REGISTER_CHANGE.insert(), [msgspec.structs.asdict(c) | stamp for c in changes])
        return changes


def _table(noun: str) -> sa.Table:
    if noun not in REGISTER_TABLES:
        raise InputError(f"no register '{noun}' (known: {', '.join(NOUNS)})")
    return REGISTER_TABLES[noun]


def _one(connection: sa.Connection, noun: str, key: str) -> Noun:
    table = _table(noun)
    row = connection.execute(sa.select(table).where(table.c.code == key, ~table.c.withdrawn)).one_or_none()
    if row is None:
        raise NotFoundError(f"no {noun} '{key}' in the register")
    return entry_of(noun, row)


def _by_noun(entries: Sequence[Noun]) -> list[list[Noun]]:
    """Return the entries grouped by noun, what is referred to first; of equal keys the last one counts."""
    groups: dict[str, dict[str, Noun]] = {noun: {} for noun in NOUNS}
    for entry in entries:
        groups[entry.noun][entry.key] = entry
    return [list(group.values()) for group in groups.values() if group]


def _put_noun(connection: sa.Connection, entries: list[Noun]) -> list[Noun]:
    """Write the entries of one noun; return those that changed something."""
    table = _table(entries[0].noun)
    rows = stored(connection, entries[0].noun, [entry.key for entry in entries])
    kept = {key: entry_of(table.name, row) for key, row in rows.items() if not row.withdrawn}
    changed = [entry for entry in entries if kept.get(entry.key) != entry]
    new = [row_of(entry) for entry in changed if entry.key not in rows]
    old = [row_of(entry) for entry in changed if entry.key in rows]
    if old:
        _replace(connection, table, old)
    if new:
        connection.execute(table.insert(), new)
    return changed


def _replace(connection: sa.Connection, table: sa.Table, rows: list[dict[str, object]]) -> None:
    this = table.c.code == sa.bindparam("this")
    # Out of the unique indexes first, so that two machines may swap chips in one batch.
    connection.execute(table.update().where(this).values(withdrawn=True), [{"this": row["code"]} for row in rows])
    values: dict[str, sa.BindParameter[object]] = {
        column.name: sa.bindparam(column.name) for column in table.c if column.name != "code"
    }
    connection.execute(table.update().where(this).values(values), [{"this": row.pop("code"), **row} for row in rows])


def _refuse(entries: Sequence[Noun], found: list[Violation]) -> None:
    if found:
        named = [f"{entries[v.position].noun} {entries[v.position].key}: {v.column}: {v.reason}" for v in found]
        more = f" (and {len(named) - _NAMED_IN_ERROR} more)" if len(named) > _NAMED_IN_ERROR else ""
        raise InputError("; ".join(named[:_NAMED_IN_ERROR]) + more)


def _refuse_if_used(connection: sa.Connection, entry: Noun) -> None:
    for cls in NOUNS.values():
        for column in (field for field, noun in cls.references.items() if noun == entry.noun):
            user = _first_user(connection, REGISTER_TABLES[cls.noun], column, entry.key)
            if user is not None:
                raise RefusedError(f"{entry.noun} {entry.key} is still the {column} of {cls.noun} {user}")


def _first_user(connection: sa.Connection, table: sa.Table, column: str, key: str) -> str | None:
    refers = table.c[column] == key
    if isinstance(table.c[column].type, sa.JSON):
        refers = sa.cast(table.c[column], sa.String).contains(f'"{key}"', autoescape=True)
    query = sa.select(table.c.code).where(refers, ~table.c.withdrawn).order_by(table.c.code).limit(1)
    return connection.execute(query).scalar_one_or_none()
