"""The command line as a person meets it: help that teaches, mistakes explained in one line, nothing but Ctrl-C to stop."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emberwatch.cli import main

Run = Callable[..., subprocess.CompletedProcess[str]]
RECORDING = "time,kitchen\n" + "".join(f"{i * 60},{1 if i < 100 else 30}\n" for i in range(200))


@pytest.fixture
def emberwatch(tmp_path: Path) -> Run:
    """Run the real command in an empty folder with an empty environment of settings."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "emberwatch", *arguments],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["run", "--config", "none.toml"], "no settings file"),
        (["run", "--port", "99999"], "--port"),
        (["config", "check", "--config", "bad.toml"], "did you mean 'broker'"),
        (["register", "import", "nothing.csv"], "no file or folder"),
        (["register", "import", "strange.csv"], "--as"),
        (["journal", "info"], "no journal"),
        (["deadletters", "show", "7"], "no books"),
        (["ledger", "verify", "--data", "typo"], "no books in"),
        (["simulate", "[red]no[/red]"], "[red]no[/red]"),
        (["register", "export", "[/x]"], "no books"),
        (["simulate", "no-such"], "no-such"),
        (["backtest", "none.csv", "--time", "t", "--map", "a=b:ch4_lel"], "none.csv"),
        (["backtest", "strange.csv", "--time", "t", "--map", "a=b:ch5"], "ch4_lel"),
        (["user", "passwd", "nobody", "--password", "Correct-horse-7"], "no books"),
        (["user", "add", "me", "--password", "123"], "password"),
    ],
)
def test_a_mistake_ends_in_one_helpful_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    word: str,
) -> None:
    """No traceback, a code that is not zero, and a word about what would be right."""
    (tmp_path / "bad.toml").write_text("brokr = 'x'\n", "utf-8")
    (tmp_path / "strange.csv").write_text("x,y\n1,2\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["emberwatch", *arguments])
    with pytest.raises(SystemExit) as ended:  # anything else would have been a traceback
        main()
    assert ended.value.code in (1, 2)
    assert word in "".join(capsys.readouterr())


def test_rules_are_listed_for_people_and_for_programs(emberwatch: Run) -> None:
    """Every rule of the catalogue, with what it rests on."""
    rules = json.loads(emberwatch("rules", "--json").stdout)
    assert {"code", "title", "severity", "grade", "basis", "built"} == set(rules[0])
    built = {rule["code"] for rule in rules if rule["built"]}
    assert {"G101", "G102", "G103", "G105", "F101", "W101", "W102", "W103", "W104", "W105", "W106", "X101"} <= built
    assert {"D101", "D102", "D103"} <= built
    assert "G101" in emberwatch("rules").stdout


def test_a_backtest_writes_findings_report_and_summary(emberwatch: Run, tmp_path: Path) -> None:
    """A recording in, an alarm and a page out; twice gives the same bytes."""
    (tmp_path / "r.csv").write_text(RECORDING, "utf-8")
    (tmp_path / "t.csv").write_text("start,end\n6000,12000\n", "utf-8")
    common = ("backtest", "r.csv", "--time", "time", "--map", "kitchen=K1:ch4_lel", "--truth", "t.csv", "--json")
    done = emberwatch(*common, "--out", "a", "--scores", "s/scores.csv")
    summary = json.loads(done.stdout)
    assert summary["readings"] == 200
    assert summary["findings"]["G102"] == 1
    assert (summary["truth"]["total"], summary["truth"]["found"], summary["truth"]["delay_median_min"]) == (1, 1, 0.0)
    emberwatch(*common, "--out", "b")
    assert (tmp_path / "a/findings.csv").read_bytes() == (tmp_path / "b/findings.csv").read_bytes()
    assert "K1" in (tmp_path / "a/report.html").read_text("utf-8")
    assert (tmp_path / "s/scores.csv").read_text("utf-8").startswith("time,device,measurand,rule,score\n")


def test_a_backtest_needs_no_option(emberwatch: Run, tmp_path: Path) -> None:
    """Gas with its unit, semicolons, decimal commas, a label column: found, judged, and said how it was understood."""
    rows = "".join(
        f"{i // 60:02}:{i % 60:02}:00;{30 if 100 <= i < 150 else 1},5;{int(100 <= i < 150)}\n" for i in range(300)
    )
    (tmp_path / "kitchen.csv").write_text("time;CH4 (%LEL);leak\n" + rows, "utf-8")
    summary = json.loads(emberwatch("backtest", "kitchen.csv", "--json").stdout)
    assert (summary["readings"], summary["rows"], summary["findings"]["G102"]) == (300, 300, 1)
    assert (summary["truth"]["total"], summary["truth"]["found"]) == (1, 1)
    assert "read as --map 'CH4 (%LEL)=kitchen:ch4_lel'" in summary["remarks"]


def test_registers_come_in_and_go_out_masked(emberwatch: Run, tmp_path: Path) -> None:
    """A bad row is named by line and column, and nothing personal is printed."""
    (tmp_path / "area.csv").write_text("code,name\na1,甲街道\n", "utf-8")
    assert emberwatch("register", "import", "area.csv").returncode == 0
    (tmp_path / "welder.csv").write_text(
        "code,name,credential,phone\nw1,张某一,C-1,13800001234\nw 2,李某,C-2,\n", "utf-8"
    )
    refused = emberwatch("register", "import", "welder.csv")
    assert refused.returncode == 2
    assert "line 3, column code" in refused.stdout
    assert emberwatch("register", "import", "welder.csv", "--partial").returncode == 2
    exported = emberwatch("register", "export", "welder").stdout
    assert "13800001234" not in exported
    assert "138****1234" in exported


def test_a_folder_that_cannot_be_written_is_named(emberwatch: Run, tmp_path: Path) -> None:
    """A file where the folder should be: the same for root and for everybody."""
    (tmp_path / "taken").write_text("x", "utf-8")
    done = emberwatch("run", "--data", "taken/inside")
    assert done.returncode == 2
    assert "cannot make data folder" in done.stderr


def test_the_doctor_says_what_to_do(emberwatch: Run, tmp_path: Path) -> None:
    """Where nothing is installed it says so and makes nothing."""
    done = emberwatch("doctor", EMBERWATCH_BROKER="mqtt://127.0.0.1:1")
    assert done.returncode == 1
    assert "start the broker" in done.stdout
    assert "is --data right?" in done.stdout
    assert not list(tmp_path.glob("emberwatch-data/*.db"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_service_on_one_folder_is_refused_and_a_signal_stops_the_first(
    tmp_path: Path, number: signal.Signals
) -> None:
    """One owner a data folder; stopping is clean: exit code 0 and a word that all is saved."""
    command = [sys.executable, "-m", "emberwatch", "run", "--data", str(tmp_path / "data"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as first:
        assert first.stdout is not None
        for line in first.stdout:
            if "is up" in line:
                break
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 2
        assert "in use by another emberwatch" in second.stderr
        first.send_signal(number)
        rest = first.stdout.read()
        assert first.wait(60) == 0
    assert "everything is saved" in rest
