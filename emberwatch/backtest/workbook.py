"""Cells of a workbook (Office Open XML, ECMA-376): the first sheet's, as text, dates as ISO 8601."""

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

from domain.errors import InputError

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_DATES = {*range(14, 23), *range(45, 48), *range(27, 37), *range(50, 59)}
"""Built-in number formats that are dates or times (18.8.30), those of Chinese editions among them."""
_DATE_FORMAT = re.compile(r"[ymdhs年月日时]", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_COLUMN = re.compile(r"[A-Z]+")
_EPOCH = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)
"""Day 0 of serial dates after February 1900, with the leap day that the format believes in."""
_MOST_COLUMNS = 16_384


def workbook_rows(file: Path) -> Iterator[list[str]]:
    """Yield the cells of every row of the first sheet; raise InputError when the file is no such workbook."""
    try:
        with zipfile.ZipFile(file) as parts:
            texts, dates = _texts(parts), _date_styles(parts)
            with parts.open(_first_sheet(parts)) as sheet:
                for _, row in ET.iterparse(sheet):  # noqa: S314  the user's own file; expat bounds what entities may become
                    if row.tag == f"{_MAIN}row":
                        yield _cells(row, texts, dates)
                        row.clear()
    except (zipfile.BadZipFile, KeyError, IndexError, ValueError, ET.ParseError) as error:
        raise InputError(f"{file} is no workbook that can be read: save it as CSV and give that file") from error


def _parse(part: IO[bytes]) -> ET.Element:
    return ET.parse(part).getroot()  # noqa: S314  as above


def _texts(parts: zipfile.ZipFile) -> list[str]:
    """Return the texts that cells refer to by number."""
    if "xl/sharedStrings.xml" not in parts.namelist():
        return []
    with parts.open("xl/sharedStrings.xml") as part:
        return ["".join(t.text or "" for t in item.iter(f"{_MAIN}t")) for item in _parse(part).iter(f"{_MAIN}si")]


def _date_styles(parts: zipfile.ZipFile) -> set[str]:
    """Return the numbers of the cell styles that show dates or times."""
    if "xl/styles.xml" not in parts.namelist():
        return set()
    with parts.open("xl/styles.xml") as part:
        root = _parse(part)
    own = {
        int(form.attrib["numFmtId"])
        for form in root.iter(f"{_MAIN}numFmt")
        if _DATE_FORMAT.search(_QUOTED.sub("", form.attrib["formatCode"]))
    }
    styles = root.find(f"{_MAIN}cellXfs")
    listed = [] if styles is None else list(styles)
    return {str(i) for i, style in enumerate(listed) if int(style.get("numFmtId", "0")) in _DATES | own}


def _first_sheet(parts: zipfile.ZipFile) -> str:
    with parts.open("xl/workbook.xml") as part:
        wanted = next(_parse(part).iter(f"{_MAIN}sheet")).attrib[_RELATED]
    with parts.open("xl/_rels/workbook.xml.rels") as part:
        target = next(link.attrib["Target"] for link in _parse(part) if link.attrib["Id"] == wanted)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _cells(row: ET.Element, texts: list[str], dates: set[str]) -> list[str]:
    cells: list[str] = []
    for cell in row.iter(f"{_MAIN}c"):
        place = _place(cell.get("r", ""), len(cells))
        cells += [""] * (place - len(cells))
        cells.append(_text(cell, texts, dates))
    return cells


def _place(reference: str, following: int) -> int:
    """Return the column of a reference such as C7; a cell without one follows the one before."""
    letters = _COLUMN.match(reference)
    place = 0
    for letter in letters[0] if letters else "":
        place = 26 * place + ord(letter) - ord("A") + 1
    return min(place, _MOST_COLUMNS) - 1 if letters else following


def _text(cell: ET.Element, texts: list[str], dates: set[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(t.text or "" for t in cell.iter(f"{_MAIN}t")).strip()
    value = cell.findtext(f"{_MAIN}v", "")
    if cell.get("t") == "s":
        return texts[int(value)].strip()
    if value and cell.get("t", "n") == "n" and cell.get("s") in dates:
        return _date(float(value))
    return value.strip()


def _date(serial: float) -> str:
    """Return a serial date as ISO 8601, to the millisecond that its digits carry; a time of day has no date."""
    moment = _EPOCH + dt.timedelta(milliseconds=round(serial * 86_400_000))
    return moment.strftime("%H:%M:%S.%f" if serial < 1 else "%Y-%m-%d %H:%M:%S.%f")
