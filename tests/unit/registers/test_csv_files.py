"""CSV files of registers: what is read, and how every bad row is told. All people invented."""

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from registers.csv_files import Parsed, RowProblem, parse, render
from registers.device import Device
from registers.masking import masked
from registers.nouns import NOUNS, build
from registers.person import Welder
from registers.place import Area, Site

_WELDER = build("welder", {"code": "W1", "name": "张某一", "credential": "C1", "phone": "10000000001"})


def _areas(parsed: Parsed) -> dict[str, str]:
    return {row.entry.key: row.entry.name for row in parsed.rows if isinstance(row.entry, Area)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encodings_that_spreadsheets_write(encoding: str, newline: str) -> None:
    """UTF-8 with and without BOM, GB18030, either line ending."""
    text = newline.join(["code,name", "A1,南环路街道", ""])
    assert _areas(parse("area", text.encode(encoding))) == {"A1": "南环路街道"}


def test_header_of_chinese_titles_in_any_order() -> None:
    """Columns are found by title, not by place."""
    parsed = parse("device", "安装日期,型号编码,编码,场所编码,在用\n2026年1月31日,M1,D1,S1,否\n".encode())
    assert [row.entry for row in parsed.rows] == [
        Device(code="D1", site="S1", model="M1", installed_on=dt.date(2026, 1, 31), in_service=False)
    ]


def test_every_bad_cell_is_told_by_line_column_and_reason() -> None:
    """All faults of all rows in one pass; sound rows stand beside them."""
    text = "code,name,area,lat,lon,risk\nS1,a,A1,north,113,low\nS2,,A1,91,113,deadly\n\nS3,c,A1,33,113,\nS4,d,A1,33,,\n"
    parsed = parse("site", text.encode())
    assert parsed.read == 4
    assert [(row.line, row.entry) for row in parsed.rows] == [
        (5, Site(code="S3", name="c", area="A1", lat=33, lon=113))
    ]
    assert [(problem.line, problem.column) for problem in parsed.problems] == [
        (2, "lat"),
        (3, "name"),
        (3, "lat"),
        (3, "risk"),
        (6, "lon"),
    ]
    assert parsed.problems[0] == RowProblem(2, "lat", "must be a number", "north")
    assert parsed.problems[1] == RowProblem(3, "name", "is required")


def test_line_is_where_the_row_begins() -> None:
    """A quoted cell may run over lines."""
    parsed = parse("area", b'code,name\nA1,"two\nlines"\nbad code,x\n')
    assert [row.line for row in parsed.rows] == [2]
    assert [problem.line for problem in parsed.problems] == [4]


@pytest.mark.parametrize(
    ("header", "column", "reason"),
    [
        ("code", "name", "missing"),
        ("code,name,colour", "colour", "no column of area"),
        ("code,name,名称", "name", "twice"),
        ("code,,name", "", "no column"),
        ("name", "code", "missing"),
    ],
)
def test_wrong_header_reads_no_row(header: str, column: str, reason: str) -> None:
    """A header that is not understood is one clear problem of line 1, not one of every row."""
    parsed = parse("area", f"{header}\nA1,x,y\n".encode())
    assert parsed.rows == []
    assert [(p.line, p.column) for p in parsed.problems if reason in p.reason] == [(1, column)]


def test_empty_file_lacks_its_header() -> None:
    """Nothing at all is told as missing columns."""
    assert [problem.column for problem in parse("area", b"").problems] == ["code", "name"]


def test_repeated_key_is_told_with_its_first_line() -> None:
    """Which of two rows is meant cannot be guessed."""
    parsed = parse("area", b"code,name\nA1,x\nA2,y\nA1,z\n")
    assert _areas(parsed) == {"A1": "x", "A2": "y"}
    assert parsed.problems == [RowProblem(4, "code", "stands in line 2 already", "A1")]


def test_row_with_too_many_cells_is_bad() -> None:
    """A stray comma shifts cells; empty cells at the end do not matter."""
    parsed = parse("area", b"code,name,,\nA1,x,,\nA2,x,y\nA3\n")
    assert _areas(parsed) == {"A1": "x"}
    assert [(problem.line, problem.column) for problem in parsed.problems] == [(3, ""), (4, "name")]


def test_private_values_are_masked_in_problems() -> None:
    """The report of a bad ID number does not spread it."""
    parsed = parse("welder", "code,name,credential,id_number\nW1,张某一,C1,410411199003071234\n".encode())
    assert [problem.value for problem in parsed.problems] == ["410***********1234"]
    assert "199003" not in str(parsed.problems)


def test_mask_that_comes_back_keeps_what_is_kept() -> None:
    """Exported masked, phone edited in a spreadsheet, imported: the name is what the register holds."""
    row = masked(_WELDER) | {"phone": "10000000009"}
    parsed = parse("welder", render(Welder, [row]).encode(), {"W1": _WELDER}.get)
    assert [row.entry for row in parsed.rows] == [msgspec.structs.replace(_WELDER, phone="10000000009")]


def test_mask_of_an_unknown_entry_is_a_problem() -> None:
    """A masked export cannot fill an empty register."""
    parsed = parse("welder", render(Welder, [masked(_WELDER)]).encode())
    assert [(problem.line, problem.column) for problem in parsed.problems] == [(2, "name"), (2, "phone")]
    assert parsed.rows == []


@pytest.mark.parametrize("data", [b"code,name\n\xff\xfe\x00\x80", "code,name\nA1,x\n".encode("utf-16")])
def test_other_bytes_are_refused_with_advice(data: bytes) -> None:
    """Neither UTF-8 nor GB18030: say how to save the file."""
    with pytest.raises(InputError, match="CSV UTF-8"):
        parse("area", data)


def test_what_is_no_csv_is_refused_with_its_line() -> None:
    """A cell without end, larger than any real one."""
    with pytest.raises(InputError, match="line 2 is not CSV"):
        parse("area", b'code,name\nA1,"' + b"x" * 200_000)


def test_unknown_register_is_refused() -> None:
    """The known ones are named."""
    with pytest.raises(InputError, match="known: area, enterprise"):
        parse("street", b"")


@given(st.sampled_from(list(NOUNS)), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(noun: str, data: bytes) -> None:
    """No file whatever makes the reader fail in another way, and every row is sound or has a problem."""
    header = ",".join(NOUNS[noun].__struct_fields__).encode()
    try:
        parsed = parse(noun, header + b"\n" + data)
    except InputError:
        return
    assert len({row.line for row in parsed.rows} | {problem.line for problem in parsed.problems}) == parsed.read


def test_formula_in_a_text_leaves_guarded() -> None:
    """A name that a spreadsheet would run as a formula does not run, and comes back as it was."""
    area = Area(code="-a", name="=HYPERLINK(1)")
    text = render(Area, [msgspec.to_builtins(area)])
    assert text == "code,name\r\n'-a,'=HYPERLINK(1)\r\n"
    assert _areas(parse("area", text.encode())) == {"-a": "=HYPERLINK(1)"}
