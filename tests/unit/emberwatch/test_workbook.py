"""Workbooks: the first sheet is a table like any other."""

import datetime as dt
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from domain.errors import InputError
from emberwatch.backtest.recording import read_recordings
from emberwatch.backtest.workbook import workbook_rows

MIDNIGHT = dt.datetime(2022, 5, 9)  # noqa: DTZ001  cells know no time zone
NOON = dt.datetime(2022, 5, 9, 12)  # noqa: DTZ001


def saved(file: Path, rows: Sequence[Sequence[Any]]) -> Path:
    """Write a workbook whose first sheet has these rows."""
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.create_sheet("notes").append(["nothing"])
    book.save(file)
    return file


def test_cells_are_texts_and_dates_iso(tmp_path: Path) -> None:
    """What was left out between two cells is empty."""
    rows: list[list[Any]] = [["时间", "CO (ppm)", None, None], [MIDNIGHT, 1.5, None, None], [NOON, " 2.5", None, 7]]
    assert list(workbook_rows(saved(tmp_path / "book.xlsx", rows))) == [
        ["时间", "CO (ppm)", "", ""],
        ["2022-05-09 00:00:00.000000", "1.5", "", ""],
        ["2022-05-09 12:00:00.000000", "2.5", "", "7"],
    ]


def test_a_workbook_is_a_recording(tmp_path: Path) -> None:
    """As if it were CSV."""
    rows: list[list[Any]] = [["时间", "CO (ppm)"], [MIDNIGHT, 1.5], [NOON, 2.5]]
    recording = read_recordings([saved(tmp_path / "book.xlsx", rows)])
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
