"""Cells of spreadsheets are read as people mean them, or refused with a reason."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registers.cells import CellError, columns, guarded
from registers.device import Device, DeviceKind
from registers.inspector import Inspector
from registers.local_time import LOCAL
from registers.noun import Noun
from registers.permit import Permit, PermitLevel
from registers.person import Certificate, Welder


def _read(cls: type[Noun], field: str, cell: str) -> Any:
    return columns(cls)[field](cell)


def _wide(text: str) -> str:
    """Return the text as a Chinese keyboard types it in full width."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


_DAY = dt.date(2026, 1, 31)
_TIME = dt.datetime(2026, 1, 31, 8, 30, tzinfo=LOCAL)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-31",
        "2026/1/31",
        "2026.1.31",
        "2026年1月31日",
        " 2026-1-31 ",
        _wide("2026-01-31"),
        _wide("2026年1月31日"),
    ],
)
def test_dates_as_people_write_them(cell: str) -> None:
    """Dashes, slashes, points, Chinese words, full width and spaces all mean the same day."""
    assert _read(Device, "installed_on", cell) == _DAY


@pytest.mark.parametrize("cell", ["2026-02-30", "31/1/2026", "46053", "2026-01", "-1y", "today"])
def test_no_date_is_refused(cell: str) -> None:
    """Impossible days and other ways of counting are not guessed at."""
    with pytest.raises(CellError, match=r"must be a date|no day of the calendar"):
        _read(Device, "installed_on", cell)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-31 08:30",
        "2026/1/31 8:30",
        "2026/1/31 8:30:00",
        "2026年1月31日 8：30",
        "2026-01-31T08:30:00+08:00",
        "2026-01-31 00:30 Z",
        "2026-01-31T00:30:00.000000+00:00",
    ],
)
def test_times_without_offset_are_china_standard_time(cell: str) -> None:
    """An offset is obeyed where there is one."""
    assert _read(Permit, "starts_at", cell) == _TIME


@pytest.mark.parametrize("cell", ["2026-01-31", "2026-01-31 25:00", "08:30", "2026-02-30 08:30", "tomorrow"])
def test_half_a_time_is_refused(cell: str) -> None:
    """A day alone is no instant: it does not say when a permit ends."""
    with pytest.raises(CellError, match=r"must be a time|no day of the calendar"):
        _read(Permit, "starts_at", cell)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("yes", True),
        ("是", True),
        ("TRUE", True),
        ("1", True),
        ("no", False),
        ("否", False),
        ("False", False),
        (_wide("0"), False),
    ],
)
def test_yes_and_no(cell: str, value: bool) -> None:  # noqa: FBT001  the expected value
    """English, Chinese, what spreadsheets write, and digits."""
    assert _read(Device, "in_service", cell) is value


@pytest.mark.parametrize(
    ("cell", "value"),
    [("33.7", 33.7), ("-33.70 ", -33.7), (_wide("33.7"), 33.7), (_wide("-33.7"), -33.7), ("3e1", 30.0)],
)
def test_numbers(cell: str, value: float) -> None:
    """Full width and signs are numbers too."""
    assert _read(Device, "lat", cell) == value


@pytest.mark.parametrize("cell", ["north", "nan", "inf", "33,7", "91", "33.7°"])
def test_no_number_is_refused(cell: str) -> None:
    """Words, infinities, other decimal signs and values out of range."""
    with pytest.raises(CellError, match="must be"):
        _read(Device, "lat", cell)


def test_whole_number_may_end_in_point_zero() -> None:
    """Spreadsheets write 60.0; 60.5 seconds is refused."""
    model = next(cls for cls in Noun.__subclasses__() if cls.noun == "model")
    assert _read(model, "interval_s", "60.0") == 60
    with pytest.raises(CellError, match="whole number"):
        _read(model, "interval_s", "60.5")


@pytest.mark.parametrize("cell", ["W1;W2", "W1；W2；", "W1、W2", " W1 , W2 ", _wide("W1;W2")])
def test_lists(cell: str) -> None:
    """Western and Chinese separators, spaces and a last separator."""
    assert _read(Permit, "welders", cell) == ("W1", "W2")


@pytest.mark.parametrize("cell", ["特级", "special", "SPECIAL"])
def test_listed_values_by_name_or_chinese_word(cell: str) -> None:
    """Both languages name the same value."""
    assert _read(Permit, "level", cell) is PermitLevel.SPECIAL


def test_list_of_listed_values() -> None:
    """Kinds of an inspector, mixed languages."""
    assert _read(Inspector, "kinds", "燃气、fire") == (DeviceKind.GAS, DeviceKind.FIRE)


def test_unknown_listed_value_is_told_the_known_ones() -> None:
    """The reason says what would be right."""
    with pytest.raises(CellError, match="one of special, first, second"):
        _read(Permit, "level", "三级")


@pytest.mark.parametrize("cell", ["a b", "a/b", "编码", "x" * 65])
def test_no_code_is_refused(cell: str) -> None:
    """A code is part of a topic: its letters are few, and the reason says which."""
    with pytest.raises(CellError, match="1-64 characters of A-Z"):
        _read(Device, "code", cell)


def test_prose_keeps_its_chinese_punctuation() -> None:
    """Full-width letters and digits become plain ones, brackets and commas stay."""
    assert _read(Device, "name", "　Ａ区１层（东），后厨 ") == "A区1层（东），后厨"


def test_small_x_of_an_id_number_becomes_a_capital() -> None:
    """The check digit X is a capital."""
    assert _read(Welder, "id_number", "11010519491231002x") == "11010519491231002X"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("t11010519491231002x", "T11010519491231002X"),
        ("豫a-01x", "豫a-01x"),
        ("11010519491231002x", "11010519491231002X"),
    ],
)
def test_only_id_numbers_among_certificate_numbers_are_capitals(cell: str, number: str) -> None:
    """Other families number as they like."""
    assert _read(Certificate, "number", cell) == number


@pytest.mark.parametrize("cell", ["4.10411E+17", "4E+17"])
def test_shortened_number_is_refused_with_the_cure(cell: str) -> None:
    """What a spreadsheet has rounded cannot be read back: say how to prevent it."""
    with pytest.raises(CellError, match="format the column as text"):
        _read(Welder, "id_number", cell)


@pytest.mark.parametrize("text", ["=1+1", "+86", "-x", "@home", "'quoted", "plain", ""])
def test_guard_comes_off_again(text: str) -> None:
    """A text that a spreadsheet would run as a formula leaves guarded and comes back as it was."""
    assert not text or guarded(text)[0] not in "=+-@"
    assert not text or _read(Device, "name", guarded(text)) == text


@given(st.sampled_from([Device, Permit, Inspector, Welder]), st.data(), st.text())
def test_any_cell_is_read_or_refused(cls: type[Noun], data: st.DataObject, cell: str) -> None:
    """No text whatever makes the reader fail in another way."""
    field = data.draw(st.sampled_from(list(cls.__struct_fields__)))
    try:
        _read(cls, field, cell)
    except CellError as error:
        assert str(error)  # noqa: PT017  either outcome is right
