"""W113 at the supply meter: a machine's module is silent though it had power, and the unit's meter shows an arc go on and off.

The alarm is the meter's, for it is the meter that speaks; it names the silent machines. A module is silent after its will, or
after more than its intervals without a word, between `power.on` and `power.off`. What the meter shows counts from then on.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown
from detectors.base import Output, World
from detectors.catalogue import CATALOGUE
from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.findings import Action, Finding
from domain.measurands import INDEX
from domain.readings import Quality, Readings, Segment, Signal
from registers.device import DeviceKind

RULE = "W113"
_KW = {INDEX["power_kw"]: 1.0, INDEX["current_a"]: 0.22}
"""Kilowatts of what a meter shows; a current at 220 V."""
_HEARD = frozenset({"power.on", "power.off", "status.offline"})
_NOT_LIVE = int(Quality.RETAINED | Quality.LATE)
_MINUTE_MS = 60_000


class Load(NamedTuple):
    """One reading of a meter of a unit with a silent machine."""

    offset: int
    slot: int
    kw: float
    event_ms: int
    received_ms: int


@dataclass(slots=True)
class Watch:
    """One meter since a machine of its unit went silent: the least load, whether an arc's load is on, and when it came on."""

    least_kw: float
    on: bool = False
    bursts_ms: list[int] = field(default_factory=list)
    told: bool = False


class SupplyMeters:
    """Implements Detector for W113 at meters. State: powered machines, and the meters of units with a silent one."""

    rules: tuple[str, ...] = (RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._values = parameters.of(RULE)
        self._intervals = parameters.of("D101")["intervals"]
        self._powered: dict[int, int] = {}
        """Slots of machines with power → our time of their last word."""
        self._silent: dict[int, int] = {}
        """Slots of machines that fell silent under power → since when."""
        self._watches: dict[int, Watch] = {}
        self._is_powered = np.empty(0, np.bool_)

    def observe(self, segment: Segment, world: World) -> Output:
        output = Output()
        signals = [s for s in segment.signals if s.type in _HEARD and not s.quality & Quality.RETAINED]
        events: list[Signal | Load] = [
            *self._words(segment, signals),
            *signals,
            *self._loads(segment.readings, signals, world),
        ]
        for event in sorted(events, key=attrgetter("offset")):
            if isinstance(event, Load):
                output.findings.extend(self._look(event, world))
            else:
                self._hear(event, world)
                output.findings.extend(self._settle(event.offset, event.received_ms, world))
        return output

    def _words(self, segment: Segment, signals: list[Signal]) -> Iterator[Signal]:
        """Yield the live words of powered machines, as signals of no type; their special ones come by themselves."""
        contacts = segment.contacts
        if not len(contacts):
            return
        self._is_powered = grown(self._is_powered, int(contacts.slot.max()) + 1)
        woken = [
            slot for slot in (*self._powered, *self._silent, *(s.slot for s in signals)) if slot < len(self._is_powered)
        ]
        self._is_powered[woken] = True
        rows = np.flatnonzero(self._is_powered[contacts.slot] & ~contacts.retained)
        self._is_powered[woken] = False
        special = {signal.offset for signal in signals}
        for i in rows.tolist():
            if int(contacts.offset[i]) not in special:
                at_ms = int(contacts.received_ms[i])
                yield Signal(int(contacts.offset[i]), int(contacts.slot[i]), "", {}, at_ms, at_ms)

    def _hear(self, signal: Signal, world: World) -> None:
        slot = signal.slot
        if signal.type == "status.offline":
            if slot in self._powered:
                del self._powered[slot]
                self._silent[slot] = signal.received_ms
            return
        has_power = slot in self._powered or slot in self._silent
        self._silent.pop(slot, None)
        if signal.type == "power.off":
            self._powered.pop(slot, None)
        elif has_power or (signal.type == "power.on" and world.view.machine(world.slots.place(slot).device)):
            self._powered[slot] = signal.received_ms

    def _loads(self, readings: Readings, signals: list[Signal], world: World) -> list[Load]:
        """Return, in order, the readings of the meters of units that have, or get in this segment, a silent machine."""
        silent = {*self._silent, *(s.slot for s in signals if s.type == "status.offline")}
        if not silent or not len(readings):
            return []
        chosen = np.isin(readings.measurand, list(_KW)) & (readings.quality & _NOT_LIVE == 0)
        slots = [slot for slot in np.unique(readings.slot[chosen]).tolist() if _is_meter(slot, world)]
        meters = [slot for slot in slots if any(_same_unit(slot, machine, world) for machine in silent)]
        rows = readings.take(chosen & np.isin(readings.slot, meters))
        kw = [value * _KW[m] for value, m in zip(rows.value.tolist(), rows.measurand.tolist(), strict=True)]
        columns = (rows.offset, rows.slot, np.array(kw), rows.event_ms, rows.received_ms)
        return [Load(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

    def _look(self, load: Load, world: World) -> list[Finding]:
        """Follow one meter: an arc's load comes on when it rises by so many kilowatts above the least since the silence."""
        machines = self._machines(load.slot, world)
        if not machines:
            return []
        watch = self._watches.setdefault(load.slot, Watch(load.kw))
        watch.least_kw = min(watch.least_kw, load.kw)
        step = self._values["meter_kw"]
        was_on, rise = watch.on, load.kw - watch.least_kw
        watch.on = rise >= (step / 2 if was_on else step)
        horizon = load.received_ms - self._values["window_min"] * _MINUTE_MS
        watch.bursts_ms = [at for at in watch.bursts_ms if at >= horizon]
        if watch.on and not was_on:
            watch.bursts_ms.append(load.received_ms)
        if watch.told or len(watch.bursts_ms) < self._values["bursts"]:
            return []
        watch.told = True
        evidence = {
            "reason": "meter_shows_arc",
            "silent_machines": machines,
            "bursts": len(watch.bursts_ms),
            "rise_kw": round(rise, 1),
            "idle_kw": round(watch.least_kw, 1),
        }
        return [
            _finding(load.offset, load.received_ms, load.event_ms, Action.RAISE, world.slots.path(load.slot), evidence)
        ]

    def _machines(self, meter: int, world: World) -> list[str]:
        """Return the codes of the silent machines of a meter's unit."""
        silent = (slot for slot in self._silent if _same_unit(meter, slot, world))
        found = (world.view.machine(world.slots.place(slot).device) for slot in silent)
        return sorted(machine.code for machine in found if machine is not None)

    def _settle(self, offset: int, now_ms: int, world: World) -> list[Finding]:
        """End the watch over meters whose unit has no silent machine any more."""
        over = [slot for slot in self._watches if not self._machines(slot, world)]
        told = [slot for slot in over if self._watches.pop(slot).told]
        return [self._clear(offset, now_ms, slot, "machine_heard", world) for slot in told]

    def _clear(self, offset: int, now_ms: int, slot: int, reason: str, world: World) -> Finding:
        return _finding(offset, now_ms, now_ms, Action.CLEAR, world.slots.path(slot), {"reason": reason})

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        for slot, heard_ms in list(self._powered.items()):
            machine = world.view.machine(world.slots.place(slot).device)
            if machine is not None and now_ms - heard_ms > self._intervals * machine.interval_s * 1000:
                del self._powered[slot]
                self._silent[slot] = now_ms
        quiet_ms = self._values["window_min"] * _MINUTE_MS
        quiet = [s for s, watch in self._watches.items() if watch.told and now_ms - watch.bursts_ms[-1] > quiet_ms]
        for slot in quiet:
            del self._watches[slot]
        return Output([self._clear(offset, now_ms, slot, "meter_quiet", world) for slot in sorted(quiet)])

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        self._powered = dict.fromkeys(self._powered, now_ms)
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        return Output(self._settle(offset, now_ms, world)) if self._watches else Output()

    def snapshot(self) -> dict[str, Any]:
        return {
            "powered": [list(row) for row in self._powered.items()],
            "silent": [list(row) for row in self._silent.items()],
            "watches": [[slot, asdict(watch)] for slot, watch in self._watches.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._powered, self._silent = dict(state["powered"]), dict(state["silent"])
        self._watches = {slot: Watch(**watch) for slot, watch in state["watches"]}


def _is_meter(slot: int, world: World) -> bool:
    device = world.view.device(world.slots.place(slot).device)
    model = world.view.model(device.model) if device is not None else None
    return model is not None and model.kind is DeviceKind.ELECTRIC


def _same_unit(meter: int, machine: int, world: World) -> bool:
    """Tell whether a meter measures where the machine was last heard, or at a site of the enterprise that owns it."""
    here, there = world.slots.place(meter).site, world.slots.place(machine)
    site, owned = world.view.site(here), world.view.machine(there.device)
    owner = owned.enterprise if owned is not None else None
    return here == there.site or (owner is not None and site is not None and site.enterprise == owner)


def _finding(offset: int, at_ms: int, event_ms: int, action: Action, path: str, evidence: dict[str, Any]) -> Finding:
    return Finding(
        offset=offset,
        rule=RULE,
        device=path,
        action=action,
        severity=CATALOGUE[RULE].severity,
        at_ms=at_ms,
        event_ms=event_ms,
        evidence=evidence,
    )
