"""W101-W106 as one detector: what scans, arcs, registers and the clock make of each machine, told when it changes."""

from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from detectors.base import Output, Transition, World
from detectors.parameters import Parameters
from detectors.welding.arc import Arc, Arcs, Sample
from detectors.welding.envelope import NO_MACHINE, Envelopes
from detectors.welding.permits import Night
from detectors.welding.rules import Work, judge
from detectors.welding.session import Session, Sessions
from detectors.welding.verdict import Verdict
from domain.changes import RegisterChange
from domain.findings import Action, Finding, Severity
from domain.readings import Quality, Segment, Signal

ARC = "arc"
"""State of the Transitions: a machine's arc burns or has ended."""

_HEARD = frozenset({"power.on", "power.off", "status.offline", "scan.in", "scan.out"})
_MINUTE_MS = 60_000


class Moment(NamedTuple):
    """The record that decides: its offset, our time and the device's time of it."""

    offset: int
    at_ms: int
    event_ms: int


class Standing(NamedTuple):
    """An alarm that is on: what was last told of it, and whether only late data speak for it."""

    verdict: Verdict
    late: bool


class Welding:
    """Implements Detector for W101-W106; its transitions of state `arc` say when a machine welds.

    Alarms stand while the arc job goes on and the cause lasts. A job is judged as of its last arcing reading: who scans
    out, or whose permit ends, after the last spark has done nothing wrong. It is judged anew when it goes on under another
    scan or in another minute (permits and certificates end, night falls), and when a register changes.
    """

    rules: tuple[str, ...] = ("W101", "W102", "W103", "W104", "W105", "W106")

    def __init__(self, parameters: Parameters) -> None:
        arc, permit = parameters.of("W101"), parameters.of("W106")
        self._night = Night(permit["night_from_h"], permit["night_to_h"])
        self._envelopes = Envelopes(arc["arc_a"], arc["off_delay_s"])
        self._arcs = Arcs(self._envelopes, int(arc["frozen_readings"]))
        self._sessions = Sessions()
        self._powered: dict[int, bool] = {}
        self._standing: dict[int, dict[str, Standing]] = {}

    def observe(self, segment: Segment, world: World) -> Output:
        self._envelopes.refresh(world)
        output = Output()
        events: list[Sample | Signal] = [*self._arcs.samples(segment.readings), *self._signals(segment)]
        for offset, group in groupby(sorted(events, key=attrgetter("offset")), attrgetter("offset")):
            said = list(group)
            slot = said[0].slot
            burned = slot in self._arcs.burning
            # All that one message says is one moment: what begins and ends within it is told once.
            changes = [self._take(event) for event in said]
            if any(changes):
                moment = Moment(offset, said[-1].received_ms, said[-1].event_ms)
                self._tell(slot, moment, world, output, burned=burned)
        return output

    def _signals(self, segment: Segment) -> list[Signal]:
        """Return what machines said that matters here; what was retained is not said now."""
        kind = self._envelopes.kind
        signals = (s for s in segment.signals if s.type in _HEARD and not s.quality & Quality.RETAINED)
        return [s for s in signals if kind[s.slot] != NO_MACHINE]

    def _take(self, event: Sample | Signal) -> bool:
        """Take in one event; tell whether its machine must be judged anew."""
        if isinstance(event, Sample):
            return self._take_sample(event)
        match event.type:
            case "power.on":
                self._powered[event.slot] = bool(event.quality & Quality.LATE)
            case "power.off":
                self._powered.pop(event.slot, None)
                self._sessions.end(event)
                self._arcs.end(event.slot)
            case "status.offline":
                # Whether it still has power is unknown now; an arc ends by its own silence, and a scan outlives a bad network.
                self._powered.pop(event.slot, None)
            case "scan.in":
                self._sessions.scan_in(event)
            case _:
                self._sessions.scan_out(event)
        return not event.type.startswith("scan.")  # a scan is judged by the arc that follows it

    def _take_sample(self, sample: Sample) -> bool:
        before = self._arcs.burning.get(sample.slot)
        changed = self._arcs.take(sample)
        after = self._arcs.burning.get(sample.slot)
        if changed or before is None or after is None or after is before:
            return changed
        minute_over = before.at_ms // _MINUTE_MS != after.at_ms // _MINUTE_MS
        return minute_over or self._session(sample.slot, before) != self._session(sample.slot, after)

    def _session(self, slot: int, arc: Arc) -> Session | None:
        return self._sessions.at(slot, arc.offset, arc.at_ms if arc.late else None)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        self._envelopes.refresh(world)
        output, moment = Output(), Moment(offset, now_ms, now_ms)
        for slot in self._arcs.tick(now_ms):
            self._tell(slot, moment, world, output, burned=True)
        return output

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        self._arcs.forgive(now_ms)
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        self._envelopes.forget(changes)
        self._envelopes.refresh(world)
        output, moment = Output(), Moment(offset, now_ms, now_ms)
        for slot in sorted({*self._arcs.burning, *self._powered}):
            self._tell(slot, moment, world, output, burned=slot in self._arcs.burning)
        return output

    def _tell(self, slot: int, moment: Moment, world: World, output: Output, *, burned: bool) -> None:
        """Judge one machine and put out what changed; `burned`: its arc burned before this moment."""
        burns = slot in self._arcs.burning
        if burns != burned:
            output.transitions.append(Transition(moment.offset, slot, ARC, burns, moment.at_ms))
        before = self._standing.pop(slot, {})
        after = {v.rule: Standing(v, self._is_late(slot, before.get(v.rule))) for v in self._judge(slot, world)}
        if after:
            self._standing[slot] = after
        output.findings.extend(self._findings(slot, moment, world.slots.path(slot), before, after))

    def _judge(self, slot: int, world: World) -> list[Verdict]:
        arc = self._arcs.burning.get(slot)
        if self._envelopes.kind[slot] == NO_MACHINE:
            return []
        if arc is not None:
            work = Work(arc.at_ms, self._session(slot, arc))
        elif slot in self._powered:
            work = None
        else:
            return []
        return judge(world.slots.place(slot), work, world.view, self._night)

    def _is_late(self, slot: int, standing: Standing | None) -> bool:
        """Tell whether only late data speak for an alarm; once it was current it stays so."""
        arc = self._arcs.burning.get(slot)
        late = arc.late if arc else self._powered[slot]
        return late and (standing is None or standing.late)

    def _findings(
        self, slot: int, moment: Moment, path: str, before: dict[str, Standing], after: dict[str, Standing]
    ) -> list[Finding]:
        """Return what an inspector must learn: alarms new, different, or over."""
        arc = self._arcs.burning.get(slot)
        seen = arc.evidence() if arc else {}
        found = []
        for rule in sorted(before.keys() | after.keys()):
            old, new = before.get(rule), after.get(rule)
            if new is None and old is not None:
                goes_on = arc is not None or (rule == "W101" and slot in self._powered)
                over = {"reason": "mended" if goes_on else "ended"}
                found.append(_finding(moment, path, Action.CLEAR, old, over))
            elif new is not None and new != old:
                action = Action.RAISE if old is None else Action.CHANGE
                found.append(_finding(moment, path, action, new, new.verdict.evidence | seen))
        return found

    def snapshot(self) -> dict[str, Any]:
        rows = [
            [slot, rule, int(s.verdict.severity), dict(s.verdict.evidence), s.late]
            for slot, by_rule in self._standing.items()
            for rule, s in by_rule.items()
        ]
        return {
            "arcs": self._arcs.snapshot(),
            "sessions": self._sessions.snapshot(),
            "powered": [[slot, late] for slot, late in self._powered.items()],
            "standing": rows,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._arcs.restore(state["arcs"])
        self._sessions.restore(state["sessions"])
        self._powered = dict(state["powered"])
        self._standing = {}
        for slot, rule, severity, evidence, late in state["standing"]:
            standing = Standing(Verdict(rule, Severity(severity), evidence), late)
            self._standing.setdefault(slot, {})[rule] = standing
        self._envelopes.forget_all()


def _finding(moment: Moment, path: str, action: Action, standing: Standing, evidence: dict[str, Any]) -> Finding:
    return Finding(
        offset=moment.offset,
        rule=standing.verdict.rule,
        device=path,
        action=action,
        severity=standing.verdict.severity,
        at_ms=moment.at_ms,
        event_ms=moment.event_ms,
        late=standing.late,
        evidence=evidence,
    )
