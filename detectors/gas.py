"""G101, G102, G103, G109: gas at a set point or at the end of a range, or a gas detector that says so itself.

Readings are filtered in NumPy against each sensor's first limit; only the readings of devices that are not quiet, or stop
being so in this segment, are judged one by one (`gascase.py`), in journal order together with the devices' alarm bits.
"""

from operator import attrgetter
from typing import Any

from detectors.base import Output, World
from detectors.gascase import BITS, CLEAR, Case, Ended, Reading, restored
from detectors.parameters import Parameters
from detectors.setpoints import SetPoints
from detectors.withdrawals import leaves
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import Family, indices
from domain.readings import Quality, Readings, Segment, Signal

_RETAINED = int(Quality.RETAINED)
_WATCHED = indices(Family.COMBUSTIBLE, Family.TOXIC, Family.OXYGEN)


class GasThresholds:
    """Watches every sensor of combustible gas, toxic gas and oxygen; keeps state only of devices that are not quiet."""

    rules: tuple[str, ...] = ("G101", "G102", "G103", "G109")

    def __init__(self, parameters: Parameters) -> None:
        self._set_points = SetPoints(parameters)
        self._cases: dict[int, Case] = {}
        self._ended: dict[int, Ended] = {}
        """By slot; a case is forgotten when it is quiet, but when its alarms ended is not."""

    def observe(self, segment: Segment, world: World) -> Output:
        signals = [s for s in segment.signals if s.type in (*BITS, CLEAR) and not s.quality & _RETAINED]
        rows = self._candidates(segment.of(_WATCHED, _RETAINED), signals, world)
        output = Output()
        events: list[Reading | Signal] = [*rows, *signals]
        for event in sorted(events, key=attrgetter("offset")):
            output.findings.extend(self._judge(event, world))
        return output

    def _candidates(self, readings: Readings, signals: list[Signal], world: World) -> list[Reading]:
        """Return, in order, the readings of every device that is not quiet or stops being so in this segment."""
        if not len(readings):
            return []
        slots = readings.slot
        tripped = self._set_points.tripped(slots, readings.measurand, readings.value, world)
        woken = [*self._cases, *(s.slot for s in signals), *slots[tripped].tolist()]
        if not woken:
            return []
        chosen = readings.take(world.among(slots, woken))
        columns = (getattr(chosen, name).tolist() for name in Reading._fields)
        return [Reading(*row) for row in zip(*columns, strict=True)]

    def _judge(self, event: Reading | Signal, world: World) -> list[Finding]:
        case = self._cases.get(event.slot) or self._opened(event.slot, world)
        if isinstance(event, Signal):
            found = case.bit(event)
        else:
            found = case.value(event, self._set_points.limits(event.slot, event.measurand))
        if case.is_quiet():
            self._cases.pop(event.slot, None)
            if not case.ended:
                del self._ended[event.slot]
        else:
            self._cases[event.slot] = case
        return found

    def _opened(self, slot: int, world: World) -> Case:
        case = Case(world.slots.path(slot), ended=self._ended.get(slot, {}))
        self._ended[slot] = case.ended
        return case

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        self._set_points.forget(world.touched(changes))
        findings = []
        for signal in leaves(self._cases, offset, now_ms, changes, world):
            findings += self._cases.pop(signal.slot).withdrawn(signal)
        return Output(findings)

    def snapshot(self) -> dict[str, Any]:
        ended = [[slot, [[rule, *times] for rule, times in by.items()]] for slot, by in self._ended.items()]
        return {"cases": [[slot, case.snapshot()] for slot, case in self._cases.items()], "ended": ended}

    def restore(self, state: dict[str, Any]) -> None:
        self._set_points.forget()
        self._ended = {slot: {rule: (began, over) for rule, began, over in by} for slot, by in state["ended"]}
        self._cases = {slot: restored(case, self._ended.setdefault(slot, {})) for slot, case in state["cases"]}
