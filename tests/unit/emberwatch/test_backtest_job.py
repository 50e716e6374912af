"""A backtest from files to files: several files, one rule, settings side by side."""

from pathlib import Path

import pytest

from domain.errors import InputError
from emberwatch.backtest.job import Job, perform

HIGH = "time,x\n" + "".join(f"{i * 60},{1 if i < 50 else 30}\n" for i in range(100))
LOW = "time,x\n" + "".join(f"{i * 60},{1 if i < 50 else 12}\n" for i in range(100))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    high, low = tmp_path / "high.csv", tmp_path / "low.csv"
    high.write_text(HIGH, "utf-8")
    low.write_text(LOW, "utf-8")
    return high, low


def test_each_file_may_be_a_device(files: tuple[Path, Path], tmp_path: Path) -> None:
    """`{file}` is the file's name; the readings of all files run together."""
    result = perform(Job(files, "time", ("x={file}:ch4_lel",), out=tmp_path / "out", only=("G102",)))
    assert result.summary["readings"] == 200
    assert result.summary["findings"] == {"G102": 1}
    assert ",high," in (tmp_path / "out/findings.csv").read_text("utf-8")


def test_files_of_one_device_follow_each_other(files: tuple[Path, Path], tmp_path: Path) -> None:
    """A file a day is one series."""
    later = tmp_path / "later.csv"
    later.write_text("time,x\n" + "".join(f"{i * 60},30\n" for i in range(100, 120)), "utf-8")
    result = perform(Job((files[0], later), "time", ("x=k:ch4_lel",), only=("G102",)))
    assert (result.summary["readings"], result.summary["findings"]) == (120, {"G102": 1})


def test_a_changed_parameter_is_shown_beside_the_settings(files: tuple[Path, Path], tmp_path: Path) -> None:
    """Level 1 at 10 %LEL finds what 25 does not."""
    job = Job(
        files[1:], "time", ("x=k:ch4_lel",), out=tmp_path / "out", only=("G102",), sets=("G102.combustible_lel=10",)
    )
    summary = perform(job).summary
    assert summary["findings"] == {"G102": 1}
    assert summary["compare"]["settings"]["findings"] == {}
    assert "G102.combustible_lel=10" in (tmp_path / "out/report.html").read_text("utf-8")


def test_each_value_of_a_parameter_is_a_variant(files: tuple[Path, Path]) -> None:
    """Different parameters are changed together; the settings come last."""
    sets = ("G102.combustible_lel=10", "G102.combustible_lel=20", "G101.combustible_lel=40")
    summary = perform(Job(files[1:], "time", ("x=k:ch4_lel",), only=("G102",), sets=sets)).summary
    assert summary["name"] == "G102.combustible_lel=10 G101.combustible_lel=40"
    assert summary["findings"] == {"G102": 1}
    found = {name: variant["findings"] for name, variant in summary["compare"].items()}
    assert found == {"G102.combustible_lel=20 G101.combustible_lel=40": {}, "settings": {}}


def test_another_catalogue_is_run_beside_the_settings(files: tuple[Path, Path], tmp_path: Path) -> None:
    """Named after its file."""
    strict = tmp_path / "strict.toml"
    strict.write_text("[rules.G102]\ncombustible_lel = 10\n", "utf-8")
    summary = perform(Job(files[1:], "time", ("x=k:ch4_lel",), only=("G102",), compare=(strict,))).summary
    assert summary["findings"] == {}
    assert summary["compare"]["strict"]["findings"] == {"G102": 1}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"only": ("G999",)}, "no rule 'G999'"),
        ({"sets": ("G102",)}, "RULE.parameter=number"),
        ({"sets": ("G102.combustible_lel=x",)}, "RULE.parameter=number"),
        ({"sets": ("G102.nothing=1",)}, "nothing"),
        ({"compare": (Path("none.toml"),)}, "none.toml"),
        ({"mapping": ("x=k:ch4_lel", "time=k:ch4_lel")}, "two columns"),
    ],
)
def test_a_mistake_is_explained(files: tuple[Path, Path], change: dict[str, object], word: str) -> None:
    """Before anything is run."""
    job = Job(files[:1], "time", ("x=k:ch4_lel",))._replace(**change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=word):
        perform(job)


def test_the_recording_is_never_overwritten(files: tuple[Path, Path]) -> None:
    """A slip of the hand must not cost the readings."""
    with pytest.raises(InputError, match="would overwrite"):
        perform(Job(files[:1], "time", ("x=k:ch4_lel",), scores=files[0]))
    assert files[0].read_text("utf-8") == HIGH


def test_settings_of_files_with_one_name_are_all_shown(files: tuple[Path, Path], tmp_path: Path) -> None:
    """`settings.toml` is what such a file is called."""
    compared = tuple(tmp_path / name for name in ("settings.toml", "a/strict.toml", "b/strict.toml"))
    for file, level in zip(compared, (10, 11, 25), strict=True):
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"[rules.G102]\ncombustible_lel = {level}\n", "utf-8")
    summary = perform(Job(files[1:], "time", ("x=k:ch4_lel",), only=("G102",), compare=compared)).summary
    assert (summary["name"], summary["findings"]) == ("settings", {})
    assert list(summary["compare"]) == [str(file) for file in compared]
    assert [found["findings"] for found in summary["compare"].values()] == [{"G102": 1}, {"G102": 1}, {}]


def test_the_known_events_are_not_overwritten(files: tuple[Path, Path], tmp_path: Path) -> None:
    """Somebody marked them by hand in the findings of an earlier run."""
    truth = tmp_path / "findings.csv"
    truth.write_text("start,end\n0,60\n", "utf-8")
    with pytest.raises(InputError, match="--out would overwrite"):
        perform(Job(files[:1], truth=truth, out=tmp_path))
    assert truth.read_text("utf-8") == "start,end\n0,60\n"
