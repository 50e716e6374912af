"""A real week of eight methane sensors with 17 metered releases: what default settings find, how late, and how often in vain.

    python -m bench.detection.methane_week [FOLDER] [--json] [--picture week.html]

FOLDER (or $EMBERWATCH_METHANE_WEEK) holds `readings.csv` (time_utc and a column a sensor, ppm) and `releases.csv` (start_utc,
end_utc). The week is run once, in order, by the machine of the live service, and judged three times: as a whole, up to the
middle midnight (on which defaults were chosen) and from there on; by all rules together and by each that found anything.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.detection import telling
from bench.detection.telling import Span
from detectors.build import build_engine
from emberwatch.backtest.known import read_truth
from emberwatch.backtest.recording import read_recordings
from emberwatch.backtest.runner import Episode, Outcome
from emberwatch.backtest.runner import run as play
from emberwatch.backtest.truth import Interval, judge, merge
from emberwatch.pipeline import Machine
from emberwatch.stores import books_in_memory

VARIABLE = "EMBERWATCH_METHANE_WEEK"
SENSORS = ("E", "N", "NE", "NW", "S", "SE", "SW", "W")
MIDDLE_MS = 1_652_313_600_000
"""2022-05-12T00:00Z: settings were chosen on the days before it."""
ALL = "all"


def run(folder: Path) -> tuple[Outcome, list[Interval]]:
    """Return what the house finds in the week, and the releases."""
    mapping = [f"{name}={name}:ch4_ppm" for name in SENSORS]
    recording = read_recordings([folder / "readings.csv"], "time_utc", mapping)
    with books_in_memory() as books:
        outcome = play(recording, Machine(build_engine), books)
    return outcome, read_truth(folder / "releases.csv")


def rows(outcome: Outcome, releases: Sequence[Interval]) -> list[dict[str, Any]]:
    """Return one row a part of the week and rule."""
    start, end = outcome.span
    parts = {"week": outcome.span, "until middle": Interval(start, MIDDLE_MS), "from middle": Interval(MIDDLE_MS, end)}
    about_gas = [episode for episode in outcome.episodes if not episode.rule.startswith("D")]
    rules = [ALL, *sorted({episode.rule for episode in about_gas})]
    return [
        {"part": part, "rule": rule, **_judged(_active(about_gas, rule, span), releases, span)}
        for part, span in parts.items()
        if span.start_ms < span.end_ms
        for rule in rules
    ]


def _active(episodes: Sequence[Episode], rule: str, span: Interval) -> list[Interval]:
    """Return when a rule (or any) had an alarm standing within the span."""
    mine = (e for e in episodes if rule in (ALL, e.rule))
    whole = (Interval(e.raised_ms, span.end_ms if e.cleared_ms is None else e.cleared_ms) for e in mine)
    return [
        Interval(max(i.start_ms, span.start_ms), min(i.end_ms, span.end_ms))
        for i in whole
        if i.start_ms < span.end_ms and i.end_ms > span.start_ms
    ]


def _judged(alarms: list[Interval], releases: Sequence[Interval], span: Interval) -> dict[str, Any]:
    verdict = judge(alarms, [release for release in releases if release.touches(span)], span)
    standing = sum(any(a.start_ms < r.start_ms <= a.end_ms for a in alarms) for r in releases if r.touches(span))
    return {
        "releases": verdict.total,
        "found": verdict.found,
        "delay_median_min": verdict.delay_median_min,
        "delay_p90_min": verdict.delay_p90_min,
        "false_events": verdict.false_events,
        "false_per_free_day": verdict.false_per_event_free_day,
        "alarmed_share_of_free_time": verdict.alarmed_share_of_free_time,
        "begun_under_an_alarm": standing,
    }


def picture(outcome: Outcome, releases: Sequence[Interval], judged: list[dict[str, Any]]) -> str:
    """Return a page: releases above, below them when each rule and sensor had an alarm standing."""
    truth = ("releases", [Span(*release, "truth") for release in releases])
    rules = sorted({(e.rule, e.device) for e in outcome.episodes})
    alarms = [
        (
            f"{rule} {device.rpartition('/')[2]}",
            [Span(*i, "truth") for i in releases]
            + [
                Span(*i, "alarm")
                for i in merge(_active([e for e in outcome.episodes if e.device == device], rule, outcome.span))
            ],
        )
        for rule, device in rules
    ]
    drawing = telling.lanes("Releases (green) and standing alarms (red)", outcome.span, [truth, *alarms])
    return telling.page("A week of methane releases", [telling.table("Judged", judged), drawing])


def main() -> None:
    parser = telling.parser(__doc__ or "")
    parser.add_argument("folder", nargs="?", type=Path, default=os.environ.get(VARIABLE), metavar="FOLDER")
    given = parser.parse_args()
    if given.folder is None:
        sys.exit(f"say where the week is: a folder, or ${VARIABLE}")
    outcome, releases = run(Path(given.folder))
    judged = rows(outcome, releases)
    if given.picture:
        given.picture.write_text(picture(outcome, releases, judged), "utf-8")
    telling.tell({"rows": judged}, [judged], as_json=given.json)


if __name__ == "__main__":
    main()
