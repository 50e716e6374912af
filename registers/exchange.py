"""Registers in and out of the house as CSV: import with a report on every bad row, export with personal data masked."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from domain.errors import InputError, NotFoundError
from registers.csv_files import Parsed, Row, RowProblem, about, parse, render
from registers.masking import masked
from registers.noun import Noun
from registers.nouns import NOUNS
from registers.store import Registers

BATCH = 2_000
"""Entries a transaction: large enough to be fast, small enough that alarms waiting for the database wait for milliseconds."""

Progress = Callable[[int, int], None]
"""Called with (rows stored, rows to store)."""


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one file: rows `read` = `imported` + `unchanged` + those refused or held back because of `problems`."""

    noun: str
    read: int
    imported: int
    unchanged: int
    problems: list[RowProblem]
    warnings: list[RowProblem]


def import_rows(
    store: Registers, noun: str, data: bytes, *, by: str, partial: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Import a CSV file: nothing when any row is bad, or with `partial` the good rows.

    Raises InputError when the file cannot be read at all, EngineError when the store fails. Stored in batches: a store that
    fails half way keeps the batches before, and the same import again finds them unchanged.
    """
    parsed = parse(noun, data, lambda key: _kept(store, noun, key))
    problems = sorted(parsed.problems + _violations(store, parsed), key=lambda problem: problem.line)
    good = [] if problems and not partial else _without(parsed.rows, problems)
    imported = sum(_put_batches(store, [row.entry for row in good], by, progress))
    return ImportReport(
        noun=noun,
        read=parsed.read,
        imported=imported,
        unchanged=len(good) - imported,
        problems=problems,
        warnings=[warning for row in parsed.rows for warning in about(row.line, row.entry, row.entry.warnings())],
    )


def _kept(store: Registers, noun: str, key: str) -> Noun | None:
    try:
        return store.get(noun, key)
    except NotFoundError:
        return None


def _violations(store: Registers, parsed: Parsed) -> list[RowProblem]:
    found = store.check([row.entry for row in parsed.rows])
    at = ((parsed.rows[violation.position], violation) for violation in found)
    return [problem for row, v in at for problem in about(row.line, row.entry, [(v.column, v.reason)])]


def _without(rows: list[Row], problems: list[RowProblem]) -> list[Row]:
    bad = {problem.line for problem in problems}
    return [row for row in rows if row.line not in bad]


def _put_batches(store: Registers, entries: list[Noun], by: str, progress: Progress | None) -> Iterator[int]:
    for start in range(0, len(entries), BATCH):
        batch = entries[start : start + BATCH]
        yield len(store.put(batch, by))
        if progress is not None:
            progress(start + len(batch), len(entries))


def import_folder(
    store: Registers,
    folder: Path,
    *,
    by: str,
    partial: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[ImportReport]:
    """Import `area.csv`, `enterprise.csv` … of a folder in the order in which they refer to each other.

    Stops after the first file with problems unless `partial`. Raises InputError when there is no such file.
    """
    files = [(noun, path) for noun in NOUNS if (path := folder / f"{noun}.csv").is_file()]
    if not files:
        raise InputError(f"{folder} holds none of {', '.join(f'{noun}.csv' for noun in NOUNS)}")
    reports: list[ImportReport] = []
    for noun, path in files:
        told = None if progress is None else lambda done, total, noun=noun: progress(noun, done, total)
        reports.append(import_rows(store, noun, path.read_bytes(), by=by, partial=partial, progress=told))
        if reports[-1].problems and not partial:
            break
    return reports


def export_rows(store: Registers, noun: str, *, unmasked: bool = False) -> str:
    """Return a register as CSV, personal data masked unless told otherwise; raise InputError for an unknown one."""
    if noun not in NOUNS:
        raise InputError(f"no register '{noun}' (known: {', '.join(NOUNS)})")
    shown = msgspec.to_builtins if unmasked else masked
    return render(NOUNS[noun], (shown(entry) for entry in entries(store, noun)))


def entries(store: Registers, noun: str) -> Iterator[Noun]:
    """Yield every entry of a register in key order."""
    after = ""
    while page := store.find(noun, limit=BATCH, after=after):
        yield from page
        after = page[-1].key
