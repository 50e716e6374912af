"""G105: a leak far below the alarm level, seen as a lasting rise of a gas sensor above its own normal.

One CUSUM channel (`cusum.py`) per device and gas measurand, made at its first reading. Readings that came late or were
retained neither teach nor alarm. A channel seen several times in a segment is advanced in as many rounds, in order.
"""

from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np

from detectors import cusum
from detectors.arrays import grown, rounds
from detectors.base import Output, Scores, World
from detectors.catalogue import CATALOGUE
from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.findings import Action, Finding
from domain.measurands import COUNT, INDEX, MEASURANDS, Family, indices
from domain.readings import Float64, Int64, Quality, Readings, Segment

_RULE = "G105"
_WATCHED = indices(Family.COMBUSTIBLE, Family.TOXIC)
_LANE = np.full(COUNT, -1, np.int8)
_LANE[list(_WATCHED)] = range(len(_WATCHED))
"""Measurand → column of the channel index, or -1."""
_RESOLUTION = np.full(COUNT, np.nan)
"""Coarsest step that sensors of a measurand usually have: the floor of the spread until a finer step is seen."""
for _name, _step in {
    "ch4_ppm": 50.0, "ch4_lel": 0.5, "c3h8_lel": 0.5, "h2_lel": 0.5, "lel": 0.5,
    "co_ppm": 0.5, "h2s_ppm": 0.5, "nh3_ppm": 1.0, "cl2_ppm": 0.05,
}.items():  # fmt: skip
    _RESOLUTION[INDEX[_name]] = _step
_NOT_LIVE = int(Quality.RETAINED | Quality.LATE)
_DIGITS = 4


class SlowLeak:
    """Watches every gas measurand of every device against its own baseline; scores each live reading (1 alarms)."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        values = parameters.of(_RULE)
        self._tuning = cusum.Tuning(
            values["k"],
            values["h"],
            values["centre_h"] * 60,
            values["spread_h"] * 60,
            values["warmup_min"],
            values["off_min"],
        )
        self._index = np.full((0, len(_WATCHED)), -1, np.int32)
        self._count = 0
        self._rows = np.empty((0, cusum.COLUMNS))
        self._keys = np.empty(0, np.int64)
        self._episodes: dict[int, _Episode] = {}

    def observe(self, segment: Segment, world: World) -> Output:
        readings = segment.readings
        readings = readings.take((_LANE[readings.measurand] >= 0) & (readings.quality & _NOT_LIVE == 0))
        if not len(readings):
            return Output()
        channels = self._channels(readings, len(world.slots))
        score = np.empty(len(readings))
        turned: list[tuple[int, Float64]] = []
        for chosen in rounds(channels):
            rows = self._rows[channels[chosen]]
            changed = cusum.advance(rows, readings.value[chosen], readings.event_ms[chosen].astype(float), self._tuning)
            self._rows[channels[chosen]] = rows
            score[chosen] = rows[:, cusum.SUM] / self._tuning.h
            turned += [(int(chosen[i]), rows[i]) for i in np.flatnonzero(changed)]
        turned.sort(key=itemgetter(0))
        found = [finding for i, row in turned for finding in self._turn(readings, i, row, world)]
        return Output(found, scores=Scores(_RULE, readings.slot, readings.measurand, readings.event_ms, score))

    def _channels(self, readings: Readings, slots: int) -> Int64:
        """Return the channel of each reading, making those that are new in order of appearance."""
        self._index = grown(self._index, slots, fill=-1)
        lane = _LANE[readings.measurand]
        channels = self._index[readings.slot, lane]
        new = np.flatnonzero(channels < 0)
        if len(new):
            self._make(readings, new)
            channels = self._index[readings.slot, lane]
        return channels.astype(np.int64)

    def _make(self, readings: Readings, new: Int64) -> None:
        keys = readings.slot[new].astype(np.int64) * COUNT + readings.measurand[new]
        first = new[np.sort(np.unique(keys, return_index=True)[1])]
        slot, measurand = readings.slot[first], readings.measurand[first]
        start, self._count = self._count, self._count + len(first)
        self._rows, self._keys = grown(self._rows, self._count), grown(self._keys, self._count)
        self._keys[start : self._count] = slot.astype(np.int64) * COUNT + measurand
        self._rows[start : self._count] = cusum.fresh(
            readings.value[first], readings.event_ms[first].astype(float), _RESOLUTION[measurand]
        )
        self._index[slot, _LANE[measurand]] = range(start, self._count)

    def _turn(self, readings: Readings, i: int, row: Float64, world: World) -> list[Finding]:
        """Return what one channel's rise or fall means for its device: one alarm however many gases rose."""
        slot, measurand = int(readings.slot[i]), int(readings.measurand[i])
        episode = self._episodes.setdefault(slot, _Episode(int(readings.received_ms[i])))
        path = world.slots.path(slot)
        if row[cusum.ACTIVE]:
            joined = measurand not in episode.peaks
            action = Action.CHANGE if episode.peaks else Action.RAISE
            episode.up.add(measurand)
            episode.peaks.setdefault(measurand, None)
            return [_finding(readings, i, path, action, _evidence(readings, i, row, self._tuning))] if joined else []
        episode.fall(measurand, float(row[cusum.PEAK]))
        if episode.up:
            return []
        del self._episodes[slot]
        return [_finding(readings, i, path, Action.CLEAR, episode.summary(int(readings.received_ms[i])))]

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        return Output()

    def snapshot(self) -> dict[str, Any]:
        return {
            "keys": self._keys[: self._count].copy(),
            "rows": self._rows[: self._count].copy(),
            "episodes": [[slot, e.since_ms, sorted(e.up), list(e.peaks.items())] for slot, e in self._episodes.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._keys, self._rows = np.array(state["keys"]), np.array(state["rows"])
        self._count = len(self._keys)
        slots, measurands = self._keys // COUNT, self._keys % COUNT
        self._index = np.full((int(slots.max(initial=-1)) + 1, len(_WATCHED)), -1, np.int32)
        self._index[slots, _LANE[measurands]] = range(self._count)
        self._episodes = {slot: _Episode(since, set(up), dict(peaks)) for slot, since, up, peaks in state["episodes"]}


@dataclass(slots=True)
class _Episode:
    """An active alarm: since when (our time), which measurands are up now, and the peaks of all that were."""

    since_ms: int
    up: set[int] = field(default_factory=set)
    peaks: dict[int, float | None] = field(default_factory=dict)

    def fall(self, measurand: int, peak: float) -> None:
        self.up.discard(measurand)
        self.peaks[measurand] = max(peak, self.peaks.get(measurand) or peak)

    def summary(self, now_ms: int) -> dict[str, Any]:
        peaks = {MEASURANDS[m].name: round(peak, _DIGITS) for m, peak in sorted(self.peaks.items()) if peak is not None}
        return {"peaks": peaks, "lasted_s": (now_ms - self.since_ms) // 1000}


def _evidence(readings: Readings, i: int, row: Float64, tuning: cusum.Tuning) -> dict[str, Any]:
    measurand = MEASURANDS[int(readings.measurand[i])]
    return {
        "measurand": measurand.name,
        "value": round(float(readings.value[i]), _DIGITS),
        "unit": measurand.unit,
        "baseline": round(float(row[cusum.CENTRE]), _DIGITS),
        "spread": round(float(row[cusum.SPREAD]), _DIGITS),
        "score": round(float(row[cusum.SUM]) / tuning.h, 2),
    }


def _finding(readings: Readings, i: int, path: str, action: Action, evidence: dict[str, Any]) -> Finding:
    return Finding(
        offset=int(readings.offset[i]),
        rule=_RULE,
        device=path,
        action=action,
        severity=CATALOGUE[_RULE].severity,
        at_ms=int(readings.received_ms[i]),
        event_ms=int(readings.event_ms[i]),
        evidence=evidence,
    )
