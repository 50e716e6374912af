"""One backtest from files to files: read, run each variant of the settings, judge, write."""

import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from detectors.base import World
from detectors.build import build_correlators, build_detectors
from detectors.catalogue import CATALOGUE
from detectors.engine import Engine
from detectors.parameters import Parameters
from domain.errors import InputError
from emberwatch.backtest import report
from emberwatch.backtest.feed import welders
from emberwatch.backtest.known import read_truth
from emberwatch.backtest.recording import Recording, read_recordings
from emberwatch.backtest.report import Variant
from emberwatch.backtest.runner import Outcome, iso, run, write_findings, write_scores
from emberwatch.backtest.suggest import Suggestion, suggest
from emberwatch.backtest.truth import Interval, Verdict, judge
from emberwatch.pipeline import Machine
from emberwatch.stores import books_in_memory

_DATES_MS = 94_694_400_000
"""Times before 1973 count from some beginning."""
_RESULTS = ("findings.csv", "report.html")
Overrides = Mapping[str, Mapping[str, float]]
_UNCHANGED: Overrides = {}


class Job(NamedTuple):
    """What to run and where to write; time and mapping are guessed where they are not said.

    `rules` are the parameters in force; `sets` (`RULE.parameter=value`) change them, a variant for each value; `only` keeps
    findings of these rules; `compare` are TOML files whose [rules] are run as well.
    """

    files: tuple[Path, ...]
    time: str | None = None
    mapping: tuple[str, ...] = ()
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
    recording = read_recordings(job.files, job.time, job.mapping)
    truth = (
        read_truth(job.truth, job.files, day_first=recording.day_first) if job.truth is not None else recording.labelled
    )
    _refuse_other_times(truth, recording)
    variants = []
    for turn, (name, rules) in enumerate(choices):
        outcome = _run(job, recording, rules, _part(progress, turn, len(choices)), judged=truth is not None)
        variants.append(Variant(name, outcome, None if truth is None else _judged(outcome, truth)))
    proposals = suggest(recording, truth or []) if job.suggest else []
    return Result(
        _summary(recording, variants, proposals),
        _notes(recording, variants[0], job, proposals),
        _write(job, recording, variants, list(truth or ())),
    )


def _refuse_other_times(truth: Sequence[Interval] | None, recording: Recording) -> None:
    """Dates and seconds from some beginning never meet, and an event that never ends would seem to."""
    if truth and (max(truth).start_ms < _DATES_MS) != (recording.span.start_ms < _DATES_MS):
        raise InputError(
            f"known events begin at {iso(min(truth).start_ms)}, readings at {iso(recording.span.start_ms)}: "
            "give both as dates, or both as seconds from the same beginning"
        )


def _judged(outcome: Outcome, truth: Sequence[Interval]) -> Verdict:
    return judge(outcome.alarm_intervals(), truth, outcome.span)._replace(score_auc=outcome.auc(truth))


def _check_rules(codes: Sequence[str]) -> None:
    for code in codes:
        if code not in CATALOGUE:
            raise InputError(f"no rule '{code}' (known: {', '.join(CATALOGUE)})")


def _refuse_overwriting(job: Job) -> None:
    read = {file.resolve() for file in (*job.files, *((job.truth,) if job.truth else ()))}
    scores = [("--scores", job.scores)] if job.scores is not None else []
    results = [("--out", job.out / name) for name in _RESULTS] if job.out is not None else []
    for option, file in [*scores, *results]:
        if file.resolve() in read:
            raise InputError(f"{option} would overwrite {file}, which is read")


def _choices(job: Job) -> list[tuple[str, Overrides]]:
    """Return the variants to run, those asked for first: every combination where a parameter is given several values."""
    values: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for text in job.sets:
        code, parameter, value = _read_set(text)
        values.setdefault((code, parameter), []).append((text, value))
    chosen = []
    for combination in product(*values.values()) if values else ():
        rules = {code: dict(parameters) for code, parameters in job.rules.items()}
        for (code, parameter), (_, value) in zip(values, combination, strict=True):
            rules.setdefault(code, {})[parameter] = value
        chosen.append((" ".join(text for text, _ in combination), rules))
    stems = ["settings", *(file.stem for file in job.compare)]
    names = [file.stem if stems.count(file.stem) == 1 else str(file) for file in job.compare]
    compared = [(name, _read_rules(file)) for name, file in zip(names, job.compare, strict=True)]
    return [*chosen, ("settings", job.rules), *compared]


def _read_set(text: str) -> tuple[str, str, float]:
    name, _, value = text.partition("=")
    code, _, parameter = name.partition(".")
    try:
        number = float(value)
    except ValueError:
        parameter = ""
    if not parameter:
        raise InputError(f"--set {text!r} is not RULE.parameter=number, e.g. --set G105.h=9")
    return code, parameter, number


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


def _run(
    job: Job, recording: Recording, rules: Overrides, progress: Callable[[int, int], None], *, judged: bool
) -> Outcome:
    machine = Machine(lambda world: _engine(world, rules, job.only))
    with books_in_memory() as books:
        return run(
            recording,
            machine,
            books,
            keep_scores=judged or job.scores is not None,
            only=job.only or None,
            progress=progress,
        )


def _engine(world: World, rules: Overrides, only: Sequence[str]) -> Engine:
    """Return the engine of the chosen rules; those across signals need all detectors."""
    parameters = Parameters(rules)
    detectors, correlators = build_detectors(parameters), build_correlators(parameters)
    across = [c for c in correlators if not only or set(c.rules) & set(only)]
    if not across:
        detectors = [d for d in detectors if set(d.rules) & set(only)]
    return Engine(world, detectors, across)


def _summary(recording: Recording, variants: list[Variant], proposals: list[Suggestion]) -> dict[str, Any]:
    first, *others = variants
    summary: dict[str, Any] = {
        "readings": recording.readings,
        "rows": recording.rows,
        "remarks": list(recording.remarks),
        **_came_of(first, recording.readings),
    }
    if others:
        summary["name"] = first.name
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


def _notes(recording: Recording, first: Variant, job: Job, proposals: Sequence[Suggestion]) -> list[str]:
    notes = list(recording.remarks)
    dead, repeats = first.outcome.counts.dead, first.outcome.counts.duplicate
    if dead or repeats:
        notes.append(f"the decoder left out {dead} messages that are not as they should be and {repeats} repeats")
    if first.verdict is not None and first.verdict.total == 0:
        notes.append(f"no known event lies within the recording's time ({_shown(first.outcome.span)})")
    if welders(recording):
        notes.append(
            "no welder is scanned in and no work permitted here: W102 and W106 mark each job, from its arc's start to its end"
        )
    if job.suggest and not proposals:
        notes.append("nothing to propose: only gases have set points of two levels")
    return notes


def _shown(span: Interval) -> str:
    return f"{iso(span.start_ms)} to {iso(span.end_ms)}"


def _write(job: Job, recording: Recording, variants: list[Variant], truth: list[Interval]) -> list[Path]:
    written = []
    first = variants[0].outcome
    if job.scores is not None:
        write_scores(job.scores, first)
        written.append(job.scores)
    if job.out is not None:
        findings, page = (job.out / name for name in _RESULTS)
        write_findings(findings, first.episodes)
        title = ", ".join(file.name for file in job.files)
        page.write_text(report.page(title, recording, variants, truth), "utf-8")
        written += [findings, page]
    return written
