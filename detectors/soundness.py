"""D104: a gas sensor whose readings cannot be believed, by the readings themselves (`condition.py`) or by its own self-test.

One channel per device and gas measurand, looked at every ten seconds at most. Readings that came late or were retained neither
teach nor alarm.
"""

from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from detectors import condition
from detectors.arrays import gathered, grown, rounds
from detectors.base import Output, World
from detectors.channels import Channels
from detectors.condition import Bounds, Float32
from detectors.holding import Holding, Moment
from detectors.parameters import Parameters
from detectors.withdrawals import left
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import COUNT, INDEX, MEASURANDS, Family, indices
from domain.readings import NOT_LIVE, Int64, Quality, Readings, Segment, Signal

_RULE = "D104"
_SELFTEST = "selftest"
_WATCHED = indices(Family.COMBUSTIBLE, Family.TOXIC, Family.OXYGEN)
_LANE = np.full(COUNT, -1, np.int8)
_LANE[list(_WATCHED)] = range(len(_WATCHED))
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
_APART_MS = 10_000
_MINUTE_MS = 60_000.0


class _Turn(NamedTuple):
    """A channel whose condition changed: the reading that decided, conditions before and after, and its state then."""

    row_number: int
    offset: int
    slot: int
    measurand: int
    value: float
    event_ms: int
    received_ms: int
    before: int
    after: int
    row: Float32


class Soundness:
    """Implements Detector for D104. Memory: 76 bytes a gas channel."""

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
        self._channels = Channels(_WATCHED)
        self._last_ms: Int64 = np.empty(0, np.int64)
        self._rows: Float32 = np.empty((0, condition.COLUMNS), np.float32)
        self._alarms = Holding(_RULE)

    def observe(self, segment: Segment, world: World) -> Output:
        tests = [s for s in segment.signals if s.type == _SELFTEST and not s.quality & Quality.RETAINED]
        events: list[_Turn | Signal] = [*self._turns(segment.of(_WATCHED, NOT_LIVE), len(world.slots)), *tests]
        found = []
        for event in sorted(events, key=attrgetter("offset")):
            path = world.slots.path(event.slot)
            found += self._tested(event, path) if isinstance(event, Signal) else self._turned(event, path)
        return Output(found)

    def _turns(self, readings: Readings, slots: int) -> list[_Turn]:
        """Advance every channel; return those whose condition changed, in order."""
        if not len(readings):
            return []
        channels, new = self._channels.of(readings, slots)
        if len(new):
            self._begin(readings, channels, new)
        turns = [turn for chosen in rounds(channels) for turn in self._look(readings, chosen, channels[chosen])]
        turns.sort(key=attrgetter("row_number"))
        return turns

    def _begin(self, readings: Readings, channels: Int64, new: Int64) -> None:
        """Let channels begin with these readings."""
        self._rows, self._last_ms = grown(self._rows, len(self._channels)), grown(self._last_ms, len(self._channels))
        first = channels[new]
        self._last_ms[first] = readings.event_ms[new]
        self._rows[first, condition.VALUE] = readings.value[new]
        self._rows[first, condition.RUN] = self._rows[first, condition.SEEN] = 1.0

    def _look(self, readings: Readings, chosen: Int64, channels: Int64) -> list[_Turn]:
        """Take in the readings of channels that were not looked at for some time; a clock set back is a pause too."""
        since_ms = readings.event_ms[chosen] - self._last_ms[channels]
        due = np.flatnonzero(np.abs(since_ms) >= _APART_MS)
        if not len(due):
            return []
        chosen, channels = chosen[due], channels[due]
        rows = gathered(self._rows, channels)
        lanes = _LANE[readings.measurand[chosen]]
        bounds = Bounds(*(column[lanes] for column in self._bounds))
        minutes = (np.maximum(since_ms[due], 0) / _MINUTE_MS).astype(np.float32)
        before = condition.advance(rows, readings.value[chosen].astype(np.float32), minutes, bounds, self._tuning)
        self._rows[channels], self._last_ms[channels] = rows.T, readings.event_ms[chosen]
        after = rows[condition.FLAGS]
        changed = np.flatnonzero(before != after).tolist()
        return [_turn(readings, int(chosen[i]), int(before[i]), int(after[i]), rows[:, i]) for i in changed]

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

    def _told(self, turn: _Turn, bit: int, row: Float32) -> dict[str, float]:
        """Return the numbers that decided."""
        if bit == condition.FROZEN:
            minutes = row[condition.RUN_MIN]
            names = ("readings", "usual_readings", "longest_readings")
            counts = (row[condition.RUN], row[condition.MEAN_RUN], row[condition.LONGEST])
            return {"unchanged_min": float(minutes)} | dict(zip(names, map(float, counts), strict=True))
        if bit == condition.NOISE:
            return {"noise": float(row[condition.JITTER]), "usual_noise": float(row[condition.JITTER_USUAL])}
        if bit == condition.SPAN:
            return {"noise_of_day": float(row[condition.JITTER_DAY]), "usual_noise": float(row[condition.JITTER_USUAL])}
        lane = _LANE[turn.measurand]
        rest, zero = float(self._bounds.rest[lane]), float(self._bounds.zero[lane])
        return {"in_clean_air": rest, "drift_limit": zero, "hours": abs(float(row[condition.ASIDE_MIN])) / 60}

    def _tested(self, signal: Signal, path: str) -> list[Finding]:
        if signal.data.get("ok") is False:
            return self._alarms.hold(path, _SELFTEST, Moment.of(signal), {"reason": "selftest_failed"}, event=True)
        return self._alarms.release(path, _SELFTEST, Moment.of(signal))

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        for slot in left(changes, world):
            self._rows[self._channels.of_slot(slot)[:, None], condition.STANDING] = 0.0
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        count = len(self._channels)
        return {
            "keys": self._channels.snapshot(),
            "last_ms": self._last_ms[:count].copy(),
            "rows": self._rows[:count].copy(),
            "alarms": self._alarms.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._channels.restore(state["keys"])
        self._last_ms, self._rows = np.array(state["last_ms"]), np.array(state["rows"])
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
    noise = zero * _NOISE_SHARE / parameters.of(_RULE)["noise_ratio"]
    return Bounds(*(column.astype(np.float32) for column in (rest, zero, noise, low_min)))


def _turn(readings: Readings, i: int, before: int, after: int, row: Float32) -> _Turn:
    offset, slot, measurand, value, event_ms, received_ms = (
        getattr(readings, name)[i].item()
        for name in ("offset", "slot", "measurand", "value", "event_ms", "received_ms")
    )
    return _Turn(i, offset, slot, measurand, value, event_ms, received_ms, before, after, row)
