"""One gas device that is not quiet: which sensors are past a set point, which bits it set, and which alarms follow.

An alarm is held by values and by the device's bits alike; it is raised by the first and cleared by the last that lets go.
What arrived late may raise (marked 迟报) but may let go only of what came late itself: it says nothing of now.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from detectors.catalogue import CATALOGUE
from detectors.setpoints import Limit
from detectors.withdrawals import WITHDRAWN
from domain.findings import Action, Finding
from domain.measurands import INDEX, MEASURANDS
from domain.readings import Quality, Signal

BITS = {"alarm.low": "G102", "alarm.high": "G101"}
"""Event type of a gas device → the rule it holds."""
CLEAR = "alarm.clear"
_OXYGEN = INDEX["o2_vol"]
_FULL_SCALE = "G109"
"""Past its range a sensor may say anything: a catalytic bead needs air, and reads less the more gas displaces it."""
_UNNAMED = -1
"""Measurand of a bit that names none."""
_DIGITS = 4


class Reading(NamedTuple):
    """One row of Readings."""

    offset: int
    slot: int
    measurand: int
    value: float
    event_ms: int
    received_ms: int
    quality: int


Channel = tuple[str, int]
"""Rule and measurand."""
Held = dict[Channel, bool]
"""Channels that hold their rule's alarm → whether only late data say so."""


Ended = dict[str, tuple[int, int]]
"""Rule → between which times of the device its last alarm stood."""
_BEFORE_MS = 300_000
"""So long before an alarm its first signs may have happened."""


@dataclass(slots=True)
class Alarm:
    """One active alarm: since when (our time, the device's), whether it is late, and the worst value of each measurand in it."""

    since_ms: int
    event_ms: int
    late: bool
    peaks: dict[int, float | None] = field(default_factory=dict)


@dataclass(slots=True)
class Case:
    """What is known of one device, `path`: values past a set point, bits set, alarms by rule, and the last alarms that ended.

    What comes belatedly from within an alarm that has ended, or from shortly before it, says nothing new.
    """

    path: str
    over: Held = field(default_factory=dict)
    bits: Held = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    ended: Ended = field(default_factory=dict)

    def is_quiet(self) -> bool:
        return not (self.over or self.bits)

    def value(self, reading: Reading, limits: tuple[Limit, ...]) -> list[Finding]:
        """Judge one reading against its sensor's limits."""
        found: list[Finding] = []
        for limit in limits:
            channel = (limit.rule, reading.measurand)
            if limit.trips(reading.value):
                found += self._hold(self.over, channel, reading, _value_evidence(reading, limit))
                self._deepen(channel, reading.value, limit)
            elif limit.clears(reading.value):
                found += self._release(self.over, [channel], reading)
        return found

    def bit(self, signal: Signal) -> list[Finding]:
        """Take in one alarm bit; `alarm.clear` without a measurand clears all, and a named one also the unnamed."""
        measurand = INDEX.get(str(signal.data.get("measurand")), _UNNAMED)
        if signal.type == CLEAR:
            named = (measurand, _UNNAMED)
            return self._release(self.bits, [c for c in self.bits if measurand == _UNNAMED or c[1] in named], signal)
        rule = "G103" if measurand == _OXYGEN else BITS[signal.type]
        return self._hold(self.bits, (rule, measurand), signal, _bit_evidence(signal, measurand))

    def withdrawn(self, signal: Signal) -> list[Finding]:
        """Let everything go: the device is watched no longer."""
        return [self._cleared(rule, signal, {"reason": WITHDRAWN}) for rule in sorted(self.alarms)]

    def _hold(self, held: Held, channel: Channel, event: Reading | Signal, evidence: dict[str, Any]) -> list[Finding]:
        rule, measurand = channel
        late = bool(event.quality & Quality.LATE)
        alarm = self.alarms.get(rule)
        if (alarm is None and self._is_over(rule, event)) or (alarm is not None and late and not alarm.late):
            return []
        held[channel] = late and held.get(channel, True)
        if alarm is None:
            self.alarms[rule] = Alarm(event.received_ms, event.event_ms, late, {measurand: None})
            return [self._finding(Action.RAISE, rule, event, evidence)]
        news = measurand not in alarm.peaks or late != alarm.late
        alarm.peaks.setdefault(measurand, None)
        alarm.late = late
        return [self._finding(Action.CHANGE, rule, event, evidence)] if news else []

    def _is_over(self, rule: str, event: Reading | Signal) -> bool:
        began, over = self.ended.get(rule, (0, -1))
        return began - _BEFORE_MS <= event.event_ms < over

    def _deepen(self, channel: Channel, value: float, limit: Limit) -> None:
        rule, measurand = channel
        if channel in self.over:
            peak = self.alarms[rule].peaks[measurand]
            deeper = peak is None or limit.depth(value) > limit.depth(peak)
            self.alarms[rule].peaks[measurand] = value if deeper else peak

    def _release(self, held: Held, channels: list[Channel], event: Reading | Signal) -> list[Finding]:
        late = bool(event.quality & Quality.LATE)
        for channel in channels:
            if held.get(channel, False) or not late:
                held.pop(channel, None)
        standing = {rule for rule, _ in (*self.over, *self.bits)}
        over = sorted(set(self.alarms) - standing)
        return [self._cleared(rule, event) for rule in over]

    def _cleared(self, rule: str, event: Reading | Signal, why: dict[str, Any] | None = None) -> Finding:
        alarm = self.alarms[rule]
        peaks = {MEASURANDS[m].name: round(v, _DIGITS) for m, v in sorted(alarm.peaks.items()) if v is not None}
        evidence = {"peaks": peaks, "lasted_s": (event.received_ms - alarm.since_ms) // 1000} | (why or {})
        finding = self._finding(Action.CLEAR, rule, event, evidence)
        self.ended[rule] = (alarm.event_ms, event.event_ms)
        del self.alarms[rule]
        return finding

    def _finding(self, action: Action, rule: str, event: Reading | Signal, evidence: dict[str, Any]) -> Finding:
        return Finding(
            offset=event.offset,
            rule=rule,
            device=self.path,
            action=action,
            severity=CATALOGUE[rule].severity,
            at_ms=event.received_ms,
            event_ms=event.event_ms,
            late=self.alarms[rule].late,
            evidence=evidence,
        )

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain values."""
        return {
            "path": self.path,
            "over": [[*channel, late] for channel, late in self.over.items()],
            "bits": [[*channel, late] for channel, late in self.bits.items()],
            "alarms": [
                [r, a.since_ms, a.event_ms, a.late, [[m, v] for m, v in a.peaks.items()]]
                for r, a in self.alarms.items()
            ],
        }


def restored(state: dict[str, Any], ended: Ended) -> Case:
    """Return the case that `Case.snapshot` gave; `ended` is kept by who keeps cases, and outlives them."""
    alarms = {rule: Alarm(since, event_ms, late, dict(p)) for rule, since, event_ms, late, p in state["alarms"]}
    over, bits = ({(rule, m): late for rule, m, late in state[name]} for name in ("over", "bits"))
    return Case(state["path"], over, bits, alarms, ended)


def _value_evidence(reading: Reading, limit: Limit) -> dict[str, Any]:
    measurand = MEASURANDS[reading.measurand]
    evidence = {
        "source": "value",
        "measurand": measurand.name,
        "value": round(reading.value, _DIGITS),
        "unit": measurand.unit,
        "set_point": limit.set_point(reading.value),
        "set_point_basis": limit.basis,
    }
    if limit.rule == _FULL_SCALE and measurand.unit == "%LEL":
        evidence["caution"] = "ambiguous_past_lel"
    return evidence if limit.lel_vol is None else {**evidence, "lel_vol": limit.lel_vol}


def _bit_evidence(signal: Signal, measurand: int) -> dict[str, Any]:
    evidence: dict[str, Any] = {"source": "device", "signal": signal.type}
    if measurand != _UNNAMED:
        evidence |= {"measurand": MEASURANDS[measurand].name, "unit": MEASURANDS[measurand].unit}
    value = signal.data.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        evidence["value"] = round(float(value), _DIGITS)
    return evidence
