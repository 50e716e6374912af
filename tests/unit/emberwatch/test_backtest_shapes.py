"""Recordings as other people publish them are understood without a word: small twins of their files, made here."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import InputError
from emberwatch.backtest.channels import given_name
from emberwatch.backtest.feed import welders
from emberwatch.backtest.job import Job, perform
from emberwatch.backtest.recording import Recording, read_recordings

BEGIN = dt.datetime(2013, 12, 30, 21, 15, tzinfo=dt.UTC)
BEGIN_MS = round(BEGIN.timestamp() * 1000)
ROWS = 60


def rows(make: Callable[[int], str], n: int = ROWS) -> str:
    return "".join(f"{make(i)}\n" for i in range(n))


def at(i: int, form: str = "%Y-%m-%d %H:%M:%S", step_s: float = 60) -> str:
    return (BEGIN + dt.timedelta(seconds=i * step_s)).strftime(form)


def read(folder: Path, text: str, name: str = "r.csv", encoding: str = "utf-8") -> Recording:
    file = folder / name
    file.write_text(text, encoding)
    return read_recordings([file])


def understood(recording: Recording) -> dict[str, str]:
    return {c.column: f"{given_name(str(c.device))}:{c.measurand}" for c in recording.channels}


def test_one_column_of_values_is_a_device_called_after_the_file(tmp_path: Path) -> None:
    """As the Numenta benchmark writes its series."""
    recording = read(
        tmp_path, "timestamp,value\n" + rows(lambda i: f"{at(i, step_s=300)},{73.9 + i % 3:.8f}"), "m_t.csv"
    )
    assert understood(recording) == {"value": "m-t:value"}
    assert (recording.times[0], recording.step_ms) == (BEGIN_MS, 300_000)


def test_date_and_time_in_two_columns_and_question_marks_for_gaps(tmp_path: Path) -> None:
    """As the household power consumption of Sceaux; its mains voltage is no welder's."""
    text = "Date;Time;Global_active_power;Voltage;Global_intensity\n"
    text += rows(lambda i: f"{at(i, '%d/%m/%Y;%H:%M:%S')};" + ("?;?;?" if i == 5 else "4.216;234.84;18.4"))
    recording = read(tmp_path, text, "power.txt")
    assert set(understood(recording).values()) == {
        "Global-active-power:value",
        "power:voltage_v",
        "Global-intensity:value",
    }
    assert recording.times[0] == BEGIN_MS
    assert recording.readings == 3 * (ROWS - 1)
    assert not welders(recording)


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    """As Portuguese load diagrams write quarter hours."""
    recording = read(tmp_path, '"";"MT_001";"MT_002"\n' + rows(lambda i: f'"{at(i, step_s=900)}";2,5{i};0,0'))
    assert understood(recording) == {"MT_001": "MT-001:value", "MT_002": "MT-002:value"}
    assert recording.values[3].tolist() == [2.53, 0.0]


def test_two_numbers_a_line_without_a_header(tmp_path: Path) -> None:
    """Epoch seconds and watts, parted by a blank."""
    recording = read(tmp_path, rows(lambda i: f"{1352500095 + 6 * i} {599 + i}"), "channel_1.dat")
    assert understood(recording) == {"column2": "channel-1:value"}
    assert recording.times[0] == 1_352_500_095_000


def test_a_second_column_of_time_is_no_reading(tmp_path: Path) -> None:
    """Local time and epoch side by side."""
    recording = read(
        tmp_path, "Time,Unix,Aggregate\n" + rows(lambda i: f"{at(i, step_s=8)},{1388438100 + 8 * i},{300 + i}")
    )
    assert understood(recording) == {"Aggregate": "r:value"}
    assert any("columns left out: Unix" in remark for remark in recording.remarks)


def test_gas_with_its_unit_is_that_gas_of_a_sensor_called_after_the_rest(tmp_path: Path) -> None:
    """Several sensors side by side; the wind is nobody's alarm."""
    text = "time_utc,S1_CH4 (ppm),S2 methane [ppb],wind (m/s)\n"
    recording = read(tmp_path, text + rows(lambda i: f"{at(i, '%Y-%m-%dT%H:%M:%SZ')},{2 + i},2000,{i}"))
    assert understood(recording) == {
        "S1_CH4 (ppm)": "s1:ch4_ppm",
        "S2 methane [ppb]": "s2:ch4_ppm",
    }
    assert recording.values[0].tolist() == [2.0, 2.0]
    assert any("left out: wind (m/s)" in remark for remark in recording.remarks)


def test_a_gas_without_a_unit_is_a_plain_number(tmp_path: Path) -> None:
    """A resistance taken for ppm would make alarms of nothing."""
    recording = read(tmp_path, "time,CH4,CO2 (ppm)\n" + rows(lambda i: f"{i},{12000 + i},{400 + i}"))
    assert {text.rpartition(":")[2] for text in understood(recording).values()} == {"value"}


def test_units_in_a_row_of_their_own_and_seconds_from_before_an_ignition(tmp_path: Path) -> None:
    """As fire tests are written; what stands at one place is one detector."""
    text = "Time,TC1,Smoke1,CO,TC2\ns,F,1/m,ppm,C\n" + rows(lambda i: f"{i - 30},68,0.1,{i},21")
    recording = read(tmp_path, text, "fire.csv")
    assert understood(recording) == {
        "TC1": "fire-1:temp_c",
        "Smoke1": "fire-1:smoke_dbm",
        "CO": "fire:co_ppm",
        "TC2": "fire-2:temp_c",
    }
    assert recording.times[0] == -30_000
    assert recording.values[0] == pytest.approx([20.0, 0.4343, 0.0, 21.0])


def test_a_column_of_labels_says_what_is_known(tmp_path: Path) -> None:
    """Runs of marked rows are events; change points are neither labels nor readings."""
    text = "datetime;Volume Flow RateRMS;anomaly;changepoint\n"
    recording = read(
        tmp_path, text + rows(lambda i: f"{at(i, step_s=1)};{32 + i % 2};{float(20 <= i < 30)};{float(i == 20)}")
    )
    assert understood(recording) == {"Volume Flow RateRMS": "r:value"}
    assert recording.labelled == ((BEGIN_MS + 20_000, BEGIN_MS + 29_000),)


@pytest.mark.parametrize(("name", "usual", "odd"), [("Normal/Attack", "Normal", "Attack"), ("标签", "正常", "泄漏")])
def test_labels_may_be_words(tmp_path: Path, name: str, usual: str, odd: str) -> None:
    """Whatever is not usual is the matter."""
    text = f" Timestamp,LIT101,{name}\n" + rows(
        lambda i: f" {at(i, '%d/%m/%Y %I:%M:%S %p')},{500 + i % 2},{odd if i > 50 else usual}"
    )
    assert len(read(tmp_path, text).labelled or ()) == 1


@pytest.mark.parametrize(
    ("header", "time"),
    [
        ("time_s,current_A,voltage_V", lambda i: f"{i / 10:.1f}"),
        ("Time [ms];Current [A];Voltage [V]", lambda i: f"{i * 100}"),
        ("时间,电流(A),电压(V)", lambda i: at(i, "%Y/%m/%d %H:%M:%S.%f", 0.1)),
    ],
)
def test_current_and_voltage_of_a_welder_are_one_machine(
    tmp_path: Path, header: str, time: Callable[[int], str]
) -> None:
    """By their low voltage, in any language and base of time."""
    cut = ";" if ";" in header else ","
    recording = read(tmp_path, f"{header}\n" + rows(lambda i: f"{time(i)}{cut}180.5{cut}24.1"), "w1.csv")
    assert list(understood(recording).values()) == ["w1:current_a", "w1:voltage_v"]
    assert recording.step_ms == 100
    assert [path.device for path in welders(recording)] == ["w1"]


def test_a_batterys_current_and_voltage_are_a_meters(tmp_path: Path) -> None:
    """Too little current for an arc: judged by its own history like any quantity."""
    recording = read(tmp_path, "time,Voltage (V),Current (A)\n" + rows(lambda i: f"{i},{4.1 - i / 100},{2 + i % 2}"))
    assert set(understood(recording).values()) == {"r:voltage_v", "r:current_a"}
    assert not welders(recording)


def test_a_pumps_warmth_is_not_its_cables(tmp_path: Path) -> None:
    """Current and voltage are a meter's; a temperature beside them is another device's."""
    text = "time,Current,Temperature,Voltage\n" + rows(lambda i: f"{i},{2 + i % 2},{79 + i % 2},{230 + i % 3}")
    assert list(understood(read(tmp_path, text)).values()) == ["r:current_a", "r-temp-c:temp_c", "r:voltage_v"]


def test_waves_are_told_as_a_meter_tells_them(tmp_path: Path) -> None:
    """Ten thousand rows a second of an alternating arc: its mean current is none, its effective one is what burns."""
    make = lambda i: f"{i / 10},{200 if i // 50 % 2 else -200},{24 if i // 50 % 2 else -24},{20 + i % 2}"  # noqa: E731
    recording = read(tmp_path, "time_ms,current (A),voltage (V),temp\n" + rows(make, 4_990))
    assert recording.times.tolist() == [0, 100, 200, 300, 400]
    assert recording.values[1].tolist() == pytest.approx([200.0, 24.0, 20.5])
    assert any("faster than a meter" in remark for remark in recording.remarks)


def test_a_spreadsheet_from_china(tmp_path: Path) -> None:
    """GBK, Chinese words, a column of words."""
    text = "时间,浓度(%LEL),温度℃,状态\n" + rows(lambda i: f"{at(i, '%Y/%m/%d %H:%M')},{1 + i % 2},25,正常")
    recording = read(tmp_path, text, encoding="gbk")
    assert understood(recording) == {"浓度(%LEL)": "r:lel", "温度℃": "r:temp_c"}


def test_a_western_degree_sign_is_not_chinese(tmp_path: Path) -> None:
    """In Latin-1 it reads as a character of GBK."""
    text = "Date/Time,Temp (°F)\n" + rows(lambda i: f"{at(i, '%m/%d/%Y %I:%M:%S %p')},{68 + i % 2}")
    recording = read(tmp_path, text, encoding="latin-1")
    assert understood(recording) == {"Temp (°F)": "r:temp_c"}
    assert recording.values[0, 0] == pytest.approx(20.0)
    assert recording.times[0] == BEGIN_MS


def test_what_a_logger_says_of_itself_comes_before_the_header(tmp_path: Path) -> None:
    """UTF-16, tabs, epoch microseconds."""
    text = "Logger: X1\nSerial;77\nTimestamp\tCO ppm\n" + rows(lambda i: f"{1700000000000000 + i * 60000000}\t{3 + i}")
    recording = read(tmp_path, text, encoding="utf-16")
    assert understood(recording) == {"CO ppm": "r:co_ppm"}
    assert (recording.times[0], len(recording.times)) == (1_700_000_000_000, ROWS)


def test_sentinels_are_no_readings_and_are_counted(tmp_path: Path) -> None:
    """-999 ppm is a logger's way to say nothing."""
    recording = read(tmp_path, "time,h2s ppm\n" + rows(lambda i: f"{at(i)},{-999 if i == 7 else 0.1}"))
    assert recording.readings == ROWS - 1
    assert any("1 cells hold -999" in remark for remark in recording.remarks)


@pytest.mark.parametrize(
    ("text", "advice"),
    [("name,place\na,b\n", "--time COLUMN"), ("time,place\n2013-01-01,b\n2013-01-02,b\n", "no column of numbers")],
)
def test_what_cannot_be_understood_says_what_to_add(tmp_path: Path, text: str, advice: str) -> None:
    """One line, with the columns there are."""
    with pytest.raises(InputError, match=advice):
        read(tmp_path, text)


def test_a_labelled_file_is_judged_without_a_flag(tmp_path: Path) -> None:
    """Recall, delay, false events, share of time and order of scores; and how the columns were understood."""
    file = tmp_path / "pump.csv"
    make = lambda i: f"{at(i, step_s=60)},{50 + i % 3 + (30 if 900 <= i < 1000 else 0)},{int(900 <= i < 1000)}"  # noqa: E731
    file.write_text("timestamp,pressure,label\n" + rows(make, 1200), "utf-8")
    result = perform(Job((file,)))
    verdict = result.summary["truth"]
    assert (verdict["total"], verdict["found"], verdict["false_events"]) == (1, 1, 0)
    assert verdict["score_auc"] > 0.9
    assert any("--map 'pressure=pump:value'" in note for note in result.notes)


def test_arcs_of_a_welders_log_are_jobs_and_the_note_says_why(tmp_path: Path) -> None:
    """Nobody is scanned in here: the jobs are where that rule stands."""
    file = tmp_path / "w1.csv"
    burning = {*range(300, 600), *range(900, 1100)}
    make = lambda i: f"{i},{180 + i % 9 if i in burning else 0},{24 + i % 5 / 10 if i in burning else 62}"  # noqa: E731
    file.write_text("time (s),current (A),voltage (V)\n" + rows(make, 1500), "utf-8")
    result = perform(Job((file,), only=("W102",)))
    assert result.summary["findings"] == {"W102": 2}
    assert any("no welder is scanned in" in note for note in result.notes)


def test_dates_are_not_compared_with_seconds_from_an_ignition(tmp_path: Path) -> None:
    """Or a fire that began in 1970 would burn through everything."""
    file, truth = tmp_path / "r.csv", tmp_path / "t.csv"
    file.write_text("time,value\n" + rows(lambda i: f"{at(i)},{i}"), "utf-8")
    truth.write_text("ignition\n0\n", "utf-8")
    with pytest.raises(InputError, match="give both as dates"):
        perform(Job((file,), truth=truth))


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("Datum;Uhrzeit;Verbrauch (kWh)", "%d.%m.%Y;%H:%M"),
        ("Date;Hour;Demand (kWh)", "%Y-%m-%d;%H"),
        ("Local Date;Hour Ending;Demand (kWh)", "%m/%d/%Y;%-H"),
    ],
)
def test_a_day_is_no_moment_where_another_column_has_its_clock(tmp_path: Path, header: str, form: str) -> None:
    """As German meters and American utilities write it; the clock may be the number of its hour."""
    text = f"{header}\n" + rows(lambda i: f"{at(i, form, step_s=3600)};0,{i:03d}")
    recording = read(tmp_path, text)
    assert (len(recording.times), recording.step_ms) == (ROWS, 3_600_000)
    assert recording.values[:, 0].tolist() == [i / 1000 for i in range(ROWS)]


def test_day_of_the_month_and_hour_alone_are_no_time(tmp_path: Path) -> None:
    """As the stations of Beijing write it, year and month elsewhere: a wrong time is worse than none."""
    text = "No,year,month,day,hour,CO (ppm)\n" + rows(lambda i: f"{i},2013,3,{i // 24 + 1},{i % 24},{i % 5}")
    with pytest.raises(InputError, match="no column looks like a time"):
        read(tmp_path, text)


def test_a_mapped_device_without_any_reading_is_silent(tmp_path: Path) -> None:
    """One sensor of a long table has no thermometer."""
    file = tmp_path / "r.csv"
    file.write_text(
        "time,sensor,temp\n" + rows(lambda i: f"{at(i)},{'AB'[i % 2]},{'' if i % 2 else 20 + i % 3}"), "utf-8"
    )
    assert perform(Job((file,), mapping=("temp={sensor}:temp_c",))).summary["readings"] == ROWS / 2


def test_the_time_of_a_german_log_is_found(tmp_path: Path) -> None:
    """Its current and voltage are."""
    recording = read(tmp_path, "Zeit [s];Strom [A]\n" + rows(lambda i: f"{i / 10:.1f};120,5".replace(".", ",")))
    assert recording.step_ms == 100
