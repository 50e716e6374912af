"""Workbooks, made by hand after the standard: the first sheet is a table like any other."""

import zipfile
from pathlib import Path

import pytest

from domain.errors import InputError
from emberwatch.backtest.recording import read_recordings
from emberwatch.backtest.workbook import workbook_rows

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
REL = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
SHEET = (
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>CO (ppm)</t></is></c></row>'
    '<row r="2"><c r="A2" s="1"><v>44690</v></c><c r="B2"><v>1.5</v></c></row>'
    '<row r="3"><c r="A3" s="2"><v>44690.5</v></c><c r="B3" t="str"><v>2.5</v></c><c r="D3"><v>7</v></c></row>'
)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Shared and inline texts, a date by a built-in format and one by its own, a cell left out."""
    file = tmp_path / "book.xlsx"
    with zipfile.ZipFile(file, "w") as parts:
        sheets = '<sheets><sheet name="data" sheetId="1" r:id="rId7"/></sheets>'
        parts.writestr("xl/workbook.xml", f"<workbook {NS} {REL}>{sheets}</workbook>")
        parts.writestr("xl/_rels/workbook.xml.rels", '<r><link Id="rId7" Target="worksheets/sheet1.xml"/></r>')
        parts.writestr("xl/sharedStrings.xml", f"<sst {NS}><si><r><t>时</t></r><r><t>间</t></r></si></sst>")
        formats = '<numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm"/></numFmts>'
        styles = '<cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs>'
        parts.writestr("xl/styles.xml", f"<styleSheet {NS}>{formats}{styles}</styleSheet>")
        parts.writestr("xl/worksheets/sheet1.xml", f"<worksheet {NS}><sheetData>{SHEET}</sheetData></worksheet>")
    return file


def test_cells_are_texts_and_dates_iso(book: Path) -> None:
    """What was left out between two cells is empty."""
    assert list(workbook_rows(book)) == [
        ["时间", "CO (ppm)"],
        ["2022-05-09 00:00:00.000000", "1.5"],
        ["2022-05-09 12:00:00.000000", "2.5", "", "7"],
    ]


def test_a_workbook_is_a_recording(book: Path, tmp_path: Path) -> None:
    """As if it were CSV."""
    clean = tmp_path / "clean.xlsx"
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(clean, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).decode().replace('<c r="D3"><v>7</v></c>', ""))
    recording = read_recordings([clean])
    assert recording.times.tolist() == [1_652_054_400_000, 1_652_097_600_000]
    assert recording.values[:, 0].tolist() == [1.5, 2.5]
    assert [c.measurand for c in recording.channels] == ["co_ppm"]


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    """With advice."""
    file = tmp_path / "book.xlsx"
    with zipfile.ZipFile(file, "w") as parts:
        parts.writestr("a.csv", "x")
    with pytest.raises(InputError, match="save it as CSV"):
        list(workbook_rows(file))
