"""Recordings: any table with times becomes arrays of readings, and what was left out is said."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import InputError
from domain.places import DevicePath
from emberwatch.backtest.channels import Channel, given_name, parse_mapping
from emberwatch.backtest.recording import read_recordings

EAST = DevicePath("backtest", "recording", "E")
TWO = ("e=E:ch4_ppm", "t=E:temp_c")


def write(folder: Path, text: str, name: str = "readings.csv") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def test_a_mapping_names_column_device_and_measurand() -> None:
    """A device is a name, or a whole path; a column's name may hold anything."""
    assert parse_mapping("E=E:ch4_ppm") == Channel("E", EAST, "ch4_ppm")
    assert parse_mapping("x=a/b/c:co_ppm").device == DevicePath("a", "b", "c")
    assert parse_mapping("t=0 (ppm)=a/b/c:co_ppm").column == "t=0 (ppm)"


def test_a_device_is_shown_as_it_was_given() -> None:
    """The reader of findings knows the names they typed."""
    assert given_name(str(parse_mapping("E=E:ch4_ppm").device)) == "E"
    assert given_name("a/b/c") == "a/b/c"


@pytest.mark.parametrize(
    ("text", "word"),
    [("E", "not COLUMN"), ("E=E", "not COLUMN"), ("E=E:ch5", "no measurand"), ("E=a b:ch4_ppm", "device")],
)
def test_a_bad_mapping_is_explained(text: str, word: str) -> None:
    """The message shows the right form or the known names."""
    with pytest.raises(InputError, match=word):
        parse_mapping(text)


def test_empty_cells_are_gaps_and_words_are_counted(tmp_path: Path) -> None:
    """A gap is silence; a word is worth a remark."""
    recording = read_recordings([write(tmp_path, "time,e,t\n0,1.5,20\n60,,20\n120,broken,inf\n")], "time", TWO)
    assert recording.readings == 3
    assert any("2 cells were neither" in remark for remark in recording.remarks)


def test_rows_out_of_order_are_sorted_and_counted(tmp_path: Path) -> None:
    """The journal's time never goes back."""
    recording = read_recordings([write(tmp_path, "time,e,t\n60,1,1\n0,2,2\n")], "time", TWO)
    assert recording.times.tolist() == [0, 60_000]
    assert any(remark.startswith("1 rows were not in order") for remark in recording.remarks)


def test_a_row_told_twice_counts_once(tmp_path: Path) -> None:
    """Exports overlap; two readings of one moment that differ are both kept."""
    recording = read_recordings(
        [write(tmp_path, "time,e,t\n0,1,1\n0,1,1\n60,1,\n60,1,\n90,1,1\n90,2,1\n")], "time", TWO
    )
    assert recording.times.tolist() == [0, 60_000, 90_000, 90_000]
    assert any(remark.startswith("2 rows repeat") for remark in recording.remarks)


def test_a_few_broken_rows_are_left_out_and_named(tmp_path: Path) -> None:
    """A total at the end, a line torn by a full disk: no reason to refuse the rest, nor to be silent."""
    rows = "".join(f"{i},1,2\n" for i in range(100))
    recording = read_recordings([write(tmp_path, f"time,e,t\n{rows}Total: 100\n")], "time", TWO)
    assert (recording.rows, recording.readings) == (101, 200)
    assert any("1 rows could not be read" in remark and "line 102" in remark for remark in recording.remarks)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a,e,t\n0,1,1\n", "no column 'time'"),
        ("time,e,t\n", "no rows"),
        ("time,e,t\nnoon,1,1\n", "line 2"),
        ("time,e,t\n5\n", "line 2"),
        ("", "is empty"),
        ("time,e,e\n0,1,2\n", "2 columns 'e'"),
        ("time,e,t\n0,1,5,2\n", "line 2: 4 columns"),
        ("time,e,t\n0,x,1\n", "column 'e' holds no number"),
        ("time,e,t\n9999-12-31T23:59:59Z,1,1\n", "between 1970 and 2200"),
        ("time,e,t\ninf,1,1\n", "between 1970 and 2200"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(tmp_path: Path, text: str, word: str) -> None:
    """By column or by line: a wrong number taken for a reading is worse than no run."""
    with pytest.raises(InputError, match=word):
        read_recordings([write(tmp_path, text)], "time", TWO)


def test_what_is_neither_text_nor_a_workbook_is_refused_with_advice(tmp_path: Path) -> None:
    """Torn archives, workbooks of the last century, programs."""
    for content in (b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0\x00\x00", b"\x7fELF\x00\x00"):
        file = tmp_path / "book.xlsx"
        file.write_bytes(content)
        with pytest.raises(InputError, match="CSV"):
            read_recordings([file])


def test_a_file_as_chinese_spreadsheets_write_it_is_read(tmp_path: Path) -> None:
    """GB18030, dates with strokes, hours without a leading zero."""
    file = tmp_path / "r.csv"
    file.write_bytes("时间,浓度\n2022/5/9 8:05,3.5\n".encode("gb18030"))
    recording = read_recordings([file], "时间", ["浓度=E:ch4_lel"])
    assert recording.times.tolist() == [1_652_083_500_000]
    assert recording.values.tolist() == [[3.5]]


def test_files_one_after_another_are_one_device(tmp_path: Path) -> None:
    """A file a day is one series; the device is called after the first."""
    first = write(tmp_path, "time,x\n0,1\n60,2\n", "monday.csv")
    second = write(tmp_path, "time,x\n120,3\n180,4\n", "tuesday.csv")
    recording = read_recordings([second, first])
    assert [str(c.device) for c in recording.channels] == ["backtest/recording/tuesday"]
    assert recording.values[:, 0].tolist() == [1, 2, 3, 4]


def test_files_of_the_same_time_are_devices_of_their_own(tmp_path: Path) -> None:
    """One device cannot be in two places."""
    files = [write(tmp_path, f"time,x\n0,{i}\n60,{i}\n", f"s{i}.csv") for i in (1, 2)]
    recording = read_recordings(files)
    assert [given_name(str(c.device)) for c in recording.channels] == ["s1", "s2"]
    assert np.isfinite(recording.values).sum() == 4


LONG = "time,sensor,ppm CH4\n" + "".join(f"{60 * i},S{d},{i + d}\n" for i in range(20) for d in (1, 2))


def test_rows_that_name_their_sensor_are_as_many_devices(tmp_path: Path) -> None:
    """A long table is no interleaved series of one; how it was understood is an option to copy."""
    file = write(tmp_path, LONG)
    recording = read_recordings([file])
    assert [given_name(str(c.device)) for c in recording.channels] == ["S1", "S2"]
    assert (recording.rows, recording.readings) == (40, 40)
    assert recording.series(1)[1].tolist() == list(range(2, 22))
    (said,) = (remark for remark in recording.remarks if remark.startswith("read as"))
    assert said == "read as --map 'ppm CH4={sensor}:ch4_ppm'"
    again = read_recordings([file], mapping=["ppm CH4={sensor}:ch4_ppm"])
    assert again.channels == recording.channels
    assert np.array_equal(again.values, recording.values, equal_nan=True)


def test_a_column_that_names_no_device_is_explained(tmp_path: Path) -> None:
    """The token is a column's name."""
    with pytest.raises(InputError, match="no column 'node'"):
        read_recordings([write(tmp_path, LONG)], mapping=["ppm CH4={node}:ch4_ppm"])


CELL = st.one_of(
    st.sampled_from(
        [
            "",
            "time",
            "sensor",
            "label",
            "0",
            "1",
            "-999",
            "1,5",
            "2022-05-09 00:00",
            "1/2/2022",
            "PM",
            "ppm",
            '"',
            "#",
            "°C",
        ]
    ),
    st.floats().map(str),
    st.text(max_size=5),
)
LINES = st.lists(st.lists(CELL, max_size=4), max_size=12)


@given(
    lines=LINES, cut=st.sampled_from([",", ";", "\t", " "]), encoding=st.sampled_from(["utf-8", "utf-16", "gb18030"])
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_is_a_recording_or_a_line_of_advice(
    tmp_path: Path, lines: list[list[str]], cut: str, encoding: str
) -> None:
    """Never a traceback: times ascend and every number is finite or a gap."""
    file = tmp_path / "any.csv"
    file.write_bytes("\n".join(cut.join(cells) for cells in lines).encode(encoding, "ignore"))
    try:
        recording = read_recordings([file])
    except InputError:
        return
    assert (np.diff(recording.times) >= 0).all()
    assert not np.isinf(recording.values).any()


@given(content=st.binary(max_size=300))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_a_recording_or_a_line_of_advice(tmp_path: Path, content: bytes) -> None:
    """Programs, pictures, archives."""
    file = tmp_path / "any.bin"
    for start in (b"", b"PK\x03\x04", b"\xff\xfe"):
        file.write_bytes(start + content)
        with contextlib.suppress(InputError):
            read_recordings([file])


def test_devices_with_chinese_names_stay_apart(tmp_path: Path) -> None:
    """A kitchen and a boiler room are not one meter because our device names are Latin; which is which is told."""
    rows = "".join(f"{60 * i},{room},{i}\n" for i in range(20) for room in ("厨房", "锅炉房"))
    recording = read_recordings([write(tmp_path, f"时间(s),位置,甲烷(%LEL)\n{rows}")])
    assert [given_name(str(c.device)) for c in recording.channels] == ["device", "device-2"]
    assert [len(recording.series(i)[0]) for i in (0, 1)] == [20, 20]
    assert "names of devices: 厨房 is device, 锅炉房 is device-2" in recording.remarks


@pytest.mark.parametrize("mapping", [(), ("x={file}:ch4_ppm",)])
@pytest.mark.parametrize("names", [("甲.csv", "乙.csv"), ("a/x.csv", "b/x.csv")])
def test_files_with_alike_names_are_devices_of_their_own(
    tmp_path: Path, names: tuple[str, str], mapping: tuple[str, ...]
) -> None:
    """Two folders may each hold a file of that name."""
    files = []
    for i, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        files.append(write(tmp_path, f"time,x\n0,{i}\n60,{i}\n", name))
    recording = read_recordings(files, mapping=mapping)
    assert [recording.series(i)[1].tolist() for i in range(len(recording.channels))] == [[0, 0], [1, 1]]
    assert any(remark.startswith("names of devices: ") for remark in recording.remarks)


def test_a_column_called_sensor_may_hold_the_readings(tmp_path: Path) -> None:
    """Of few different values, and nothing beside it to judge."""
    recording = read_recordings([write(tmp_path, "time,sensor\n" + "".join(f"{i},{i % 3}\n" for i in range(30)))])
    assert recording.readings == 30


def test_a_label_on_the_rows_of_all_devices_is_one_event(tmp_path: Path) -> None:
    """Alarms of all devices are judged together, so are their labels."""
    rows = "".join(f"{60 * i},{d},{i},{int(i > 10)}\n" for i in range(20) for d in "AB")
    recording = read_recordings([write(tmp_path, f"time,sensor,x,label\n{rows}")])
    assert recording.labelled == ((11 * 60_000, 19 * 60_000),)


def test_a_header_alone_is_said_to_have_no_rows(tmp_path: Path) -> None:
    """Its time column is not the trouble."""
    with pytest.raises(InputError, match="has no rows"):
        read_recordings([write(tmp_path, "time,value\n")])


def test_a_recording_tells_how_its_dates_are_written(tmp_path: Path) -> None:
    """The thirteenth is no month: so are the dates of its events."""
    assert read_recordings([write(tmp_path, "time,x\n03/12/2024 10:00,1\n03/13/2024 10:00,1\n")]).day_first is False
    assert read_recordings([write(tmp_path, "time,x\n2024-03-12,1\n2024-03-13,1\n")]).day_first is None
