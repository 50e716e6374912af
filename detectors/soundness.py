"""D104: a gas sensor whose readings cannot be believed, by the readings themselves (`condition.py`) or by its own self-test.

One channel per device and gas measurand. Readings that came late or were retained neither teach nor alarm.
"""

from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from detectors import condition
from detectors.arrays import grown, rounds
from detectors.base import Output, World
from detectors.condition import Bounds
from detectors.holding import Holding, Moment
from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import COUNT, INDEX, MEASURANDS, Family, indices
from domain.readings import Float64, Int64, Quality, Readings, Segment, Signal

_RULE = "D104"
_SELFTEST = "selftest"
_WATCHED = indices(Family.COMBUSTIBLE, Family.TOXIC, Family.OXYGEN)
_LANE = np.full(COUNT, -1, np.int8)
_LANE[list(_WATCHED)] = range(len(_WATCHED))
_NOT_LIVE = int(Quality.RETAINED | Quality.LATE)
_KINDS = {
    condition.FROZEN: "frozen",
    condition.NOISE: "noise",
    condition.SPAN: "span_loss",
    condition.ZERO: "zero_drift",
}
_AIR_O2, _O2_DRIFT = 20.9, 0.6
"""Oxygen in air, and how far from it a sound sensor never stays, %VOL."""
_NOISE_SHARE = 0.2
"""Noise that no sensor is too quiet to alarm at, as a share of what counts as drift."""
_LOW_MIN = 60.0
"""Minutes below zero that are drift: no gas makes a reading negative."""
_DIGITS = 4


class _Turn(NamedTuple):
    """A channel whose condition changed: the reading that decided, conditions before and after, and its state then."""

    offset: int
    slot: int
    measurand: int
    value: float
    event_ms: int
    received_ms: int
    before: int
    after: int
    row: Float64


class Soundness:
    """Implements Detector for D104. Memory: 141 bytes a gas channel."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        values = parameters.of(_RULE)
        self._tuning = condition.Tuning(
            values["frozen_min"],
            values["noise_min"],
            values["zero_h"] * 60,
            values["noise_ratio"],
            values["span_share"],
            values["span_days"] * 1440,
        )
        self._bounds = _bounds(parameters, self._tuning.zero_min)
        self._index = np.full((0, len(_WATCHED)), -1, np.int32)
        self._count = 0
        self._keys = np.empty(0, np.int64)
        self._rows = np.empty((condition.COLUMNS, 0))
        self._flags = np.empty(0, np.uint8)
        self._alarms = Holding(_RULE)

    def observe(self, segment: Segment, world: World) -> Output:
        tests = [s for s in segment.signals if s.type == _SELFTEST and not s.quality & Quality.RETAINED]
        events: list[_Turn | Signal] = [*self._turns(segment.readings, len(world.slots)), *tests]
        found = []
        for event in sorted(events, key=attrgetter("offset")):
            path = world.slots.path(event.slot)
            found += self._tested(event, path) if isinstance(event, Signal) else self._turned(event, path)
        return Output(found)

    def _turns(self, readings: Readings, slots: int) -> list[_Turn]:
        """Advance every channel; return those whose condition changed, in order."""
        readings = readings.take((_LANE[readings.measurand] >= 0) & (readings.quality & _NOT_LIVE == 0))
        if not len(readings):
            return []
        channels, turns = self._channels(readings, slots), []
        for chosen in rounds(channels):
            mine = channels[chosen]
            rows, before, lanes = self._rows[:, mine], self._flags[mine], _LANE[readings.measurand[chosen]]
            bounds = Bounds(*(column[lanes] for column in self._bounds))
            times_ms = readings.event_ms[chosen].astype(float)
            after = condition.advance(rows, before, readings.value[chosen], times_ms, bounds, self._tuning)
            self._rows[:, mine], self._flags[mine] = rows, after
            changed = np.flatnonzero(before != after).tolist()
            turns += [(int(chosen[i]), int(before[i]), int(after[i]), rows[:, i]) for i in changed]
        turns.sort(key=lambda turn: turn[0])
        return [_Turn(*_reading(readings, i), *rest) for i, *rest in turns]

    def _channels(self, readings: Readings, slots: int) -> Int64:
        """Return the channel of each reading, making those that are new in order of appearance."""
        self._index = grown(self._index, slots, fill=-1)
        lane = _LANE[readings.measurand]
        new = np.flatnonzero(self._index[readings.slot, lane] < 0)
        if len(new):
            keys = readings.slot[new].astype(np.int64) * COUNT + readings.measurand[new]
            first = new[np.sort(np.unique(keys, return_index=True)[1])]
            start, self._count = self._count, self._count + len(first)
            self._keys, self._flags = grown(self._keys, self._count), grown(self._flags, self._count)
            more = np.zeros((condition.COLUMNS, len(self._keys) - self._rows.shape[1]))
            self._rows = np.concatenate((self._rows, more), axis=1)
            self._keys[start : self._count] = readings.slot[first].astype(np.int64) * COUNT + readings.measurand[first]
            self._rows[:, start : self._count] = condition.fresh(
                readings.value[first], readings.event_ms[first].astype(float)
            )
            self._index[readings.slot[first], lane[first]] = range(start, self._count)
        return self._index[readings.slot, lane].astype(np.int64)

    def _turned(self, turn: _Turn, path: str) -> list[Finding]:
        name, moment = MEASURANDS[turn.measurand].name, Moment(turn.offset, turn.received_ms, turn.event_ms)
        found = []
        for bit, kind in _KINDS.items():
            cause = f"{kind}.{name}"
            if turn.after & ~turn.before & bit:
                found += self._alarms.hold(path, cause, moment, self._evidence(turn, bit, kind))
            elif turn.before & ~turn.after & bit:
                found += self._alarms.release(path, cause, moment, {"reason": kind, "measurand": name})
        return found

    def _evidence(self, turn: _Turn, bit: int, kind: str) -> dict[str, Any]:
        measurand, row = MEASURANDS[turn.measurand], turn.row
        facts = {
            "reason": kind,
            "measurand": measurand.name,
            "value": round(turn.value, _DIGITS),
            "unit": measurand.unit,
        }
        rounded = {name: round(value, _DIGITS) for name, value in self._told(turn, bit, row).items()}
        return facts | rounded

    def _told(self, turn: _Turn, bit: int, row: Float64) -> dict[str, float]:
        """Return the numbers that decided."""
        if bit == condition.FROZEN:
            minutes = (turn.event_ms - row[condition.RUN_MS]) / 60_000
            names = ("readings", "usual_readings", "longest_readings")
            counts = (row[condition.RUN], row[condition.MEAN_RUN], row[condition.LONGEST])
            return {"unchanged_min": float(minutes)} | dict(zip(names, map(float, counts), strict=True))
        if bit == condition.NOISE:
            return {"noise": float(row[condition.JITTER]), "usual_noise": float(row[condition.JITTER_USUAL])}
        if bit == condition.SPAN:
            return {"noise_of_day": float(row[condition.JITTER_DAY]), "usual_noise": float(row[condition.JITTER_USUAL])}
        lane = _LANE[turn.measurand]
        since_ms = float(row[condition.HIGH_MS] or row[condition.LOW_MS])
        rest, zero = float(self._bounds.rest[lane]), float(self._bounds.zero[lane])
        return {"in_clean_air": rest, "drift_limit": zero, "hours": (turn.event_ms - since_ms) / 3_600_000}

    def _tested(self, signal: Signal, path: str) -> list[Finding]:
        if signal.data.get("ok") is False:
            return self._alarms.hold(path, _SELFTEST, Moment.of(signal), {"reason": "selftest_failed"}, event=True)
        return self._alarms.release(path, _SELFTEST, Moment.of(signal))

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        return {
            "keys": self._keys[: self._count].copy(),
            "rows": self._rows[:, : self._count].copy(),
            "flags": self._flags[: self._count].copy(),
            "alarms": self._alarms.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._keys, self._rows = np.array(state["keys"]), np.array(state["rows"])
        self._flags, self._count = np.array(state["flags"]), len(state["keys"])
        slots, measurands = self._keys // COUNT, self._keys % COUNT
        self._index = np.full((int(slots.max(initial=-1)) + 1, len(_WATCHED)), -1, np.int32)
        self._index[slots, _LANE[measurands]] = range(self._count)
        self._alarms.restore(state["alarms"])


def _bounds(parameters: Parameters, zero_min: float) -> Bounds:
    """Return the bounds of each lane: drift is a share of the first alarm level, which no sound sensor shows in clean air."""
    share, first = parameters.of(_RULE)["zero_share"], parameters.of("G102")
    rest, zero, low_min = np.zeros(len(_WATCHED)), np.empty(len(_WATCHED)), np.full(len(_WATCHED), _LOW_MIN)
    for lane, measurand in enumerate(_WATCHED):
        name = MEASURANDS[measurand].name
        if measurand == INDEX["o2_vol"]:
            rest[lane], zero[lane], low_min[lane] = _AIR_O2, _O2_DRIFT, zero_min
        elif name in first:
            zero[lane] = share * first[name]
        else:
            per_lel = 1.0 if MEASURANDS[measurand].unit == "%LEL" else first["ch4_lel_vol"] * 100.0
            zero[lane] = share * first["combustible_lel"] * per_lel
    return Bounds(rest, zero, zero * _NOISE_SHARE / parameters.of(_RULE)["noise_ratio"], low_min)


def _reading(readings: Readings, i: int) -> tuple[Any, ...]:
    names = ("offset", "slot", "measurand", "value", "event_ms", "received_ms")
    return tuple(getattr(readings, name)[i].item() for name in names)
