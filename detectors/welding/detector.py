"""The welding rules as one detector: what scans, arcs, registers and the clock make of each machine, told when it changes."""

from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from detectors.base import Output, Transition, World
from detectors.parameters import Parameters
from detectors.welding.arc import Arc, Arcs, Sample
from detectors.welding.envelope import NO_MACHINE, Envelopes
from detectors.welding.rules import judge_stranger
from detectors.welding.verdict import Verdict
from detectors.welding.whereabouts import Move
from detectors.welding.work import Work
from detectors.welding.workplace import Workplace
from domain.changes import RegisterChange
from domain.findings import Action, Finding, Severity
from domain.readings import Quality, Segment, Signal
from registers.view import local_day

ARC = "arc"
"""State of the Transitions: a machine's arc burns or has ended, and where."""

_MINUTE_MS = 60_000
_LASTING = frozenset({"W111", "W115"})
"""Rules whose alarm can only be mended: it does not end with the arc."""


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
    """Implements Detector for W101-W115; its transitions of state `arc` say when and where a machine welds.

    Most alarms stand while the arc job goes on and the cause lasts. A job is judged as of its last arcing reading: who scans
    out, or whose permit ends, after the last spark has done nothing wrong. It is judged anew when it goes on under another
    scan, after something was said about it, or in another minute (permits and certificates end, night falls), and when a
    register changes. W107, W108, W111 and W113-W115 may also stand without an arc.
    """

    rules: tuple[str, ...] = tuple(f"W{number}" for number in range(101, 116))

    def __init__(self, parameters: Parameters) -> None:
        arc = parameters.of("W101")
        self._envelopes = Envelopes(arc["arc_a"], arc["off_delay_s"])
        self._arcs = Arcs(self._envelopes, int(arc["frozen_readings"]))
        self._place = Workplace(parameters)
        self._heard = frozenset(self._place.heard)
        self._powered: dict[int, bool] = {}
        self._touched: set[int] = set()
        """Machines of which something was said that the next arcing reading is to be judged by."""
        self._standing: dict[int, dict[str, Standing]] = {}
        self._day = 0

    def observe(self, segment: Segment, world: World) -> Output:
        self._envelopes.refresh(world)
        output = Output()
        events: list[Sample | Signal | Move] = [*self._arcs.samples(segment, world), *self._signals(segment)]
        events += self._place.where.moves(segment, self._envelopes.kind)
        for offset, group in groupby(sorted(events, key=attrgetter("offset")), attrgetter("offset")):
            said = list(group)
            slot = said[0].slot
            burned = slot in self._arcs.burning
            # All that one message says is one moment: what begins and ends within it is told once.
            changes = [self._take(event, world) for event in said]
            if any(changes):
                moment = Moment(offset, said[-1].received_ms, said[-1].event_ms)
                moved = any(isinstance(event, Move) for event in said)
                self._tell_all(slot, moment, world, output, burned=burned, moved=moved)
        return output

    def _signals(self, segment: Segment) -> list[Signal]:
        """Return what machines said that matters here; what was retained is not said now."""
        kind = self._envelopes.kind
        signals = (s for s in segment.signals if s.type in self._heard and not s.quality & Quality.RETAINED)
        return [s for s in signals if kind[s.slot] != NO_MACHINE]

    def _take(self, event: Sample | Signal | Move, world: World) -> bool:
        """Take in one event; tell whether its machine must be judged anew."""
        if isinstance(event, Sample):
            return self._take_sample(event)
        if isinstance(event, Move):
            return self._place.where.take(event)
        match event.type:
            case "power.on":
                self._powered[event.slot] = bool(event.quality & Quality.LATE)
            case "power.off":
                self._powered.pop(event.slot, None)
                self._arcs.end(event.slot)
            case "status.offline":
                # Whether it still has power is unknown now; an arc ends by its own silence, and a scan outlives a bad network.
                self._powered.pop(event.slot, None)
            case _:
                pass
        self._touched.add(event.slot)
        return self._place.take(event, world)

    def _take_sample(self, sample: Sample) -> bool:
        slot = sample.slot
        before = self._arcs.burning.get(slot)
        changed = self._arcs.take(sample)
        after = self._arcs.burning.get(slot)
        if changed or before is None or after is None or after is before:
            return changed
        touched = slot in self._touched
        self._touched.discard(slot)
        if touched or before.at_ms // _MINUTE_MS != after.at_ms // _MINUTE_MS:
            return True
        return self._place.session(slot, before) != self._place.session(slot, after)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        self._envelopes.refresh(world)
        output, moment = Output(), Moment(offset, now_ms, now_ms)
        for slot in self._arcs.tick(now_ms):
            self._tell_all(slot, moment, world, output, burned=True)
        for slot in sorted({*self._place.hours.tick(now_ms), *self._new_day(now_ms)}):
            self._tell(slot, moment, world, output)
        return output

    def _new_day(self, now_ms: int) -> list[int]:
        """Return the machines to be judged because a local day begins: certificates end at midnight."""
        before, self._day = self._day, local_day(now_ms).toordinal()
        return self._place.sessions.slots() if before != self._day else []

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        self._arcs.forgive(now_ms)
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        self._envelopes.forget(changes, world)
        self._envelopes.refresh(world)
        output, moment = Output(), Moment(offset, now_ms, now_ms)
        for slot in sorted({*self._arcs.burning, *self._powered, *self._standing, *self._place.sessions.slots()}):
            self._tell(slot, moment, world, output)
        return output

    def _tell_all(
        self, slot: int, moment: Moment, world: World, output: Output, *, burned: bool, moved: bool = False
    ) -> None:
        """Tell what a moment changed at a machine, and at others under the same certificate; `burned`: its arc did before."""
        ended, arc = self._arcs.ended.pop(slot, None), self._arcs.burning.get(slot)
        if ended is not None:
            self._place.arc_ended(slot, ended, begun=burned)
        if arc is not None and (ended is not None or not burned):
            self._place.arc_began(slot, arc)
        burns = arc is not None
        if burns != burned or (burns and moved):
            place = self._place.place(slot)
            output.transitions.append(Transition(moment.offset, slot, ARC, burns, moment.at_ms, place))
        self._tell(slot, moment, world, output)
        for peer in self._peers(slot):
            self._tell(peer, moment, world, output)

    def _peers(self, slot: int) -> list[int]:
        """Return the other machines that weld under the certificate last scanned at this one."""
        newest = self._place.sessions.newest(slot)
        return [] if newest is None else [p for p in self._users(newest.credential) if p != slot]

    def _users(self, credential: str) -> list[int]:
        burning = sorted(self._arcs.burning.items())
        sessions = ((slot, self._place.session(slot, arc)) for slot, arc in burning)
        return [slot for slot, session in sessions if session is not None and session.credential == credential]

    def _tell(self, slot: int, moment: Moment, world: World, output: Output) -> None:
        """Judge one machine and put out what changed."""
        before = self._standing.pop(slot, {})
        verdicts = self._judge(slot, moment.at_ms, world)
        after = {v.rule: Standing(v, self._is_late(slot, before.get(v.rule))) for v in verdicts}
        if after:
            self._standing[slot] = after
        output.findings.extend(self._findings(slot, moment, world.slots.path(slot), before, after))

    def _judge(self, slot: int, at_ms: int, world: World) -> list[Verdict]:
        arc, path = self._arcs.burning.get(slot), world.slots.place(slot)
        if self._envelopes.kind[slot] == NO_MACHINE:
            return []
        machine = world.view.machine(path.device)
        stranger = judge_stranger(path, machine)
        if stranger is not None or machine is None:
            return [stranger] if stranger and (arc is not None or slot in self._powered) else []
        found = self._place.judge_machine(slot, machine, at_ms, world.view)
        if arc is not None:
            session = self._place.session(slot, arc)
            work = Work(slot, arc.offset, arc.at_ms, arc.late, session)
            self._place.hours.goes_on(slot, arc.at_ms, session.credential if session else None)
            found += self._place.judge_work(work, machine, path, self._elsewhere(work, world), world.view)
        return [v._replace(evidence={"machine": machine.code} | v.evidence) for v in found]

    def _elsewhere(self, work: Work, world: World) -> str | None:
        """Return the machine at which this certificate welds already, scanned in there before it was here."""
        session = work.session
        if session is None or world.view.welder(session.credential) is None:
            return None
        for slot in self._users(session.credential):
            other = self._place.session(slot, self._arcs.burning[slot])
            if slot != work.slot and other is not None and other.since_offset < session.since_offset:
                machine = world.view.machine(world.slots.place(slot).device)
                return machine.code if machine is not None else world.slots.path(slot)
        return None

    def _is_late(self, slot: int, standing: Standing | None) -> bool:
        """Tell whether only late data speak for an alarm; once it was current it stays so."""
        arc = self._arcs.burning.get(slot)
        late = arc.late if arc else self._powered.get(slot, False)
        return late and (standing is None or standing.late)

    def _findings(
        self, slot: int, moment: Moment, path: str, before: dict[str, Standing], after: dict[str, Standing]
    ) -> list[Finding]:
        """Return what an inspector must learn: alarms new, different, or over."""
        arc = self._arcs.burning.get(slot)
        seen = _seen(arc)
        found = []
        for rule in sorted(before.keys() | after.keys()):
            old, new = before.get(rule), after.get(rule)
            if new is None and old is not None:
                goes_on = arc is not None or rule in _LASTING or (rule == "W101" and slot in self._powered)
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
            "place": self._place.snapshot(),
            "powered": [[slot, late] for slot, late in self._powered.items()],
            "touched": sorted(self._touched),
            "standing": rows,
            "day": self._day,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._arcs.restore(state["arcs"])
        self._place.restore(state["place"])
        self._powered = dict(state["powered"])
        self._touched = set(state["touched"])
        self._standing = {}
        for slot, rule, severity, evidence, late in state["standing"]:
            standing = Standing(Verdict(rule, Severity(severity), evidence), late)
            self._standing.setdefault(slot, {})[rule] = standing
        self._day = state["day"]
        self._envelopes.forget_all()


def _seen(arc: Arc | None) -> dict[str, Any]:
    return {} if arc is None else arc.evidence()


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
