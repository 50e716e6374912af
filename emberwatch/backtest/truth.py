"""How well alarms match what is known to have happened.

Definitions, so that numbers can be compared: alarms of all rules about measurands (D rules speak of devices and are left out) and
of all devices are merged where less than 30 minutes lie between them; a known event is found when any alarm is active between
its start and its end; its delay runs from its start, or the recording's if that is later, to the first active moment (0 when an
alarm was already active); a merged alarm that touches no known event is a false event; event-free time is the recording's span
without the known events.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from domain.readings import Float64, Int64

MERGE_MS = 30 * 60_000
_DAY_MS = 86_400_000
_MINUTE_MS = 60_000


class Interval(NamedTuple):
    """`[start_ms, end_ms]`, epoch ms."""

    start_ms: int
    end_ms: int

    def touches(self, other: "Interval") -> bool:
        """Whether the two share a moment."""
        return self.start_ms <= other.end_ms and other.start_ms <= self.end_ms


class Verdict(NamedTuple):
    """How many known events, how many found, how late, and how many alarms were about nothing known.

    `alarmed_share_of_free_time` (0..1) belongs beside them: an alarm that never ends finds everything at once and is never
    false by the other numbers. `score_auc`: chance that a moment within a known event scores above one outside all; None
    without scores of both.
    """

    total: int
    found: int
    delay_median_min: float | None
    delay_p90_min: float | None
    false_events: int
    false_per_event_free_day: float | None
    alarmed_share_of_free_time: float | None
    score_auc: float | None = None


def merge(intervals: Sequence[Interval], gap_ms: int = 0) -> list[Interval]:
    """Return the intervals in order, those with at most `gap_ms` between them made one."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start_ms - merged[-1].end_ms <= gap_ms:
            merged[-1] = Interval(merged[-1].start_ms, max(merged[-1].end_ms, interval.end_ms))
        else:
            merged.append(interval)
    return merged


def judge(alarms: Sequence[Interval], truth: Sequence[Interval], span: Interval) -> Verdict:
    """Return the verdict over `span`; known events outside it are left out."""
    known = [Interval(max(start, span.start_ms), end) for start, end in truth if Interval(start, end).touches(span)]
    delays = [delay for delay in (_delay_min(event, alarms) for event in known) if delay is not None]
    false = sum(not any(event.touches(known_one) for known_one in known) for event in merge(alarms, MERGE_MS))
    occupied = merge(known)
    free_ms = _length(span) - sum(_overlap(event, span) for event in occupied)
    alarmed_ms = sum(_overlap(a, span) - sum(_overlap(a, event) for event in occupied) for a in merge(alarms))
    return Verdict(
        total=len(known),
        found=len(delays),
        delay_median_min=round(float(np.median(delays)), 2) if delays else None,
        delay_p90_min=round(float(np.percentile(delays, 90)), 2) if delays else None,
        false_events=false,
        false_per_event_free_day=round(false / (free_ms / _DAY_MS), 3) if free_ms > 0 else None,
        alarmed_share_of_free_time=round(alarmed_ms / free_ms, 4) if free_ms > 0 else None,
    )


def score_auc(times: Int64, scores: Float64, truth: Sequence[Interval]) -> float | None:
    """Return the area under the ROC curve of scores (n,) at `times` (n,), several at one moment counting by their highest.

    Ties count half.
    """
    moments, place = np.unique(times, return_inverse=True)
    highest = np.full(len(moments), -np.inf)
    np.maximum.at(highest, place, scores)
    inside = np.zeros(len(moments), np.bool_)
    for event in truth:
        inside[np.searchsorted(moments, event.start_ms) : np.searchsorted(moments, event.end_ms, "right")] = True
    hits = int(inside.sum())
    if hits in (0, len(moments)):
        return None
    _, rank, count = np.unique(highest, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[rank]
    above = ranks[inside].sum() - hits * (hits + 1) / 2
    return round(float(above / (hits * (len(moments) - hits))), 4)


def _delay_min(event: Interval, alarms: Sequence[Interval]) -> float | None:
    starts = [max(alarm.start_ms, event.start_ms) for alarm in alarms if alarm.touches(event)]
    return (min(starts) - event.start_ms) / _MINUTE_MS if starts else None


def _length(interval: Interval) -> int:
    return interval.end_ms - interval.start_ms


def _overlap(event: Interval, span: Interval) -> int:
    return max(0, min(event.end_ms, span.end_ms) - max(event.start_ms, span.start_ms))
