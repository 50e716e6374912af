"""What a register refuses because of what else stands in it: unknown references, and fields that must be unique."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from registers.noun import Noun
from registers.store import Violation
from storage.sql.register_rows import rows_with
from storage.sql.register_tables import REGISTER_TABLES

_Group = tuple[str, ...]


def violations(connection: sa.Connection, entries: Sequence[Noun]) -> list[Violation]:
    """Return what would be wrong if all entries were in the registers together, in the order of the entries."""
    found = [*_unknown_references(connection, entries), *_repeated(connection, entries)]
    return sorted(found, key=lambda violation: violation.position)


def _unknown_references(connection: sa.Connection, entries: Sequence[Noun]) -> Iterator[Violation]:
    wanted: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for index, entry in enumerate(entries):
        for column, noun in entry.references.items():
            wanted[noun].extend((index, column, key) for key in _keys(getattr(entry, column)))
    for noun, references in wanted.items():
        known = {entry.key for entry in entries if entry.noun == noun}
        known |= _in_register(connection, noun, {key for _, _, key in references} - known)
        for index, column, key in references:
            if key not in known:
                yield Violation(index, column, f"no {noun} '{key}' in the register")


def _keys(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def _in_register(connection: sa.Connection, noun: str, keys: set[str]) -> set[str]:
    table = REGISTER_TABLES[noun]
    query = sa.select(table.c.code).where(~table.c.withdrawn)
    return {row.code for row in rows_with(connection, query, table.c.code, keys)}


def _repeated(connection: sa.Connection, entries: Sequence[Noun]) -> Iterator[Violation]:
    by_noun: dict[str, list[tuple[int, Noun]]] = defaultdict(list)
    for index, entry in enumerate(entries):
        by_noun[entry.noun].append((index, entry))
    for numbered in by_noun.values():
        for group in numbered[0][1].unique:
            yield from _repeated_group(connection, numbered, group)


def _repeated_group(connection: sa.Connection, numbered: list[tuple[int, Noun]], group: _Group) -> Iterator[Violation]:
    noun = numbered[0][1].noun
    owners = _owners(connection, noun, group, [entry for _, entry in numbered])
    for index, entry in numbered:
        owner = owners.setdefault(_values(entry, group), entry.key)
        if owner != entry.key:
            yield Violation(index, group[0], f"{' + '.join(group)} already belongs to {noun} '{owner}'")


def _values(entry: Noun, group: _Group) -> tuple[str, ...]:
    return tuple(getattr(entry, column) for column in group)


def _owners(connection: sa.Connection, noun: str, group: _Group, entries: list[Noun]) -> dict[tuple[str, ...], str]:
    """Return values → key of the entries that stay in the register as they are."""
    table = REGISTER_TABLES[noun]
    replaced = {entry.key for entry in entries}
    query = sa.select(table.c.code, *(table.c[column] for column in group)).where(~table.c.withdrawn)
    rows = rows_with(connection, query, table.c[group[0]], {getattr(entry, group[0]) for entry in entries})
    return {tuple(row[1:]): row.code for row in rows if row.code not in replaced}
