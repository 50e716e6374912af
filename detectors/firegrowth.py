"""F103, F104: a fire before any point alarms: heat that rises too fast or is too high, and several faint signs together.

Temperature and carbon monoxide are judged by how they rose over the last samples of their own sensor (a median of slopes,
so that one wild sample proves nothing), smoke by its level. Rings of samples are kept in arrays, a channel a device and
sign; only turns of a level are looked at one by one. What came late neither teaches nor alarms here.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown, rounds
from detectors.base import Output, World
from detectors.catalogue import CATALOGUE
from detectors.fire import ALARM, CLEAR, Point, Points, points_after
from detectors.parameters import Parameters
from detectors.withdrawals import WITHDRAWN, leaves
from domain.changes import RegisterChange
from domain.findings import Action, Finding
from domain.measurands import COUNT, INDEX
from domain.readings import NOT_LIVE, Float64, Int64, Quality, Readings, Segment, Signal
from registers.device import DeviceKind

EARLY, FAST = "F103", "F104"
PREALARM = "fire.prealarm"
SMOKE, HEAT, CO = range(3)
SIGNS = ("smoke", "heat", "co")
QUIET, SIGN, ALARMING = range(3)
"""Levels of a channel: nothing, one sign of a fire, an alarm by itself (heat only)."""

_LANE = np.full(COUNT, -1, np.int8)
for _name, _lane in {"smoke_dbm": SMOKE, "smoke_pct": SMOKE, "temp_c": HEAT, "co_ppm": CO}.items():
    _LANE[INDEX[_name]] = _lane
_WATCHED = tuple(np.flatnonzero(_LANE >= 0).tolist())
_PERCENT = INDEX["smoke_pct"]
_SAMPLES = 6
_ENOUGH = 4
"""Samples that make a slope."""
_SPACING_MS = np.array([0, 10_000, 60_000])
"""Samples of a channel lie at least this far apart, so that six of them span a minute of heat, five minutes of CO."""
_OLDEST_MS = 600_000
_HOLD = 0.5
"""A level is kept down to this share of what began it."""
_COOLING_C = 5.0
_I, _J = np.triu_indices(_SAMPLES, 1)
_ELSEWHERE = (DeviceKind.WELDING, DeviceKind.ELECTRIC, DeviceKind.PROCESS)
"""Kinds whose temperature is a machine's or a cable's, not a room's."""


class Turn(NamedTuple):
    """A channel's level changed at a reading: `rise` over its samples, `slope` a minute."""

    offset: int
    slot: int
    lane: int
    level: int
    event_ms: int
    received_ms: int
    value: float
    rise: float
    slope: float


@dataclass(slots=True)
class Case:
    """One device that shows something: its signs by lane, its points in alarm, its own pre-alarm, and the rules told."""

    signs: dict[int, Turn] = field(default_factory=dict)
    points: Points = field(default_factory=dict)
    prealarm: bool = False
    told: set[str] = field(default_factory=set)

    def is_quiet(self) -> bool:
        return not (self.signs or self.points or self.prealarm or self.told)

    def take(self, event: Turn | Signal) -> None:
        if isinstance(event, Turn):
            self.signs.pop(event.lane, None)
            if event.level != QUIET:
                self.signs[event.lane] = event
        elif event.type == PREALARM:
            self.prealarm = True
        else:
            self.points = points_after(self.points, event)
            self.prealarm = False

    def due(self) -> set[str]:
        """Return the rules that should stand: a pre-alarm ends when a point alarms, or when every sign is gone."""
        fast = HEAT in self.signs and self.signs[HEAT].level == ALARMING
        faint = self.prealarm or len(self.signs) > 1 or (bool(self.signs) and EARLY in self.told)
        return {rule for rule, stands in ((FAST, fast), (EARLY, faint and not self.points)) if stands}


class FireGrowth:
    """Implements Detector for F103 and F104. Arrays by channel, three a device that reports smoke, temperature or CO."""

    rules: tuple[str, ...] = (EARLY, FAST)

    def __init__(self, parameters: Parameters) -> None:
        self._early, self._fast = parameters.of(EARLY), parameters.of(FAST)
        self._row = np.empty(0, np.int32)
        self._least = _HOLD * np.array([np.inf, self._fast["rise_c"], self._early["co_ppm"]])
        """The least rise by lane that may keep a level."""
        self._high = np.array([_HOLD * self._early["smoke_dbm"], self._fast["fixed_c"] - _COOLING_C, np.inf])
        """The least value by lane that may do so."""
        self._rows = 0
        self._values = np.empty((0, _SAMPLES))
        self._times = np.empty((0, _SAMPLES), np.int64)
        self._last = np.empty(0, np.int64)
        self._next = np.empty(0, np.int64)
        self._floor = np.empty(0)
        self._level = np.empty(0, np.int8)
        self._cases: dict[int, Case] = {}
        self._is_room = np.empty(0, np.bool_)
        self._known = 0
        """Slots of which it is known."""

    def observe(self, segment: Segment, world: World) -> Output:
        self._learn(world)
        readings = segment.of(_WATCHED, NOT_LIVE)
        if not self._is_room[readings.slot].all():
            readings = readings.take(self._is_room[readings.slot])
        heard = (ALARM, CLEAR, PREALARM)
        events: list[Turn | Signal] = [*self._turns(readings)] if len(readings) else []
        events += [s for s in segment.signals if s.type in heard and not s.quality & Quality.RETAINED]
        output = Output()
        for event in sorted(events, key=_order):
            output.findings.extend(self._judge(event, world.slots.path(event.slot)))
        return output

    def _learn(self, world: World) -> None:
        """Note which new slots are of devices that watch a room; one in no register may."""
        known, self._known = self._known, len(world.slots)
        if known < self._known:
            self._is_room = grown(self._is_room, self._known)
            self._is_room[known : self._known] = [_watches_room(world, slot) for slot in range(known, self._known)]

    def _turns(self, readings: Readings) -> list[Turn]:
        lane = _LANE[readings.measurand].astype(np.int64)
        channels = self._channels(readings.slot.astype(np.int64)) + lane
        value = _in_dbm(readings)
        found: list[Turn] = []
        for chosen in rounds(channels):
            at, values, times = channels[chosen], value[chosen], readings.event_ms[chosen]
            self._sample(at, values, times)
            near = self._near(at, values)
            if len(near):
                found += self._look(readings, chosen[near], at[near], values[near], times[near])
        return found

    def _look(self, readings: Readings, chosen: Int64, at: Int64, values: Float64, times: Int64) -> list[Turn]:
        """Judge channels anew; return those whose level turned."""
        rise, slope = self._growth(at, values, times)
        level = self._judged(at, values, rise, slope)
        turned = np.flatnonzero(level != self._level[at])
        self._level[at] = level
        columns = (chosen, at, level, values, rise, slope)
        return [
            _turn(readings, i, channel, now, numbers)
            for i, channel, now, *numbers in zip(*(column[turned].tolist() for column in columns), strict=True)
        ]

    def _channels(self, slots: Int64) -> Int64:
        """Return the first of each slot's channels, making those that are new in order of appearance."""
        self._row = grown(self._row, int(slots.max()) + 1, fill=-1)
        new = slots[self._row[slots] < 0]
        for slot in new[np.sort(np.unique(new, return_index=True)[1])].tolist():
            self._row[slot] = self._rows
            self._rows += 1
        size = 3 * self._rows
        self._values, self._times = grown(self._values, size, np.nan), grown(self._times, size)
        self._last, self._next = grown(self._last, size), grown(self._next, size)
        self._floor, self._level = grown(self._floor, size, np.inf), grown(self._level, size)
        return self._row[slots].astype(np.int64) * 3

    def _sample(self, at: Int64, values: Float64, times: Int64) -> None:
        """Add the readings that lie far enough from their channel's last sample; a clock set back begins anew."""
        since = times - self._last[at]
        back = since < -_OLDEST_MS
        if back.any():
            self._values[at[back]], self._floor[at[back]] = np.nan, np.inf
        due = np.flatnonzero((since >= _SPACING_MS[at % 3]) | back)
        if not len(due):
            return
        at, values, times = at[due], values[due], times[due]
        place = self._next[at]
        self._values[at, place], self._times[at, place] = values, times
        self._last[at], self._next[at] = times, (place + 1) % _SAMPLES
        self._floor[at] = np.minimum(self._floor[at], values)

    def _near(self, at: Int64, values: Float64) -> Int64:
        """Return the rows that can have, or have, a level: those high enough by themselves, or above their floor."""
        lane = at % 3
        near = values >= self._high[lane]
        near |= values - self._floor[at] >= self._least[lane]
        near |= self._level[at] != QUIET
        return np.flatnonzero(near)

    def _growth(self, at: Int64, values: Float64, times: Int64) -> tuple[Float64, Float64]:
        """Return each channel's rise above its lowest recent sample, and its median slope a minute; 0 where neither matters.

        The floor is at or below that sample, so that what lies close to it need not be looked at; it is put right where
        it does.
        """
        rise, slope = np.zeros(len(at)), np.zeros(len(at))
        notable = np.flatnonzero(values - self._floor[at] >= self._least[at % 3])
        if not len(notable):
            return rise, slope
        at, now = at[notable], times[notable]
        kept = np.where(self._times[at] >= now[:, None] - _OLDEST_MS, self._values[at], np.nan)
        self._floor[at] = np.fmin.reduce(kept, axis=1, initial=np.inf)
        rise[notable] = values[notable] - self._floor[at]
        steep = (rise[notable] >= self._least[at % 3]) & (np.isfinite(kept).sum(axis=1) >= _ENOUGH) & (at % 3 == HEAT)
        if steep.any():
            kept, minutes = kept[steep], self._times[at[steep]] / 60_000
            slopes = (kept[:, _J] - kept[:, _I]) / (minutes[:, _J] - minutes[:, _I])
            slope[notable[steep]] = np.nanmedian(slopes, axis=1)
        return rise, slope

    def _judged(self, at: Int64, values: Float64, rise: Float64, slope: Float64) -> np.ndarray[Any, np.dtype[np.int8]]:
        """Return each channel's level, with hysteresis below the level it has."""
        lane, before = at % 3, self._level[at]
        signs = np.choose(
            lane, (values / self._early["smoke_dbm"], slope / self._early["temp_rate"], rise / self._early["co_ppm"])
        )
        sign = signs >= np.where(before >= SIGN, _HOLD, 1.0)
        still = np.where(before == ALARMING, _HOLD, 1.0)
        quick = (slope >= self._fast["rate"] * still) & (rise >= self._fast["rise_c"] * still)
        hot = values >= self._fast["fixed_c"] - np.where(before == ALARMING, _COOLING_C, 0.0)
        return np.where((lane == HEAT) & (quick | hot), ALARMING, sign).astype(np.int8)

    def _judge(self, event: Turn | Signal, path: str) -> list[Finding]:
        case = self._cases.setdefault(event.slot, Case())
        signs, points = dict(case.signs), case.points
        case.take(event)
        due, told = case.due(), case.told
        case.told = due
        if case.is_quiet():
            del self._cases[event.slot]
        over = {"reason": "point_alarmed" if case.points and not points else "subsided"}
        found = [_finding(event, path, rule, Action.CLEAR, over) for rule in sorted(told - due)]
        for rule in sorted(due):
            if rule not in told:
                found.append(_finding(event, path, rule, Action.RAISE, self._evidence(rule, case)))
            elif rule == EARLY and case.signs.keys() - signs.keys():
                found.append(_finding(event, path, rule, Action.CHANGE, self._evidence(rule, case)))
        return found

    def _evidence(self, rule: str, case: Case) -> dict[str, Any]:
        if rule == EARLY:
            said = ["device"] if case.prealarm else []
            facts: dict[str, Any] = {"criteria": [SIGNS[lane] for lane in sorted(case.signs)] + said}
            for turn in case.signs.values():
                facts |= _facts(turn)
            return facts | {"limits": {name: self._early[name] for name in ("smoke_dbm", "temp_rate", "co_ppm")}}
        turn = case.signs[HEAT]
        fixed = turn.value >= self._fast["fixed_c"]
        limit = "fixed_c" if fixed else "rate"
        basis = next(p.basis for p in CATALOGUE[FAST].parameters if p.name == limit)
        facts = {"measurand": "temp_c", "unit": "°C", **_facts(turn)}
        facts["value"] = facts.pop("temp_c")
        facts |= {"set_point": self._fast["fixed_c"]} if fixed else {"rate_limit_c_min": self._fast["rate"]}
        return facts | {"reason": "hot" if fixed else "rising", "set_point_basis": basis}

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        slots = world.touched(changes)
        if slots is None:
            self._known = 0
        for slot in slots or ():
            if slot < self._known:
                self._is_room[slot] = _watches_room(world, slot)
        self._learn(world)
        found = [f for gone in leaves(self._cases, offset, now_ms, changes, world) for f in self._left(gone, world)]
        return Output(found + self._moved_out(offset, now_ms, world))

    def _moved_out(self, offset: int, now_ms: int, world: World) -> list[Finding]:
        """End the signs of devices that, as the registers now say, watch no room: nothing more is read of them."""
        turns = [t for case in self._cases.values() for t in case.signs.values() if not self._is_room[t.slot]]
        found = []
        for turn in turns:
            self._quieten(turn.slot)
            quiet = turn._replace(offset=offset, level=QUIET, event_ms=now_ms, received_ms=now_ms)
            found += self._judge(quiet, world.slots.path(turn.slot))
        return found

    def _quieten(self, slot: int) -> None:
        if slot < len(self._row) and self._row[slot] >= 0:
            self._level[3 * self._row[slot] :][:3] = QUIET

    def _left(self, gone: Signal, world: World) -> list[Finding]:
        """Forget a device that is watched no longer, and end its alarms."""
        told = self._cases.pop(gone.slot).told
        self._quieten(gone.slot)
        path, why = world.slots.path(gone.slot), {"reason": WITHDRAWN}
        return [_finding(gone, path, rule, Action.CLEAR, why) for rule in sorted(told)]

    def snapshot(self) -> dict[str, Any]:
        size = 3 * self._rows
        cases = [
            [
                slot,
                [list(turn) for turn in case.signs.values()],
                [[name, *point] for name, point in case.points.items()],
                case.prealarm,
                sorted(case.told),
            ]
            for slot, case in self._cases.items()
        ]
        arrays = {name: np.array(getattr(self, f"_{name}")[:size]) for name in _ARRAYS}
        return {"row": self._row.copy(), "cases": cases} | arrays

    def restore(self, state: dict[str, Any]) -> None:
        for name in ("row", *_ARRAYS):
            setattr(self, f"_{name}", np.array(state[name]))
        self._rows, self._known = len(self._level) // 3, 0
        self._cases = {}
        for slot, signs, points, prealarm, told in state["cases"]:
            turns = [Turn(*turn) for turn in signs]
            standing = {name: Point(*point) for name, *point in points}
            self._cases[slot] = Case({turn.lane: turn for turn in turns}, standing, prealarm, set(told))


_ARRAYS = ("values", "times", "last", "next", "floor", "level")


def _watches_room(world: World, slot: int) -> bool:
    name = world.slots.place(slot).device
    device = world.view.device(name)
    model = world.view.model(device.model) if device is not None else None
    return world.view.machine(name) is None and (model is None or model.kind not in _ELSEWHERE)


def _order(event: Turn | Signal) -> tuple[int, int]:
    """Return what sorts a segment's events: within one record by sign, however the record was batched."""
    return event.offset, event.lane if isinstance(event, Turn) else -1


def _in_dbm(readings: Readings) -> Float64:
    """Return the values, obscuration in % per metre turned into dB per metre: m = -10 lg(1 - p/100)."""
    percent = readings.measurand == _PERCENT
    if not percent.any():
        return readings.value
    share = np.clip(readings.value / 100.0, 0.0, 0.999)
    return np.where(percent, -10.0 * np.log10(1.0 - share), readings.value)


def _turn(readings: Readings, i: int, channel: int, level: int, numbers: list[float]) -> Turn:
    offset, slot = int(readings.offset[i]), int(readings.slot[i])
    value, rise, slope = numbers
    times = int(readings.event_ms[i]), int(readings.received_ms[i])
    return Turn(offset, slot, channel % 3, level, *times, value, rise, slope)


def _facts(turn: Turn) -> dict[str, Any]:
    """Return what a sign showed, by names that carry their units."""
    match turn.lane:
        case 0:
            return {"smoke_dbm": round(turn.value, 3)}
        case 1:
            return {"temp_c": round(turn.value, 1), "rate_c_min": round(turn.slope, 1), "rise_c": round(turn.rise, 1)}
        case _:
            return {"co_ppm": round(turn.value, 1), "co_rise_ppm": round(turn.rise, 1)}


def _finding(event: Turn | Signal, path: str, rule: str, action: Action, evidence: dict[str, Any]) -> Finding:
    return Finding(
        offset=event.offset,
        rule=rule,
        device=path,
        action=action,
        severity=CATALOGUE[rule].severity,
        at_ms=event.received_ms,
        event_ms=event.event_ms,
        evidence=evidence,
    )
