"""What is known to have happened: events in every shape that people publish them."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InputError
from emberwatch.backtest.known import read_truth
from emberwatch.backtest.truth import Interval

MINUTE = 60_000
EVENT = Interval(0, MINUTE)


def table(folder: Path, text: str) -> Path:
    file = folder / "truth.csv"
    file.write_text(text, "utf-8")
    return file


def document(folder: Path, value: Any) -> Path:
    file = folder / "truth.json"
    file.write_text(json.dumps(value), "utf-8")
    return file


@pytest.mark.parametrize(
    "text",
    [
        "start,end,rate\n1970-01-01T08:00:00+08:00,1970-01-01T00:01:00,5\n",
        "start_utc,end_utc,rate\n1970-01-01T08:00:00+08:00,1970-01-01T00:01:00,5\n",
        "id;tc_ExpStartDatetime;tc_ExpEndDatetime\n7;1970-01-01 00:00;1970-01-01 00:01\n",
        "开始时间,结束时间\n1970/1/1 0:00,1970/1/1 0:01\n",
        "ignition (s),extinguished until (s)\n0,60\n",
        "start_ms,stop_ms\n0,60000\n",
        "timestamp,label\n0,1\n30,1\n60,1\n90,0\n",
        "time,state\n1970-01-01 00:00:00,1\n",
    ],
)
def test_tables_of_events_are_read(tmp_path: Path, text: str) -> None:
    """Start and end by many names, in every time; or rows with a label."""
    (event,) = read_truth(table(tmp_path, text))
    assert event.start_ms == 0
    assert event == EVENT or "state" in text


def test_a_moment_alone_is_an_event_without_length(tmp_path: Path) -> None:
    """Found only by an alarm that stands then."""
    assert read_truth(table(tmp_path, "timestamp\n0\n60\n")) == [Interval(0, 0), Interval(MINUTE, MINUTE)]


def test_a_fire_of_which_only_the_ignition_is_known_burns_to_the_end(tmp_path: Path) -> None:
    """The recording ends before it does."""
    (fire,) = read_truth(table(tmp_path, "ignition\n0\n"))
    assert fire.start_ms == 0
    assert fire.end_ms > 2**42


def test_events_of_other_files_are_left_out(tmp_path: Path) -> None:
    """One list of events for a folder of recordings."""
    file = table(tmp_path, "file,start,end\na/r1.csv,0,60\na/r2.csv,120,180\n")
    assert read_truth(file, [Path("r1.csv")]) == [EVENT]


@pytest.mark.parametrize(
    "value",
    [
        [[0, 60]],
        [["1970-01-01 00:00:00.000000", "1970-01-01 00:01:00.000000"]],
        [{"start": 0, "end": 60}],
        {"known/r1.csv": [["1970-01-01 00:00:00", "1970-01-01 00:01:00"]], "known/r2.csv": []},
        {"r1": [{"start_time": 0, "end_time": 60}]},
        {"events": [[0, 60]]},
    ],
)
def test_json_of_events_is_read(tmp_path: Path, value: Any) -> None:
    """Pairs or objects, for one recording or by the names of many."""
    assert read_truth(document(tmp_path, value), [Path("data/r1.csv")]) == [EVENT]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a,b\nx,y\n", "no columns of start and end"),
        ("start,end\nnoon,1\n", "line 2"),
        ("start,end\n2000,1000\n", "ends before"),
    ],
)
def test_a_bad_table_is_explained(tmp_path: Path, text: str, word: str) -> None:
    """The message names the line or the columns."""
    with pytest.raises(InputError, match=word):
        read_truth(table(tmp_path, text))


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ({"a": [], "b": []}, "none is named after"),
        ([{"x": 1}], "no list of"),
        (3, "no list of"),
        ([[1, 2, 3]], "no list of"),
    ],
)
def test_bad_json_is_explained(tmp_path: Path, value: Any, word: str) -> None:
    """By what was expected."""
    with pytest.raises(InputError, match=word):
        read_truth(document(tmp_path, value), [Path("r.csv")])


@pytest.mark.parametrize(("day_first", "day"), [(True, 3), (False, 5), (None, 3)])
def test_a_date_that_could_be_two_is_read_as_the_recordings(
    tmp_path: Path,
    day_first: bool | None,  # noqa: FBT001  parametrized
    day: int,
) -> None:
    """One event of an American week says nothing of days and months; the week does."""
    (event,) = read_truth(table(tmp_path, "start,end\n03/05/1970 10:00 AM,03/05/1970 11:00 AM\n"), day_first=day_first)
    at = dt.datetime(1970, 5 if day == 3 else 3, day, 10, tzinfo=dt.UTC)
    assert event.start_ms == at.timestamp() * 1000
