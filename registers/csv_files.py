"""Registers as CSV text: reading a file into entries, with every bad row named, and writing entries as a file.

A row is the whole entry: an empty cell or a missing column takes the field's default.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import msgspec

from domain.errors import InputError
from registers.cells import CellError, Parse, columns, guarded, tidy
from registers.masking import masked, masked_value
from registers.noun import MASK, Noun, Remarks
from registers.nouns import NOUNS, broken_rules
from registers.words import column_title

_SHOWN = 80
"""Characters of a bad value that a report repeats."""


class RowProblem(msgspec.Struct, frozen=True):
    """What is wrong (or remarkable) in one cell; `line` counts from 1 (mostly the header's); `value` is masked where private."""

    line: int
    column: str
    reason: str
    value: str | None = None


class Row(NamedTuple):
    """A sound entry and the line it begins on."""

    line: int
    entry: Noun


@dataclass(slots=True)
class Parsed:
    """A file's sound rows and the problems of the others; `read` counts all rows below the header that are not blank."""

    read: int = 0
    rows: list[Row] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)


Kept = Callable[[str], Noun | None]
"""Key → the entry that the register holds now."""


def parse(noun: str, data: bytes, kept: Kept = lambda _: None) -> Parsed:
    """Read a CSV file of one register; raise InputError when it is no text, no CSV or the register is unknown.

    UTF-8 (with or without BOM) or GB18030; the header holds field names or their Chinese titles, in any order. A private
    cell that holds the mask of what is `kept` means the kept value.
    """
    if noun not in NOUNS:
        raise InputError(f"no register '{noun}' (known: {', '.join(NOUNS)})")
    cls, result = NOUNS[noun], Parsed()
    lines = _lines(_decode(data))
    first, titles = next(lines, (1, []))
    header = _header(titles)
    fields = _fields(cls, header)
    result.problems += _header_problems(cls, first, header, fields)
    if result.problems:
        return result
    seen: dict[str, int] = {}
    for line, cells in lines:
        _read_row(_Reading(cls, fields, kept, seen, result), line, cells)
    return result


class _Reading(NamedTuple):
    cls: type[Noun]
    fields: list[str | None]
    kept: Kept
    seen: dict[str, int]
    result: Parsed


def _decode(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("the file is neither UTF-8 nor GB18030 text: save it as CSV UTF-8")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line, cells) of every row that is not blank."""
    reader, before = csv.reader(io.StringIO(text, newline="")), 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield line, cells
    except csv.Error as error:
        raise InputError(f"line {reader.line_num} is not CSV: {error}") from error


def _header(titles: list[str]) -> list[str]:
    """Return the titles without the empty columns that spreadsheets leave at the right."""
    header = [title.strip() for title in titles]
    while header and not header[-1]:
        header.pop()
    return header


def _fields(cls: type[Noun], header: list[str]) -> list[str | None]:
    """Return each column's field, None where the header names none."""
    by_name = {name.lower(): name for name in cls.__struct_fields__}
    by_name |= {column_title(cls, name): name for name in cls.__struct_fields__}
    return [by_name.get(title.lower()) for title in header]


def _header_problems(cls: type[Noun], line: int, header: list[str], fields: list[str | None]) -> Iterator[RowProblem]:
    known = ", ".join(cls.__struct_fields__)
    for title, name in zip(header, fields, strict=True):
        if name is None:
            yield RowProblem(line, title[:_SHOWN], f"is no column of {cls.noun} (known: {known})")
    for name in _required(cls):
        if name not in fields:
            yield RowProblem(line, name, f"the column is missing (also called {column_title(cls, name)})")
    for name in dict.fromkeys(fields):
        if name is not None and fields.count(name) > 1:
            yield RowProblem(line, name, "the column stands twice")


@cache
def _required(cls: type[Noun]) -> tuple[str, ...]:
    return tuple(info.name for info in msgspec.structs.fields(cls) if info.required)


def _read_row(reading: _Reading, line: int, cells: list[str]) -> None:
    result = reading.result
    result.read += 1
    if any(cell.strip() for cell in cells[len(reading.fields) :]):
        result.problems.append(RowProblem(line, "", f"has {len(cells)} cells, the header {len(reading.fields)}"))
        return
    named = {name: cell for name, cell in zip(reading.fields, cells, strict=False) if name and cell.strip()}
    entry = _entry(reading, line, named)
    if entry is None:
        return
    first = reading.seen.setdefault(entry.key, line)
    remarks = broken_rules(entry) if first == line else [("code", f"stands in line {first} already")]
    result.problems += about(line, entry, remarks)
    if not remarks:
        result.rows.append(Row(line, entry))


def about(line: int, entry: Noun, remarks: Remarks) -> list[RowProblem]:
    """Return remarks on an entry as problems of its line."""
    return [RowProblem(line, name, reason, _shown(entry, name, getattr(entry, name))) for name, reason in remarks]


def _shown(entry: type[Noun] | Noun, name: str, value: Any) -> str | None:
    return None if value is None else masked_value(entry, name, _cell(value))[:_SHOWN]


def _entry(reading: _Reading, line: int, cells: Mapping[str, str]) -> Noun | None:
    """Return the entry of a row; None, and its problems noted, when a cell is missing or cannot be understood."""
    cls, parsers = reading.cls, columns(reading.cls)
    values = _unmasked(reading, cells)
    problems = [RowProblem(line, name, "is required") for name in _required(cls) if name not in cells]
    for name, cell in cells.items():
        if name not in values:
            problems += _read_cell(parsers[name], line, name, cell, values, cls)
    reading.result.problems += problems
    return None if problems else cls(**values)


def _read_cell(
    parser: Parse, line: int, name: str, cell: str, values: dict[str, Any], cls: type[Noun]
) -> list[RowProblem]:
    try:
        values[name] = parser(cell)
    except CellError as error:
        return [RowProblem(line, name, str(error), _shown(cls, name, cell.strip()))]
    return []


def _unmasked(reading: _Reading, cells: Mapping[str, str]) -> dict[str, Any]:
    """Return the kept values of the private cells that hold nothing but their masks."""
    hidden = [name for name in reading.cls.private & cells.keys() if MASK in cells[name]]
    kept = reading.kept(tidy(cells.get("code", ""))) if hidden else None
    if kept is None:
        return {}
    shown = masked(kept)
    return {name: getattr(kept, name) for name in hidden if tidy(cells[name]) == shown[name]}


def render(cls: type[Noun], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows of JSON-able values as CSV with a header of field names.

    For a spreadsheet encode it as `utf-8-sig`: without the BOM it takes Chinese for another encoding.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(cls.__struct_fields__)
    writer.writerows([_guarded_cell(row[name]) for name in cls.__struct_fields__] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ";".join(value)
        case _:
            return str(value)


def _guarded_cell(value: Any) -> str:
    """Return the cell; only texts need a guard, for a negative number is none."""
    return guarded(value) if isinstance(value, str) else _cell(value)
