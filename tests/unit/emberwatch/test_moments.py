"""Times in every form that programs write them, a column at once."""

import pytest

from domain.errors import InputError
from emberwatch.backtest.moments import NEVER, read_time, read_times

DAY = 86_400_000


@pytest.mark.parametrize(
    "text",
    [
        "2022-05-09T00:00:00Z",
        "2022-05-09 00:00:00",
        "2022-05-09 00:00:00.000000",
        "2022-05-09 00:00:00 UTC",
        "2022-05-09T08:00:00+08:00",
        "2022-05-08T17:00:00.000-0700",
        "2022-05-08 24:00",
        "1652054400",
        "1652054400000",
        "1652054400000000",
        "1652054400000000000",
        " 1652054400.0 ",
        "2022/5/9 0:00",
        "2022/05/09",
        "2022.05.09 00:00",
        "2022年5月9日 0时0分0秒",
        "2022/5/9 上午12:00:00",
        "09-May-2022 00:00:00",
        "9 May 2022 12:00 AM",
        "May 9, 2022 12:00:00 a.m.",
        "20220509",
        "20220509T000000Z",
        "20220509000000",
        "9.5.22 0:00",
    ],
)
def test_times_are_read_in_every_common_form(text: str) -> None:
    """ISO 8601 with or without offset, epochs, spreadsheets of three continents."""
    assert read_time(text) == 1_652_054_400_000


@pytest.mark.parametrize("text", ["noon", "", "inf", "2022-13-01", "31.2.2022 8:00", "25:00", "9999-12-31T23:59:59Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """By name."""
    with pytest.raises(InputError, match="no time between"):
        read_time(text)


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["16/12/2006 17:24", "1/1/2007 17:24"], 16),
        (["12/16/2006 17:24", "1/1/2007 17:24"], 16),
        (["01/02/2020", "01/03/2020", "01/04/2020"], 2),
        (["01/02/2020", "02/02/2020", "03/02/2020"], 2),
    ],
)
def test_the_column_tells_whether_days_or_months_come_first(texts: list[str], days: int) -> None:
    """By a number above twelve anywhere, else by what makes the shorter recording."""
    moments = read_times(texts).ms
    assert moments[-1] - moments[0] == days * DAY


def test_what_nothing_tells_is_assumed_aloud() -> None:
    """One day of readings on the fourth of March or the third of April."""
    assert "03/04/2020 is read as day/month/year" in read_times(["03/04/2020 8:00", "03/04/2020 9:00"]).assumed


def test_one_oclock_in_the_afternoon_is_thirteen() -> None:
    """A clock of twelve hours, half named before or behind."""
    assert read_time("1/13/2020 1:05 PM") == read_time("2020-01-13 13:05") == read_time("2020/1/13 下午1:05:00")


def test_numbers_count_in_the_unit_that_the_header_names() -> None:
    """A welding log's milliseconds from its beginning; an epoch shows by its size that it is one."""
    assert read_times(["0", "100", "200"], "ms").ms.tolist() == [0, 100, 200]
    assert read_times(["0", "0,5"], "min").ms.tolist() == [0, 30_000]
    assert read_times(["1652054400"], "ms").ms.tolist() == [1_652_054_400]
    assert read_times(["1652054400000"], "s").ms.tolist() == [1_652_054_400_000]


def test_seconds_may_count_from_before_the_ignition() -> None:
    """A fire test begins with two minutes of nothing."""
    assert read_times(["-120", "0"]).ms.tolist() == [-120_000, 0]


def test_a_clock_without_a_date_passes_midnight() -> None:
    """The next day, not twenty-four hours back."""
    moments, assumed, _ = read_times(["23:59:59", "00:00:01"])
    assert moments.tolist() == [DAY - 1000, DAY + 1000]
    assert "times of day" in assumed


def test_a_cell_that_is_no_time_is_marked_and_the_others_are_read() -> None:
    """The caller knows its line."""
    assert (read_times(["2022-05-09 00:00:00", "Total", "2022-05-09 00:00:01"]).ms == NEVER).tolist() == [
        False,
        True,
        False,
    ]
