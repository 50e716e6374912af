"""Runs a recording through the same machine and the same books as the live service, with the file's own time."""

import csv
import datetime as dt
import time
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from detectors.base import Scores
from domain import measurands
from domain.findings import Action, Finding
from domain.records import RecordBatch
from emberwatch.backtest.channels import given_name
from emberwatch.backtest.feed import lead_ms, records
from emberwatch.backtest.recording import Recording
from emberwatch.backtest.truth import Interval, score_auc
from emberwatch.pipeline import Machine
from ledger.books import Books, Counts, Decided

_BATCH = 5_000


class Episode(NamedTuple):
    """One alarm from raise to clear (None: still active at the end), at its gravest, with the evidence that raised it."""

    rule: str
    device: str
    severity: int
    raised_ms: int
    cleared_ms: int | None
    evidence: dict[str, object]


class Outcome(NamedTuple):
    """What a run gave: findings in order, episodes, scores if asked for, what became of messages, how long it took."""

    findings: list[Finding]
    episodes: list[Episode]
    scores: list[Scores]
    devices: tuple[str, ...]
    counts: Counts
    seconds: float
    span: Interval

    def alarm_intervals(self) -> list[Interval]:
        """When an alarm about a measurand (not about a device) was active."""
        return [
            Interval(episode.raised_ms, self.span.end_ms if episode.cleared_ms is None else episode.cleared_ms)
            for episode in self.episodes
            if not episode.rule.startswith("D")
        ]

    def auc(self, truth: Sequence[Interval]) -> float | None:
        """How well the statistical scores rank moments of known events above others; None without scores of both."""
        if not self.scores:
            return None
        times = np.concatenate([part.event_ms for part in self.scores])
        return score_auc(times, np.concatenate([part.score for part in self.scores]), truth)


def run(
    recording: Recording,
    machine: Machine,
    books: Books,
    *,
    keep_scores: bool = False,
    only: Container[str] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Outcome:
    """Return what the service would have found; `progress` is told how many rows of how many are decided.

    Findings of other rules than `only` are left out.
    """
    lead, span, rows = lead_ms(recording), recording.span, len(recording.times)
    findings: list[Finding] = []
    scores: list[Scores] = []
    counts = Counts()
    began = time.perf_counter()
    for batch in _batches(recording):
        for decoded in machine.decoder.decode(batch):
            counts += decoded.counts
            found = machine.engine.process(decoded.segment)
            found = found if only is None else [finding for finding in found if finding.rule in only]
            if keep_scores:
                scores += [part._replace(event_ms=part.event_ms - lead) for part in machine.engine.scores]
            if found:
                books.commit(Decided(decoded.segment.end_offset, found[-1].at_ms, found))
                findings += [_by_its_own_clock(finding, lead) for finding in found]
        now_ms = batch.records[-1].received_ms - lead
        progress(int(np.searchsorted(recording.times, now_ms, "right")), rows)
    seconds = time.perf_counter() - began
    return Outcome(findings, episodes(findings), scores, machine.world.slots.paths(), counts, seconds, span)


def _batches(recording: Recording) -> Iterator[RecordBatch]:
    stream, offset = records(recording), 0
    while part := list(islice(stream, _BATCH)):
        yield RecordBatch(offset, part)
        offset += len(part)


def _by_its_own_clock(finding: Finding, lead: int) -> Finding:
    return msgspec.structs.replace(finding, at_ms=finding.at_ms - lead, event_ms=finding.event_ms - lead)


def episodes(findings: list[Finding]) -> list[Episode]:
    """Return the findings paired into episodes, in order of their raising."""
    running: dict[tuple[str, str], Episode] = {}
    ended: list[Episode] = []
    for finding in findings:
        key = (finding.rule, finding.device)
        episode = running.get(key)
        if finding.action is Action.CLEAR:
            if episode is not None:
                ended.append(running.pop(key)._replace(cleared_ms=finding.at_ms))
        elif episode is None:
            running[key] = Episode(
                finding.rule, finding.device, finding.severity, finding.at_ms, None, finding.evidence
            )
        else:
            running[key] = episode._replace(severity=min(episode.severity, finding.severity))
    return sorted([*ended, *running.values()], key=lambda episode: (episode.raised_ms, episode.rule, episode.device))


def iso(moment_ms: int | None) -> str:
    """Return an instant as ISO 8601 UTC with milliseconds; empty for None."""
    if moment_ms is None:
        return ""
    return dt.datetime.fromtimestamp(moment_ms / 1000, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_findings(file: Path, found: list[Episode]) -> None:
    """Write `rule, device, severity, raised_at, cleared_at, evidence` (JSON), one episode a row."""
    encoder = msgspec.json.Encoder(order="deterministic")
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("rule", "device", "severity", "raised_at", "cleared_at", "evidence"))
        for e in found:
            evidence = encoder.encode(e.evidence).decode()
            writer.writerow(
                (e.rule, given_name(e.device), int(e.severity), iso(e.raised_ms), iso(e.cleared_ms), evidence)
            )


def write_scores(file: Path, outcome: Outcome) -> int:
    """Write `time, device, measurand, rule, score` of every reading a statistical rule judged; return how many."""
    written = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("time", "device", "measurand", "rule", "score"))
        for part in outcome.scores:
            rows = zip(
                part.event_ms.tolist(), part.slot.tolist(), part.measurand.tolist(), part.score.tolist(), strict=True
            )
            for moment, slot, measurand, score in rows:
                device = given_name(outcome.devices[slot])
                writer.writerow((iso(moment), device, measurands.MEASURANDS[measurand].name, part.rule, f"{score:.6g}"))
                written += 1
    return written
