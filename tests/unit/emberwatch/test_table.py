"""Tables: separators, headers and numbers as other people's programs write them."""

import math
from pathlib import Path

import pytest

from domain.errors import InputError
from emberwatch.backtest.table import Cells, Table, open_table


def opened(folder: Path, text: str, encoding: str = "utf-8") -> Table:
    file = folder / "t.csv"
    file.write_text(text, encoding)
    return open_table(file)


@pytest.mark.parametrize("cut", [",", ";", "\t", "|", " ", ", "])
def test_the_separator_is_what_cuts_lines_alike(tmp_path: Path, cut: str) -> None:
    """Also with a blank behind it."""
    table = opened(tmp_path, "".join(cut.join(row) + "\n" for row in (["t", "a"], ["1", "2"], ["2", "3"])))
    assert (table.names, list(table.rows())) == (("t", "a"), [(2, ["1", "2"]), (3, ["2", "3"])])


def test_decimal_commas_do_not_separate_where_semicolons_do(tmp_path: Path) -> None:
    """Both cut every line alike."""
    assert opened(tmp_path, "t;a\n1,0;2,5\n2,0;3,5\n").names == ("t", "a")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings_are_found_out(tmp_path: Path, encoding: str) -> None:
    """With and without a mark at the beginning."""
    assert opened(tmp_path, "时间,温度\n1,2\n", encoding).names == ("时间", "温度")


def test_quoted_cells_may_hold_anything(tmp_path: Path) -> None:
    """Separators too."""
    assert list(opened(tmp_path, 't,"a, b"\n1,"2,5"\n').rows()) == [(2, ["1", "2,5"])]


def test_comments_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    """The last comment may be the header."""
    table = opened(tmp_path, "# made by a logger\n# t,a\n1,2\n\n2,3\n")
    assert (table.names, [line for line, _ in table.rows()]) == (("t", "a"), [3, 5])


def test_units_below_the_header_are_no_row(tmp_path: Path) -> None:
    """Words where numbers follow."""
    table = opened(tmp_path, "t,a,b\ns,°C,1/m\n1,2,3\n")
    assert (table.units, len(list(table.rows()))) == (("s", "°C", "1/m"), 1)


def test_words_among_words_are_no_units(tmp_path: Path) -> None:
    """A table of names has rows of names."""
    assert opened(tmp_path, "a,b\nx,y\nz,w\n").units == ("", "")


def test_a_column_is_asked_for_by_name(tmp_path: Path) -> None:
    """The names there are are told."""
    table = opened(tmp_path, "t,a\n1,2\n")
    assert table.place("a") == 1
    with pytest.raises(InputError, match=r"columns: t, a"):
        table.place("b")


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1.5", 1.5), ("1,5", 1.5), ("-1e-3", -0.001), ("1,234.5", 1234.5), ("1,234,567", 1234567.0), (".5", 0.5)],
)
def test_numbers_are_read_as_they_are_written(cell: str, number: float) -> None:
    """Decimal points and commas, thousands."""
    assert Cells().number(cell) == number


@pytest.mark.parametrize("cell", ["", "?", "NaN", "N/A", "null", "-", "无"])
def test_what_stands_for_nothing_is_a_gap(cell: str) -> None:
    """Not counted: the file says so itself."""
    cells = Cells()
    assert math.isnan(cells.number(cell))
    assert (cells.words, cells.sentinels) == (0, 0)


@pytest.mark.parametrize("cell", ["-999", "-9999", "-9999.0", "-999.9", "-99999"])
def test_sentinels_are_counted(cell: str) -> None:
    """They look like numbers, so somebody must be told."""
    cells = Cells()
    assert math.isnan(cells.number(cell))
    assert cells.sentinels == 1


@pytest.mark.parametrize("cell", ["broken", "inf", "1.2.3"])
def test_words_are_counted_with_an_example(cell: str) -> None:
    """No number, no gap."""
    cells = Cells()
    assert math.isnan(cells.number(cell))
    assert (cells.words, cells.word) == (1, cell)
