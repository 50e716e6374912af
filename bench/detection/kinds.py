"""The statistical rules on made-up recordings of other kinds: what the alarms find, late and in vain, and how well scores rank.

    python -m bench.detection.kinds [KIND …] [--seeds 100 107] [--json] [--picture kinds.html]

Default settings; one recording a seed and kind (`bench/detection/recordings.py`). Defaults were chosen on seeds 0 to 7; told are,
unless others are asked for, 100 to 107. `auc`: chance that a reading of a mishap scores above one of no mishap (0.5: no better
than chance). The second table tells which mishaps are found: one is when an alarm begins from its start until its end and
half an hour; one that already stood finds nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.detection import telling
from bench.detection.recordings import KINDS, Recording
from detectors.base import World
from detectors.parameters import Parameters
from detectors.unusual import ANY_RULE, GAS_RULE, Unusual
from domain.findings import Action
from domain.measurands import INDEX
from domain.readings import Float64, Int64, Readings, Segment
from domain.slots import SlotTable
from emberwatch.backtest.truth import MERGE_MS, Interval, judge

_START_MS = 1_767_542_400_000
"""2026-01-05, a Monday, 00:00 by local time."""
_CHUNK = 500
_GASES = ("ch4_ppm", "co_ppm")
_WEEK_MS = 7 * 86_400_000.0


def play(measurand: str, recordings: Sequence[Recording]) -> tuple[Float64, list[list[Interval]]]:
    """Return the score of every reading, a column a recording, and when each had an alarm standing."""
    rule = GAS_RULE if measurand in _GASES else ANY_RULE
    detector = Unusual(rule, Parameters())
    paths = [f"a/s/{i}" for i in range(len(recordings))]
    world, values, times = (
        World(SlotTable(paths)),
        np.column_stack([r.values for r in recordings]),
        _times(recordings[0]),
    )
    alarms: dict[str, list[Interval]] = {path: [] for path in paths}
    scores, since = [], dict[str, int]()
    for first in range(0, len(times), _CHUNK):
        output = detector.observe(_segment(measurand, values, times, first), world)
        scores += [output.scores.score] if output.scores is not None else []
        for finding in output.findings:
            if finding.action is Action.RAISE:
                since[finding.device] = finding.at_ms
            elif finding.action is Action.CLEAR:
                alarms[finding.device].append(Interval(since.pop(finding.device), finding.at_ms))
    for path, began in since.items():
        alarms[path].append(Interval(began, int(times[-1])))
    return np.concatenate(scores).reshape(values.shape), list(alarms.values())


def _times(recording: Recording) -> Int64:
    steps = np.round(np.arange(len(recording.values)) * recording.step_s * 1000).astype(np.int64)
    return np.asarray(_START_MS + steps)


def _segment(measurand: str, values: Float64, times: Int64, first: int) -> Segment:
    part = values[first : first + _CHUNK]
    rows, columns = part.shape
    at, n = np.repeat(times[first : first + rows], columns), part.size
    readings = Readings(
        np.repeat(np.arange(first, first + rows), columns),
        np.tile(np.arange(columns, dtype=np.int32), rows),
        np.full(n, INDEX[measurand], np.int16),
        part.ravel(),
        at,
        at,
        np.zeros(n, np.uint8),
    )
    return Segment(first, first + rows, readings)


def ranking(scores: Float64, inside: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: ties count half."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2.0)[place]
    hits = int(inside.sum())
    return float((ranks[inside].sum() - hits * (hits + 1) / 2) / (hits * (len(scores) - hits)))


def _inside(recording: Recording) -> NDArray[np.bool_]:
    inside = np.zeros(len(recording.values), np.bool_)
    for mishap in recording.mishaps:
        inside[mishap.first : mishap.last + 1] = True
    return inside


def measure(name: str, seeds: range) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return one kind's row over all seeds, and one row a sort of mishap."""
    kind = KINDS[name]
    recordings = [kind.make(seed) for seed in seeds]
    times = _times(recordings[0])
    span = Interval(int(times[0]), int(times[-1]))
    scores, alarms = play(kind.measurand, recordings)
    areas = [ranking(scores[:, i], _inside(recording)) for i, recording in enumerate(recordings)]
    truths = [[(m.name, Interval(int(times[m.first]), int(times[m.last]))) for m in r.mishaps] for r in recordings]
    verdicts = [judge(found, [when for _, when in truth], span) for found, truth in zip(alarms, truths, strict=True)]
    weeks = len(seeds) * (span.end_ms - span.start_ms) / _WEEK_MS
    told = [
        (what, _delay_min(found, when)) for found, truth in zip(alarms, truths, strict=True) for what, when in truth
    ]
    row = {
        "kind": name,
        "recordings": len(seeds),
        "auc": round(float(np.mean(areas)), 3),
        "mishaps": len(told),
        "found": sum(delay is not None for _, delay in told),
        "false_per_week": round(sum(v.false_events for v in verdicts) / weeks, 2),
        "alarmed_share_of_free_time": round(float(np.mean([v.alarmed_share_of_free_time or 0 for v in verdicts])), 4),
    }
    return row, [_sort(name, what, told) for what in sorted({what for what, _ in told})]


def _delay_min(alarms: Sequence[Interval], when: Interval) -> float | None:
    begun = [a.start_ms for a in alarms if when.start_ms <= a.start_ms <= when.end_ms + MERGE_MS]
    return (min(begun) - when.start_ms) / 60_000 if begun else None


def _sort(kind: str, what: str, told: Sequence[tuple[str, float | None]]) -> dict[str, Any]:
    mine = [delay for name, delay in told if name == what]
    found = [delay for delay in mine if delay is not None]
    median = round(float(np.median(found)), 1) if found else None
    return {"kind": kind, "mishap": what, "put_in": len(mine), "found": len(found), "delay_median_min": median}


def main() -> None:
    parser = telling.parser(__doc__ or "")
    parser.add_argument("kind", nargs="*", choices=[[], *KINDS], default=[], metavar="KIND")
    parser.add_argument("--seeds", nargs=2, type=int, default=(100, 107), metavar=("FIRST", "LAST"))
    given = parser.parse_args()
    measured = [measure(name, range(given.seeds[0], given.seeds[1] + 1)) for name in given.kind or KINDS]
    rows, sorts = [row for row, _ in measured], [sort for _, more in measured for sort in more]
    if given.picture:
        drawn = [telling.table("Kinds", rows), telling.bars("auc", [(str(r["kind"]), float(r["auc"])) for r in rows])]
        page = telling.page("Recordings of other kinds", [*drawn, telling.table("Mishaps", sorts)])
        given.picture.write_text(page, "utf-8")
    telling.tell({"rows": rows, "mishaps": sorts}, [rows, sorts], as_json=given.json)


if __name__ == "__main__":
    main()
