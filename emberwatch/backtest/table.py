"""A file of columns as other people's programs write it: where its header is, and what units are below, found out by looking.

Read as a stream, row by row, so that a long recording costs no more memory than its numbers.
"""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from domain.errors import InputError
from emberwatch.backtest.text import text_rows
from emberwatch.backtest.workbook import workbook_rows

_SAMPLE = 400
"""Rows looked at to find the header, and what columns hold."""
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_MOMENT = re.compile(r"[\dT:/.+\s年月日时分秒Z-]*\d[:/.年-]\d.*")
_MISSING = frozenset(("", "?", "-", "--", "na", "n/a", "#n/a", "nan", "null", "none", "nodata", "no data", "无", "/"))
_SENTINEL = re.compile(r"-9{3,5}([.,][09]+)?")
"""What loggers write for no reading: -999, -9999, -99999."""
_LOWEST = -999
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")


class Table(NamedTuple):
    """One file: column names, the unit of each ("" where none is said), and where its rows begin."""

    file: Path
    names: tuple[str, ...]
    units: tuple[str, ...]
    first: int
    """How many lines come before the first row of data."""
    sample: list[list[str]]
    """The first rows."""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, cells) of every row that is not empty; raise InputError when the file cannot be read."""
        for number, cells in enumerate(_rows(self.file), start=1):
            if number > self.first and any(cells):
                yield number, cells

    def place(self, name: str) -> int:
        """Return the index of the column called `name`; raise InputError naming the columns there are."""
        if self.names.count(name) > 1:
            raise InputError(f"{self.file} has {self.names.count(name)} columns '{name}'")
        if name not in self.names:
            raise InputError(f"{self.file} has no column '{name}' (columns: {', '.join(self.names)})")
        return self.names.index(name)


def open_table(file: Path) -> Table:
    """Return the file's table; raise InputError when it is neither text nor a workbook, or has no rows."""
    cells = list(islice(_rows(file), _SAMPLE))
    if not any(any(row) for row in cells):
        raise InputError(f"{file} is empty")
    header = _header_at(cells)
    if _is_data(cells[header]):
        names = [f"column{i}" for i in range(1, len(cells[header]) + 1)]
        return Table(file, tuple(names), ("",) * len(names), header, _said(cells[header:]))
    names = [name.lstrip("#").strip() for name in cells[header]]
    after = header + 1
    units = cells[after] if after < len(cells) and _are_units(cells[after], cells[after + 1 :]) else None
    first = after + (units is not None)
    padded = ((units or []) + [""] * len(names))[: len(names)]
    return Table(file, tuple(names), tuple(padded), first, _said(cells[first:]))


def _said(cells: Sequence[list[str]]) -> list[list[str]]:
    return [row for row in cells if any(row)]


def _rows(file: Path) -> Iterator[list[str]]:
    try:
        with file.open("rb") as raw:
            start = raw.read(4)
        yield from workbook_rows(file) if start == b"PK\x03\x04" else text_rows(file)
    except (OSError, UnicodeError, csv.Error) as error:
        raise InputError(f"cannot read {file}: {error}") from error


def _header_at(cells: Sequence[list[str]]) -> int:
    """Return the line of the header: the first that is as wide as most; what a logger says of itself comes before it."""
    usual = Counter(len(row) for row in cells if any(row)).most_common(1)[0][0]
    return next(i for i, row in enumerate(cells) if len(row) >= usual and any(row))


def _is_data(row: Sequence[str]) -> bool:
    said = [cell for cell in row if cell]
    return all(_NUMBER.fullmatch(cell) or _MOMENT.fullmatch(cell) for cell in said)


def _are_units(row: Sequence[str], below: Sequence[list[str]]) -> bool:
    """Whether the line under the header has words only, while numbers follow."""
    numeric = [i for cells in below[:5] for i, cell in enumerate(cells) if _NUMBER.fullmatch(cell)]
    said = [cell for cell in row if cell and cell.lower() not in _MISSING]
    return bool(numeric and said) and not any(_NUMBER.fullmatch(cell) or _MOMENT.fullmatch(cell) for cell in said)


class Cells:
    """Turns cells into numbers and counts those that are none."""

    def __init__(self) -> None:
        self.sentinels = 0
        self.words = 0
        self.word = ""
        """One of the words, as an example."""

    def number(self, cell: str) -> float:
        """Return the cell's number; NaN where it says nothing."""
        try:
            value = float(cell)
        except ValueError:
            return self._unusual(cell)
        if value <= _LOWEST and _SENTINEL.fullmatch(cell):
            self.sentinels += 1
            return math.nan
        return self._word(cell) if math.isinf(value) else value

    def _unusual(self, cell: str) -> float:
        if cell.lower() in _MISSING:
            return math.nan
        if _THOUSANDS.fullmatch(cell) and (cell.count(",") > 1 or "." in cell):
            return float(cell.replace(",", ""))
        if _NUMBER.fullmatch(cell):
            return self.number(cell.replace(",", "."))
        return self._word(cell)

    def _word(self, cell: str) -> float:
        self.words, self.word = self.words + 1, cell[:40]
        return math.nan
