"""Recordings: any CSV with a time column becomes the records its devices would have made."""

import json
from pathlib import Path

import pytest

from domain.errors import InputError
from domain.places import DevicePath
from domain.records import REGISTER, START, TICK
from emberwatch.backtest.recording import (
    Channel,
    given_name,
    parse_mapping,
    read_recording,
    read_time,
    records,
)

EAST = DevicePath("backtest", "recording", "E")
TWO = (Channel("e", EAST, "ch4_ppm"), Channel("t", EAST, "temp_c"))


def write(folder: Path, text: str) -> Path:
    file = folder / "readings.csv"
    file.write_text(text, "utf-8")
    return file


def test_a_mapping_names_column_device_and_measurand() -> None:
    """A device is a name, or a whole path."""
    assert parse_mapping("E=E:ch4_ppm") == Channel("E", EAST, "ch4_ppm")
    assert parse_mapping("x=a/b/c:co_ppm").device == DevicePath("a", "b", "c")


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


@pytest.mark.parametrize(
    "text",
    [
        "2022-05-09T00:00:00Z",
        "2022-05-09 00:00:00",
        "2022-05-09T08:00:00+08:00",
        "1652054400",
        "1652054400000",
        "2022/5/9 0:00",
        "2022/05/09",
        " 1652054400.0 ",
    ],
)
def test_times_are_read_in_every_common_form(text: str) -> None:
    """ISO 8601 with or without offset, epoch seconds, epoch milliseconds."""
    assert read_time(text) == 1_652_054_400_000


def test_empty_cells_are_gaps_and_words_are_counted(tmp_path: Path) -> None:
    """A gap is silence; a word is worth a remark."""
    file = write(tmp_path, "time,e,t\n0,1.5,20\n60,,20\n120,broken,inf\n")
    recording = read_recording(file, "time", TWO)
    assert recording.readings == 3
    assert recording.skipped == 2


def test_rows_out_of_order_are_sorted_and_counted(tmp_path: Path) -> None:
    """The journal's time never goes back."""
    recording = read_recording(write(tmp_path, "time,e,t\n60,1,1\n0,2,2\n"), "time", TWO)
    assert [moment for moment, _ in recording.rows] == [0, 60_000]
    assert recording.reordered == 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a,e,t\n", "no column 'time'"),
        ("time,e,t\n", "no rows"),
        ("time,e,t\nnoon,1,1\n", "line 2"),
        ("time,e,t\n5\n", "line 2"),
    ],
)
def test_a_bad_file_is_explained(tmp_path: Path, text: str, word: str) -> None:
    """By column or by line."""
    with pytest.raises(InputError, match=word):
        read_recording(write(tmp_path, text), "time", TWO)


def test_records_begin_with_start_and_registers_and_tick_with_time(tmp_path: Path) -> None:
    """One message a device and moment, in the device's own time."""
    recording = read_recording(write(tmp_path, "time,e,t\n60,1.5,20\n120,,\n"), "time", TWO)
    made = list(records(recording))
    assert [r.topic for r in made] == [START, REGISTER, TICK, "safety/v1/backtest/recording/E/telemetry", TICK, TICK]
    assert json.loads(made[3].payload) == {"ts": 60_000, "v": {"ch4_ppm": 1.5, "temp_c": 20.0}}


def test_a_file_as_chinese_spreadsheets_write_it_is_read(tmp_path: Path) -> None:
    """GB18030, dates with strokes, hours without a leading zero."""
    file = tmp_path / "r.csv"
    file.write_bytes("时间,浓度\n2022/5/9 8:05,3.5\n".encode("gb18030"))
    recording = read_recording(file, "时间", (Channel("浓度", EAST, "ch4_lel"),))
    assert recording.rows == [(1_652_083_500_000, (3.5,))]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is empty"),
        ("time,e,e\n0,1,2\n", "2 columns 'e'"),
        ("time,e,t\n0,1,5,2\n", "line 2: 4 columns"),
        ("time,e,t\n0,x,1\n", "column 'e' holds no number"),
        ("time,e,t\n9999-12-31T23:59:59Z,1,1\n", "between 1970 and 2200"),
        ("time,e,t\ninf,1,1\n", "between 1970 and 2200"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(tmp_path: Path, text: str, word: str) -> None:
    """A wrong number taken for a reading is worse than no run."""
    with pytest.raises(InputError, match=word):
        read_recording(write(tmp_path, text), "time", TWO)
