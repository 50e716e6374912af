"""G105 and A101: a reading unlike its sensor's own history. One streaming model per device and measurand, one alarm an episode.

`baseline.py` says how far a reading departs, `suspicion.py` whether that is chance, `pacing.py` which readings are looked at
together. Readings that came late or were retained neither teach nor alarm. A channel seen several times in a segment is advanced
in as many rounds, in order. A departure that lasts a quarter of the time a channel is known, at most `relearn_d` days, becomes
its normal, and the alarm ends with a finding that says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import rounds
from detectors.base import Output, Scores, World
from detectors.baseline import AGE, PACE, SAME, Baselines, Mask, Tuning, View
from detectors.catalogue import CATALOGUE
from detectors.channels import Channels
from detectors.counters import Counters
from detectors.holding import Moment
from detectors.pacing import Pacing
from detectors.parameters import Parameters
from detectors.suspicion import ACTIVE, LASTING, PEAK, Limits, Suspicions, Why
from detectors.withdrawals import WITHDRAWN, leaves
from domain.changes import RegisterChange
from domain.findings import Action, Finding
from domain.measurands import COUNT, INDEX, MEASURANDS, Family, indices
from domain.readings import NOT_LIVE, Float64, Int64, Readings, Segment

_GASES = indices(Family.COMBUSTIBLE, Family.TOXIC)
_STATES = ("0/1", "0..1")
"""Units of what is no quantity but a state: rules of their own watch those."""
_OTHERS = tuple(
    m.column for m in MEASURANDS if m.column not in _GASES and m.family is not Family.PLACE and m.unit not in _STATES
)
_WELDING = [INDEX["current_a"], INDEX["voltage_v"]]
"""An arc comes and goes as the welder pleases: scored, but an alarm only from a registered meter."""
_RESOLUTION = np.full(COUNT, 0.5)
"""Coarsest step that sensors of a measurand usually have: the floor of the spread until a finer step is seen."""
for _name, _step in {
    "ch4_ppm": 50.0, "nh3_ppm": 1.0, "cl2_ppm": 0.05, "o2_vol": 0.1, "smoke_dbm": 0.01, "smoke_pct": 0.1, "power_kw": 0.05,
    "energy_kwh": 0.05, "residual_ma": 2.0, "pressure_kpa": 1.0, "dp_pa": 10.0, "rh": 1.0,
}.items():  # fmt: skip
    _RESOLUTION[INDEX[_name]] = _step
_DIGITS = 4
_HOUR, _DAY = 60.0, 1440.0
_SETTLED = 20.0
"""No new normal before this many readings at it."""
GAS_RULE, ANY_RULE = "G105", "A101"


class Unusual:
    """One rule's channels: G105 watches gases, upwards only; A101 every other quantity, both ways. Scores each live reading."""

    def __init__(self, rule: str, parameters: Parameters) -> None:
        self.rules: tuple[str, ...] = (rule,)
        self._rule = rule
        gas = rule == GAS_RULE
        values = parameters.of(rule)
        self._relearn = values["relearn_d"] * _DAY
        self._soonest = 6 * _HOUR if gas else _DAY
        self._baselines = Baselines(_tuning(values, gas=gas))
        self._suspicions = Suspicions(_limits(values, gas=gas))
        self._pacing = Pacing()
        self._watched = _GASES if gas else _OTHERS
        self._channels = Channels(self._watched)
        self._counters = Counters()
        self._episodes: dict[int, _Episode] = {}

    def observe(self, segment: Segment, world: World) -> Output:
        readings = self._counters.as_rates(segment.of(self._watched, NOT_LIVE))
        if not len(readings):
            return Output()
        channels, new = self._channels.of(readings, len(world.slots))
        if len(new):
            self._begin(readings, channels, new)
        score = np.empty(len(readings))
        turned: list[tuple[int, _Turn]] = []
        for chosen in rounds(channels):
            mine = channels[chosen]
            due, means, score[chosen] = self._pacing.take(mine, readings.value[chosen], readings.event_ms[chosen])
            if due.any():
                turned += self._advance(readings, mine[due], chosen[due], means[due], score)
        turned.sort(key=itemgetter(0))
        found = [finding for i, turn in turned for finding in self._turn(readings, i, turn, world)]
        return Output(found, scores=Scores(self._rule, readings.slot, readings.measurand, readings.event_ms, score))

    def _advance(
        self, readings: Readings, channels: Int64, chosen: Int64, values: Float64, score: Float64
    ) -> "list[tuple[int, _Turn]]":
        """Look once at each channel; return the turns of their alarms by row of the segment."""
        baselines, suspicions = self._baselines, self._suspicions
        times = readings.event_ms[chosen].astype(float)
        view = baselines.look(channels, values, times)
        judged = suspicions.judge(view, values)
        score[chosen] = judged.score
        self._pacing.keep(channels, judged.score)
        baselines.learn(view, values, times, judged.elevated, judged.old)
        turned = [
            (int(chosen[i]), self._picture(view, i, judged.score[i])) for i in judged.turned.nonzero()[0].tolist()
        ]
        lasting = np.flatnonzero(self._lasts(channels))
        if len(lasting):
            rows = lasting.tolist()
            turned += [(int(chosen[i]), self._picture(view, i, judged.score[i], settled=True)) for i in rows]
            suspicions.forget(channels[lasting])
            baselines.accept(channels[lasting], (values - view.expected)[lasting])
        return turned

    def _lasts(self, channels: Int64) -> Mask:
        """Whether a departure has lasted so long that it is the new normal."""
        active = self._suspicions.rows[channels, ACTIVE]
        age, pace = self._baselines.rough[channels, AGE], self._baselines.rough[channels, PACE]
        shortest = np.maximum(self._soonest, _SETTLED * pace)
        lasting: Mask = active > np.maximum(np.minimum(age / 4.0, self._relearn), shortest)
        return lasting

    def _picture(self, view: View, i: int, score: float, *, settled: bool = False) -> "_Turn":
        channel, why = int(view.channels[i]), self._suspicions.why(view, i)
        row, age = self._suspicions.rows[channel], self._baselines.rough[channel, AGE]
        return _Turn(
            active=bool(row[ACTIVE] > 0) and not settled,
            settled=settled,
            why=why,
            expected=float(view.lately_expected[i] if why is Why.LATELY else view.expected[i]),
            sigma=float(view.lately_sigma[i] if why is Why.LATELY else view.sigma[i]),
            score=float(score),
            peak=float(row[PEAK]),
            by_hour=bool(view.shaped[i]),
            lasting=float(row[LASTING] if why is Why.LASTING else view.rough[SAME, i]),
            known_h=float(age) / _HOUR,
        )

    def _begin(self, readings: Readings, channels: Int64, new: Int64) -> None:
        """Let channels begin with these readings."""
        times = readings.event_ms[new].astype(float)
        resolution = _RESOLUTION[readings.measurand[new]]
        self._baselines.begin(channels[new], readings.value[new], times, resolution)
        self._suspicions.begin(channels[new])
        self._pacing.grow(len(self._channels))

    def _turn(self, readings: Readings, i: int, turn: "_Turn", world: World) -> list[Finding]:
        """Return what one channel's turn means for its device: one alarm however many of its measurands are unusual."""
        slot, measurand = int(readings.slot[i]), int(readings.measurand[i])
        path = world.slots.path(slot)
        if measurand in _WELDING and world.view.device(world.slots.place(slot).device) is None:
            return []
        if turn.active:
            episode = self._episodes.setdefault(slot, _Episode(int(readings.received_ms[i])))
            joined = measurand not in episode.peaks
            action = Action.CHANGE if episode.peaks else Action.RAISE
            episode.up.add(measurand)
            episode.peaks.setdefault(measurand, None)
            return [self._finding(readings, i, path, action, _evidence(readings, i, turn))] if joined else []
        known = self._episodes.get(slot)
        return [] if known is None else self._fall(readings, i, turn, known, path)

    def _fall(self, readings: Readings, i: int, turn: "_Turn", episode: "_Episode", path: str) -> list[Finding]:
        """End what one measurand said, and the alarm when it was the last."""
        slot, measurand = int(readings.slot[i]), int(readings.measurand[i])
        episode.fall(measurand, turn.peak)
        if episode.up:
            return []
        del self._episodes[slot]
        evidence = episode.summary(int(readings.received_ms[i]))
        if turn.settled:
            evidence |= {"reason": "new_normal", **_evidence(readings, i, turn)}
        return [self._finding(readings, i, path, Action.CLEAR, evidence)]

    def _finding(self, readings: Readings, i: int, path: str, action: Action, evidence: dict[str, Any]) -> Finding:
        moment = Moment(int(readings.offset[i]), int(readings.received_ms[i]), int(readings.event_ms[i]))
        return self._said(moment, path, action, evidence)

    def _said(self, moment: Moment, path: str, action: Action, evidence: dict[str, Any]) -> Finding:
        return Finding(
            offset=moment.offset,
            rule=self._rule,
            device=path,
            action=action,
            severity=CATALOGUE[self._rule].severity,
            at_ms=moment.at_ms,
            event_ms=moment.event_ms,
            evidence=evidence,
        )

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        found = []
        for signal in leaves(self._episodes, offset, now_ms, changes, world):
            episode = self._episodes.pop(signal.slot)
            self._suspicions.forget(self._channels.of_slot(signal.slot))
            evidence = episode.summary(now_ms) | {"reason": WITHDRAWN}
            path = world.slots.path(signal.slot)
            found.append(self._said(Moment(offset, now_ms, now_ms), path, Action.CLEAR, evidence))
        return Output(found)

    def snapshot(self) -> dict[str, Any]:
        count = len(self._channels)
        return {
            "keys": self._channels.snapshot(),
            "baselines": self._baselines.snapshot(count),
            "suspicions": self._suspicions.rows[:count].copy(),
            "pacing": self._pacing.snapshot(count),
            "counters": self._counters.snapshot(),
            "episodes": [[slot, e.since_ms, sorted(e.up), list(e.peaks.items())] for slot, e in self._episodes.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._channels.restore(state["keys"])
        self._baselines.restore(state["baselines"])
        self._suspicions.rows = np.array(state["suspicions"])
        self._pacing.restore(state["pacing"])
        self._counters.restore(state["counters"])
        self._episodes = {slot: _Episode(since, set(up), dict(peaks)) for slot, since, up, peaks in state["episodes"]}


class _Turn(NamedTuple):
    """A channel whose alarm began or ended, as it was at that reading; `settled`: ended because it has become normal."""

    active: bool
    settled: bool
    why: Why
    expected: float
    sigma: float
    score: float
    peak: float
    by_hour: bool
    lasting: float
    known_h: float


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


def _tuning(values: Mapping[str, float], *, gas: bool) -> Tuning:
    """Return how baselines learn: a leak in the first hours must not teach, of a machine's first hours we know nothing yet."""
    return Tuning(
        recent=values["recent_h"] * _HOUR,
        usual=values["usual_d"] * _DAY,
        spread=values["spread_h"] * _HOUR,
        ripe=2 * _HOUR if gas else 3 * _DAY,
        relative=0.02 if gas else 0.0,
        both=not gas,
    )


def _limits(values: Mapping[str, float], *, gas: bool) -> Limits:
    return Limits(
        k=values["k"],
        h=values["h"],
        small_k=values["small_k"],
        small_h=values["small_h"],
        warmup=values["warmup_min"],
        off=values["off_min"],
        both=not gas,
        habits=not gas,
    )


def _evidence(readings: Readings, i: int, turn: _Turn) -> dict[str, Any]:
    measurand = MEASURANDS[int(readings.measurand[i])]
    evidence = {
        "measurand": measurand.name,
        "value": round(float(readings.value[i]), _DIGITS),
        "unit": measurand.unit,
        "baseline": round(turn.expected, _DIGITS),
        "baseline_of": _baseline_of(turn),
        "known_h": round(turn.known_h, 1),
        "spread": round(turn.sigma, _DIGITS),
        "score": round(turn.score, 2),
    }
    lasting = {Why.LASTING: "departed_min", Why.UNCHANGED: "unchanged_min"}.get(turn.why)
    return evidence if lasting is None else evidence | {lasting: round(turn.lasting)}


def _baseline_of(turn: _Turn) -> str:
    if turn.why is Why.LATELY:
        return "last_hours"
    return "hour_of_day" if turn.by_hour else "last_days"
