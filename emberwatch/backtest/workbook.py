"""Cells of a workbook (Office Open XML): the first sheet's, as text, dates as ISO 8601."""

import datetime as dt
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from domain.errors import InputError

_UNREADABLE = (InvalidFileException, zipfile.BadZipFile, ParseError, KeyError, IndexError, ValueError, TypeError)


def workbook_rows(file: Path) -> Iterator[list[str]]:
    """Yield the cells of every row of the first sheet; raise InputError when the file is no such workbook."""
    try:
        book = load_workbook(file, read_only=True, data_only=True)
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield [_text(value) for value in row]
    except _UNREADABLE as error:
        raise InputError(f"{file} is no workbook that can be read: save it as CSV and give that file") from error


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, dt.time):
        return value.strftime("%H:%M:%S.%f")
    return "" if value is None else str(value).strip()
