"""The measures of detection run, count rightly and tell what they found; sizes are the smallest that say anything."""

import csv
import datetime as dt
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bench.detection import (
    cost,
    district,
    kinds,
    mean_shift,
    methane_week,
    noise,
    nuisances,
    recordings,
    scoring,
    telling,
)
from bench.detection.cases import CASES, SLOT_S, Scene, Stage
from bench.detection.district import Order
from bench.detection.scoring import Window
from bench.detection.town import MAKES, PER_SITE, Plot, models
from detectors.catalogue import CATALOGUE
from domain.errors import InputError
from domain.findings import Action, Finding, Severity
from domain.records import TICK
from simulators.scenario import TruthRow

if TYPE_CHECKING:
    from registers.noun import Noun

SMALL = Order(devices=40, days=1, times=1, seed=5, tick_s=300)
SITE = "town/s0001"


@pytest.fixture(scope="module")
def played() -> district.Played:
    return district.arrange(SMALL)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write four hours of eight sensors around the middle of the week, and two releases that each lift one of them."""
    folder = tmp_path_factory.mktemp("week")
    middle = dt.datetime.fromtimestamp(methane_week.MIDDLE_MS / 1000, dt.UTC)
    releases = [(middle + dt.timedelta(minutes=at), middle + dt.timedelta(minutes=at + 20)) for at in (-60, 60)]
    with (folder / "releases.csv").open("w", newline="") as out:
        csv.writer(out).writerows([("start_utc", "end_utc"), *[(a.isoformat(), b.isoformat()) for a, b in releases]])
    with (folder / "readings.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("time_utc", *methane_week.SENSORS))
        for minute in range(-120, 120):
            now = middle + dt.timedelta(minutes=minute)
            lifted = any(start <= now <= end for start, end in releases)
            noise = 0.01 * (minute * 7 % 5)
            writer.writerow((now.isoformat(), 2.0 + noise + 40.0 * lifted, *([2.0 + noise] * 7)))
    return folder


def finding(rule: str, device: str, at_ms: int, action: Action = Action.RAISE) -> Finding:
    severity = CATALOGUE[rule].severity
    return Finding(
        offset=at_ms, rule=rule, device=device, action=action, severity=severity, at_ms=at_ms, event_ms=at_ms
    )


def test_the_week_is_judged_as_a_whole_and_by_halves(week: Path) -> None:
    """Both releases are found, one in each half, and each part has a row of all rules together."""
    rows = methane_week.rows(*methane_week.run(week))
    whole, first, second = (row for row in rows if row["rule"] == methane_week.ALL)
    assert [row["releases"] for row in (whole, first, second)] == [2, 1, 1]
    assert [row["found"] for row in (whole, first, second)] == [2, 1, 1]


def test_the_week_can_be_drawn(week: Path) -> None:
    """The picture stands alone: no address of anything outside is in it."""
    outcome, releases = methane_week.run(week)
    page = methane_week.picture(outcome, releases, methane_week.rows(outcome, releases))
    assert "<svg" in page
    assert "http" not in page


def test_the_sum_is_as_fast_as_theory_allows() -> None:
    """The limit for a false alarm in 10,000 readings finds a shift of one spread after 15.1, by theory and simulated."""
    test = mean_shift.Test(1.0, 1e4, 0.5, mean_shift.limit(0.5, 1e4))
    assert mean_shift.run_length(test.k, test.h, test.shift) == pytest.approx(15.1, rel=0.01)
    seen = mean_shift.known(test, 30, np.random.default_rng(1))
    assert seen["false_alarms"] >= 30
    assert seen["delay"] == pytest.approx(15.1, rel=0.03)


def test_a_shift_of_two_spreads_is_found_behind_a_baseline_learned_in_two_days() -> None:
    """No sensor takes it for normal before it is found, on average within two readings of the optimum (4.56)."""
    test = mean_shift.Test(2.0, 1e4, 1.0, 3.82)
    (row,) = mean_shift.learned([test], np.random.default_rng(1), taught=2_880, control=10)
    assert row["absorbed"] == 0.0
    assert row["delay"] == pytest.approx(4.56, abs=2.0)


def test_alarms_on_noise_are_counted_and_timed() -> None:
    """A quiet sensor says nothing; one that jumps is one alarm at that minute, and the alarm's share of the time is told."""
    values = np.round(1.0 + 0.2 * np.random.default_rng(1).standard_normal((300, 2)), 2)
    values[200:, 1] += 5.0
    raised, standing = noise.alarms("G105", values)
    assert [at // 60_000 for at in raised] == [201]
    assert standing == pytest.approx(99 / 600, abs=0.01)


def test_fires_of_other_seeds_are_found_and_rank_high() -> None:
    """A fire in a quiet room is found in every recording, and its readings score above those before it."""
    row, (fires,) = kinds.measure("fire heat", range(2))
    assert (row["mishaps"], row["found"], fires["found"]) == (2, 2, 2)
    assert row["auc"] > 0.9
    assert row["false_per_week"] == 0.0


@pytest.mark.parametrize("name", ["machine", "plant", "server", "room"])
def test_what_goes_wrong_in_a_recording_is_apart_and_late(name: str) -> None:
    """Every mishap is there once, after the first third, and none touches another."""
    course = recordings.COURSES[name]
    recording = course.make(7)
    places = sorted((m.first, m.last) for m in recording.mishaps)
    assert {m.name for m in recording.mishaps} == set(course.mishaps)
    assert places[0][0] >= len(recording.values) / 3 - 1
    assert all(before[1] < after[0] for before, after in pairwise(places))
    assert places[-1][1] < len(recording.values)


def test_the_cost_of_every_detector_is_told_and_adds_up() -> None:
    """Every detector has a row, and no detector costs more than the engine that runs it."""
    measured = cost.run(devices=200, rounds=2)
    rows = {row["detector"]: row["us_a_reading"] for row in cost.rows(measured)}
    assert measured.readings == 2 * sum(len(make.channels) for _, _, make in cost.Town(200).devices)
    assert len({detector.name for detector in measured.detectors} - rows.keys()) == 0
    assert sum(detector.observe_ns for detector in measured.detectors) <= measured.engine_ns


def test_the_same_order_makes_the_same_district(played: district.Played) -> None:
    """Seed and sizes decide everything that is said and must be found."""
    again = district.arrange(SMALL)
    assert again.truth == played.truth
    few = [list(zip(range(3_000), district.records(p), strict=False)) for p in (played, again)]
    assert few[0] == few[1]


def test_everything_in_the_registers_is_sound() -> None:
    """No entry of the district has a fault, so that nothing is found for want of a good register."""
    entries: list[Noun] = [*models(), *Plot(3).entries(district.BEGIN.date()), Plot(3).permit("x", district.BEGIN)]
    faults = [fault for entry in entries if entry.noun != "certificate" for fault in entry.problems()]
    assert faults == []


def test_a_small_district_is_found_out(played: district.Played) -> None:
    """No scenario that may cost lives is missed, and every built rule with a truth has a row."""
    findings, count = district.run(played)
    found = scoring.score(findings, played.truth, played.windows)
    rows = scoring.rows(found, played.truth, 2, 1.0)
    summary = scoring.summary(found, played.truth, 40, 1.0)
    assert count > 40 * 100
    assert summary["life_safety_missed"] == 0
    assert {row.rule for row in played.truth} <= {row["rule"] for row in rows}
    assert "<svg" in district.picture(rows, summary)


def test_time_goes_on_in_the_district_as_ordered(played: district.Played) -> None:
    """There is a tick every five minutes, and records come in order of time."""
    records = list(district.records(played))
    times = [record.received_ms for record in records]
    assert times == sorted(times)
    assert sum(record.topic == TICK for record in records) == 86_400 // 300 - 1


def test_cases_of_one_site_do_not_overlap(played: district.Played) -> None:
    """Each case has its site for itself for as long as it takes."""
    slot_ms = round(SLOT_S * 1000)
    for site in {site for site, _ in played.windows}:
        starts = sorted(w.start_ms for s, w in played.windows if s == site)
        assert all(b - a >= slot_ms - 600_000 for a, b in pairwise(starts))


def test_every_case_names_a_rule_of_the_catalogue() -> None:
    """A case that expects nothing, or a rule that is none, would measure nothing."""
    for name, case in CASES.items():
        rules = set(expected(name))
        assert rules, name
        assert rules | case.companions <= CATALOGUE.keys(), name


def expected(name: str) -> Iterator[str]:
    stage = Stage(district.BEGIN)
    CASES[name].play(Scene(stage, Plot(1), 36_000.0, "1", name))
    return (rule for incidents in stage.incidents.values() for incident in incidents for rule in incident.expect)


def test_every_built_rule_has_a_case() -> None:
    """What is built is measured; D110 and D111 speak of ourselves, which no district does."""
    covered = {"D110", "D111"} | {rule for name in CASES for rule in expected(name)}
    assert {code for code, rule in CATALOGUE.items() if rule.built} - covered == set()


def test_nuisances_expect_nothing() -> None:
    """What happens every day is nobody's alarm."""
    stage = Stage(district.BEGIN)
    nuisances.play(stage, Plot(1), 0, Random(1))
    nuisances.play(stage, Plot(2), 0, Random(1))
    assert stage.incidents
    assert not any(incident.expect for incidents in stage.incidents.values() for incident in incidents)


TRUTH = TruthRow(1_000_000, 1_060_000, "G101", f"{SITE}/s0001-ch4-1", "leak, large")


def test_a_truth_is_found_once_and_what_follows_is_counted_apart() -> None:
    """The first alarm in time gives the delay; another of the same rule is no false alarm."""
    raised = [finding("G101", TRUTH.device, at_ms) for at_ms in (1_030_000, 1_500_000)]
    found = scoring.score(raised, [TRUTH], [])
    assert found.delays_s == {"G101": [30.0]}
    assert found.again["G101"] == 1
    assert not found.missed
    assert not found.false


def test_an_alarm_before_a_truth_does_not_find_it() -> None:
    """A standing alarm finds nothing, but it stood: that is told apart from a miss."""
    before = finding("G101", TRUTH.device, 900_000)
    found = scoring.score([before], [TRUTH], [])
    assert (found.stood, found.missed, found.false) == ([TRUTH], [], [before])
    over = finding("G101", TRUTH.device, 950_000, Action.CLEAR)
    assert scoring.score([before, over], [TRUTH], []).missed == [TRUTH]


def test_a_change_of_a_standing_alarm_finds_a_truth() -> None:
    """Somebody is told again; it is not raised again."""
    told = [finding("G101", TRUTH.device, at, Action.CHANGE) for at in (1_010_000, 1_020_000)]
    found = scoring.score([finding("G101", TRUTH.device, 900_000), *told], [TRUTH], [])
    assert found.delays_s == {"G101": [10.0]}
    assert found.again["G101"] == 0


def test_a_case_that_takes_days_has_its_site_for_itself() -> None:
    """It begins in the morning of a day on which the district has been watched long enough, and nothing is played beside it."""
    long = {name for name, case in CASES.items() if case.days}
    played = district.arrange(Order(devices=40, days=14, times=1, seed=5, tick_s=600))
    mine = [(site, w) for site, w in played.windows if w.case in long]
    assert {w.case for _, w in mine} == long
    for site, window in mine:
        assert window.start_ms - played.begin_ms >= CASES[window.case].after_days * 86_400_000
        beside = [w for s, w in played.windows if s == site and w is not window]
        assert not [w for w in beside if window.start_ms <= w.start_ms < window.end_ms - scoring.PATIENCE_S * 1000]


def test_a_clear_is_no_alarm() -> None:
    """Only what raises is counted."""
    found = scoring.score([finding("G101", TRUTH.device, 1_030_000, Action.CLEAR)], [TRUTH], [])
    assert found.missed == [TRUTH]
    assert not found.false


@pytest.mark.parametrize(("rule", "false", "beside"), [("G105", 0, 0), ("F101", 0, 1)])
def test_what_a_case_excuses_is_not_false(rule: str, false: int, beside: int) -> None:
    """A companion is true as well; anything else in a case's time and place is told apart from what nuisances do."""
    windows = [("s0001", Window(1_000_000, 2_000_000, "leak, large"))]
    found = scoring.score([finding(rule, TRUTH.device, 1_100_000)], [], windows)
    assert (len(found.false), len(found.beside)) == (false, beside)


def test_rates_are_those_of_the_devices_a_rule_watches() -> None:
    """A gas rule watches gas detectors, a device rule all of them."""
    gas = sum(make.each for make in MAKES.values() if make.kind == "gas")
    assert scoring.device_years("G101", 10, 365.25) == pytest.approx(10 * gas)
    assert scoring.device_years("D101", 10, 365.25) == pytest.approx(10 * PER_SITE)


def test_urgent_false_alarms_are_told_for_a_thousand_devices_and_a_day() -> None:
    """Two urgent ones in two days at five hundred devices are two a day at a thousand."""
    raised = [finding("F101", f"town/s{i:04}/x", 1) for i in range(2)]
    assert all(f.severity is Severity.CRITICAL for f in raised)
    summary = scoring.summary(scoring.score(raised, [], []), [], 500, 2.0)
    assert summary["false_urgent_a_day_at_1000_devices"] == 2.0


def test_results_are_told_as_json_or_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON holds the whole result; a table has its columns named and dashes where nothing is known."""
    rows: list[dict[str, Any]] = [{"rule": "G101", "recall": 1.0}, {"rule": "G104", "recall": None}]
    telling.tell({"rows": rows}, [rows], as_json=True)
    assert json.loads(capsys.readouterr().out) == {"rows": rows}
    telling.tell({"rows": rows}, [rows], as_json=False)
    assert capsys.readouterr().out.split() == ["rule", "recall", "G101", "1", "G104", "-"]


def test_a_folder_without_the_week_is_refused(tmp_path: Path) -> None:
    """The error names the file that is missing."""
    with pytest.raises(InputError, match=r"readings\.csv"):
        methane_week.run(tmp_path)
