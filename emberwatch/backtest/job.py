"""One backtest from files to files: read, run each variant of the settings, judge, write."""

import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from detectors.build import build_engine
from detectors.catalogue import CATALOGUE
from domain.errors import InputError
from emberwatch.backtest import report
from emberwatch.backtest.recording import Recording, read_recordings
from emberwatch.backtest.report import Variant
from emberwatch.backtest.runner import Outcome, run, write_findings, write_scores
from emberwatch.backtest.suggest import Suggestion, suggest
from emberwatch.backtest.truth import Interval, judge, read_truth
from emberwatch.pipeline import Machine
from emberwatch.stores import books_in_memory
from storage.journals.memory import MemoryJournal

Overrides = Mapping[str, Mapping[str, float]]
_UNCHANGED: Overrides = {}


class Job(NamedTuple):
    """What to run and where to write.

    `rules` are the parameters in force; `sets` (`RULE.parameter=value`) change them; `only` keeps findings of these rules;
    `compare` are TOML files whose [rules] are run as well.
    """

    files: tuple[Path, ...]
    time: str
    mapping: tuple[str, ...]
    truth: Path | None = None
    scores: Path | None = None
    out: Path | None = None
    rules: Overrides = _UNCHANGED
    sets: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    compare: tuple[Path, ...] = ()
    suggest: bool = False


class Result(NamedTuple):
    """The summary as `--json` prints it, remarks for a person, and the files written."""

    summary: dict[str, Any]
    notes: list[str]
    written: list[Path]


def perform(job: Job, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Result:
    """Run the job; raise InputError for what is wrong in files or mapping, OSError when an output cannot be written."""
    _check_rules(job.only)
    choices = _choices(job)
    _refuse_overwriting(job)
    for folder in (job.out, job.scores.parent if job.scores else None):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    truth = read_truth(job.truth) if job.truth is not None else []
    recording = read_recordings(job.files, job.time, job.mapping)
    variants = []
    for turn, (name, rules) in enumerate(choices):
        outcome = _run(job, recording, rules, _part(progress, turn, len(choices)))
        verdict = judge(outcome.alarm_intervals(), truth, outcome.span) if job.truth is not None else None
        variants.append(Variant(name, outcome, verdict))
    proposals = suggest(recording, truth) if job.suggest else []
    return Result(
        _summary(recording, variants, proposals),
        _notes(recording, variants[0]),
        _write(job, recording, variants, truth),
    )


def _check_rules(codes: Sequence[str]) -> None:
    for code in codes:
        if code not in CATALOGUE:
            raise InputError(f"no rule '{code}' (known: {', '.join(CATALOGUE)})")


def _refuse_overwriting(job: Job) -> None:
    read = {file.resolve() for file in (*job.files, *((job.truth,) if job.truth else ()))}
    if job.scores is not None and job.scores.resolve() in read:
        raise InputError(f"--scores would overwrite {job.scores}, which is read")


def _choices(job: Job) -> list[tuple[str, Overrides]]:
    """Return the variants to run, the one asked for first."""
    if not job.sets:
        chosen: list[tuple[str, Overrides]] = [("settings", job.rules)]
    else:
        chosen = [(" ".join(job.sets), _merged(job.rules, job.sets)), ("settings", job.rules)]
    return chosen + [(file.stem, _read_rules(file)) for file in job.compare]


def _merged(rules: Overrides, sets: Sequence[str]) -> Overrides:
    merged = {code: dict(parameters) for code, parameters in rules.items()}
    for text in sets:
        name, equals, value = text.partition("=")
        code, dot, parameter = name.partition(".")
        try:
            merged.setdefault(code, {})[parameter] = float(value)
        except ValueError:
            dot = ""
        if not (equals and dot and parameter):
            raise InputError(f"--set {text!r} is not RULE.parameter=number, e.g. --set G105.h=9")
    return merged


def _read_rules(file: Path) -> Overrides:
    try:
        rules = tomllib.loads(file.read_text("utf-8")).get("rules", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot read {file}: {error}") from error
    if not isinstance(rules, dict) or not all(isinstance(parameters, dict) for parameters in rules.values()):
        raise InputError(f"{file}: [rules] holds tables of parameters, e.g. [rules.G105]")
    return rules


def _part(progress: Callable[[int, int], None], turn: int, turns: int) -> Callable[[int, int], None]:
    return lambda done, total: progress(turn * total + done, turns * total)


def _run(job: Job, recording: Recording, rules: Overrides, progress: Callable[[int, int], None]) -> Outcome:
    machine = Machine(lambda world: build_engine(world, rules))
    with books_in_memory() as books:
        return run(
            recording,
            machine,
            MemoryJournal(),
            books,
            keep_scores=job.scores is not None,
            only=job.only or None,
            progress=progress,
        )


def _summary(recording: Recording, variants: list[Variant], proposals: list[Suggestion]) -> dict[str, Any]:
    first, *others = variants
    summary: dict[str, Any] = {"readings": recording.readings, **_came_of(first, recording.readings)}
    if others:
        summary["compare"] = {variant.name: _came_of(variant, recording.readings) for variant in others}
    if proposals:
        summary["suggest"] = [proposal._asdict() for proposal in proposals]
    return summary


def _came_of(variant: Variant, readings: int) -> dict[str, Any]:
    outcome = variant.outcome
    found = {
        "readings_per_s": round(readings / outcome.seconds) if outcome.seconds else 0,
        "findings": dict(sorted(Counter(episode.rule for episode in outcome.episodes).items())),
    }
    return found if variant.verdict is None else {**found, "truth": variant.verdict._asdict()}


def _notes(recording: Recording, first: Variant) -> list[str]:
    notes = []
    if first.verdict is not None and first.verdict.total == 0:
        notes.append("no known event lies within the recording's time")
    if recording.reordered:
        notes.append(f"{recording.reordered} rows were not in order of time; they were sorted")
    if recording.skipped:
        notes.append(f"{recording.skipped} cells were neither empty nor a finite number; they were left out")
    return notes


def _write(job: Job, recording: Recording, variants: list[Variant], truth: list[Interval]) -> list[Path]:
    written = []
    first = variants[0].outcome
    if job.scores is not None:
        write_scores(job.scores, first)
        written.append(job.scores)
    if job.out is not None:
        findings, page = job.out / "findings.csv", job.out / "report.html"
        write_findings(findings, first.episodes)
        title = ", ".join(file.name for file in job.files)
        page.write_text(report.page(title, recording, variants, truth), "utf-8")
        written += [findings, page]
    return written
