"""One backtest from files to files: read, run, judge, write."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from detectors.build import build_engine
from domain.errors import InputError
from emberwatch.backtest import report
from emberwatch.backtest.recording import Recording, parse_mapping, read_recording
from emberwatch.backtest.runner import Outcome, run, write_findings, write_scores
from emberwatch.backtest.truth import Interval, Verdict, judge, read_truth
from emberwatch.pipeline import Machine
from emberwatch.stores import books_in_memory
from storage.journals.memory import MemoryJournal


class Job(NamedTuple):
    """What to run and where to write; `rules` are parameter overrides."""

    file: Path
    time: str
    mapping: tuple[str, ...]
    truth: Path | None = None
    scores: Path | None = None
    out: Path | None = None
    rules: Mapping[str, Mapping[str, float]] = {}


class Result(NamedTuple):
    """The summary as `--json` prints it, remarks for a person, and the files written."""

    summary: dict[str, Any]
    notes: list[str]
    written: list[Path]


def perform(job: Job, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Result:
    """Run the job; raise InputError for what is wrong in files or mapping, OSError when an output cannot be written."""
    channels = tuple(parse_mapping(text) for text in job.mapping)
    twice = [c for c, n in Counter((ch.device, ch.measurand) for ch in channels).items() if n > 1]
    if twice:
        raise InputError(f"two columns are mapped to {twice[0][0].device}:{twice[0][1]}")
    for folder in (job.out, job.scores.parent if job.scores else None):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    truth = read_truth(job.truth) if job.truth is not None else []
    recording = read_recording(job.file, job.time, channels)
    machine = Machine(lambda world: build_engine(world, job.rules))
    with books_in_memory() as books:
        outcome = run(
            recording,
            machine,
            MemoryJournal(),
            books,
            keep_scores=job.scores is not None,
            progress=progress,
        )
    verdict = judge(outcome.alarm_intervals(), truth, outcome.span) if job.truth is not None else None
    return Result(
        _summary(recording, outcome, verdict), _notes(recording), _write(job, recording, outcome, truth, verdict)
    )


def _summary(recording: Recording, outcome: Outcome, verdict: Verdict | None) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "readings": recording.readings,
        "readings_per_s": round(recording.readings / outcome.seconds) if outcome.seconds else 0,
        "findings": dict(sorted(Counter(episode.rule for episode in outcome.episodes).items())),
    }
    return summary if verdict is None else {**summary, "truth": verdict._asdict()}


def _notes(recording: Recording) -> list[str]:
    notes = []
    if recording.reordered:
        notes.append(f"{recording.reordered} rows were not in order of time; they were sorted")
    if recording.skipped:
        notes.append(f"{recording.skipped} cells were neither empty nor a finite number; they were left out")
    return notes


def _write(
    job: Job, recording: Recording, outcome: Outcome, truth: list[Interval], verdict: Verdict | None
) -> list[Path]:
    written = []
    if job.scores is not None:
        write_scores(job.scores, outcome)
        written.append(job.scores)
    if job.out is not None:
        findings, page = job.out / "findings.csv", job.out / "report.html"
        write_findings(findings, outcome.episodes)
        page.write_text(report.page(job.file.name, recording, outcome, truth, verdict), "utf-8")
        written += [findings, page]
    return written
