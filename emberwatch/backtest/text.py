"""Cells of a text file: its encoding and what separates its cells are found out by looking."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from domain.errors import InputError

_SAMPLE = 400
"""Lines looked at to find the separator."""
_SEPARATORS = ("\t", ";", "|", ",")
"""In this order: a decimal comma makes commas look like separators, but nothing makes a semicolon look like one."""
_BLANKS = " "
_MOSTLY = 0.8
_WESTERN = re.compile("[癈癋]")
"""What ° before C or F looks like when a Western file is read as a Chinese one."""


def text_rows(file: Path) -> Iterator[list[str]]:
    """Yield the cells of every line; raise InputError when the file is no text."""
    encoding = _encoding(file)
    with file.open(encoding=encoding, newline="") as lines:
        separator = _separator(list(islice(lines, _SAMPLE)))
        lines.seek(0)
        yield from _split(lines, separator)


def _encoding(file: Path) -> str:
    """Return UTF-8 or UTF-16, or what Chinese (else Western) spreadsheets write when the file is neither."""
    with file.open("rb") as raw:
        start = raw.read(1024)
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
