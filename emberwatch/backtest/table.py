"""A text file of columns as other people's programs write it: encoding, separator, header and units found out by looking.

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

_SAMPLE = 400
"""Lines looked at to find separator and header."""
_SEPARATORS = ("\t", ";", "|", ",")
"""In this order: a decimal comma makes commas look like separators, but nothing makes a semicolon look like one."""
_BLANKS = " "
_MOSTLY = 0.8
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_MOMENT = re.compile(r"[\dT:/.+\s年月日时分秒Z-]*\d[:/.年-]\d.*")
_MISSING = frozenset(("", "?", "-", "--", "na", "n/a", "#n/a", "nan", "null", "none", "nodata", "no data", "无", "/"))
_SENTINEL = re.compile(r"-9{3,5}([.,][09]+)?")
"""What loggers write for no reading: -999, -9999, -99999."""
_LOWEST = -999
_WESTERN = re.compile("[癈癋]")
"""What ° before C or F looks like when a Western file is read as a Chinese one."""
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")


class Table(NamedTuple):
    """One file: column names, the unit of each ("" where none is said), and where its rows begin."""

    file: Path
    names: tuple[str, ...]
    units: tuple[str, ...]
    encoding: str
    separator: str
    first: int
    """How many lines come before the first row of data."""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, cells) of every row that is not empty; raise InputError when the file cannot be read."""
        with _reading(self.file), self.file.open(encoding=self.encoding, newline="") as lines:
            for number, cells in enumerate(_split(lines, self.separator), start=1):
                if number > self.first and any(cells):
                    yield number, cells

    def sample(self) -> list[list[str]]:
        """Return the first rows."""
        return [cells for _, cells in islice(self.rows(), _SAMPLE)]

    def place(self, name: str) -> int:
        """Return the index of the column called `name`; raise InputError naming the columns there are."""
        if self.names.count(name) > 1:
            raise InputError(f"{self.file} has {self.names.count(name)} columns '{name}'")
        if name not in self.names:
            raise InputError(f"{self.file} has no column '{name}' (columns: {', '.join(self.names)})")
        return self.names.index(name)


def open_table(file: Path) -> Table:
    """Return the file's table; raise InputError when it is no text, empty, or has no rows."""
    with _reading(file):
        encoding = _encoding(file)
        with file.open(encoding=encoding, newline="") as lines:
            head = list(islice(lines, _SAMPLE))
    separator = _separator(head)
    cells = list(_split(head, separator))
    if not any(any(row) for row in cells):
        raise InputError(f"{file} is empty")
    header = _header_at(cells)
    if _is_data(cells[header]):
        names = [f"column{i}" for i in range(1, len(cells[header]) + 1)]
        return Table(file, tuple(names), ("",) * len(names), encoding, separator, header)
    names = [name.lstrip("#").strip() for name in cells[header]]
    after = header + 1
    units = cells[after] if after < len(cells) and _are_units(cells[after], cells[after + 1 :]) else None
    padded = ((units or []) + [""] * len(names))[: len(names)]
    return Table(file, tuple(names), tuple(padded), encoding, separator, after + (units is not None))


class _reading:  # noqa: N801  used as a phrase: `with _reading(file)`
    """What can go wrong with a file, in the user's words."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError | UnicodeError | csv.Error):
            raise InputError(f"cannot read {self._file}: {error}") from error


def _encoding(file: Path) -> str:
    """Return UTF-8 or UTF-16, or what Chinese (else Western) spreadsheets write when the file is neither."""
    with file.open("rb") as raw:
        start = raw.read(1024)
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(f"{file} is a spreadsheet's own format: save it there as CSV (UTF-8) and give that file")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if b"\0" in start:
        raise InputError(f"{file} is no text: give a table as CSV or the like")
    for encoding in ("utf-8", "gb18030"):
        with file.open(encoding=encoding) as lines:
            try:
                western = any(_WESTERN.search(line) for line in lines)
            except UnicodeDecodeError:
                continue
        if not western:
            return "utf-8-sig" if encoding == "utf-8" else encoding
    return "latin-1"


def _split(lines: Iterator[str] | Sequence[str], separator: str) -> Iterator[list[str]]:
    if separator == _BLANKS:
        return (line.split() for line in lines)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    return ([cell.strip() for cell in row] for row in reader)


def _separator(head: Sequence[str]) -> str:
    """Return what cuts most lines into the same number of cells, more than one."""
    lines = [line for line in head if line.strip() and not line.startswith("#")]
    for separator in (*_SEPARATORS, _BLANKS):
        widths = Counter(len(row) for row in _split(lines, separator))
        width, often = widths.most_common(1)[0] if widths else (0, 0)
        if width > 1 and often >= _MOSTLY * len(lines):
            return separator
    return ","


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
