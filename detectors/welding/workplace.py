"""What machines and people have told about hot work, besides its electricity: one room for all that the W rules ask.

Each part keeps what one rule needs; here signals go to the parts they concern, and the parts' verdicts come together.
"""

from collections.abc import Callable, Iterable
from typing import Any

from detectors.base import World
from detectors.parameters import Parameters
from detectors.welding import bans, certificates, permits
from detectors.welding.arc import Arc
from detectors.welding.gastests import GasTests
from detectors.welding.guardians import Guardians
from detectors.welding.hours import Hours
from detectors.welding.locks import Locks
from detectors.welding.rules import judge_papers
from detectors.welding.session import Session, Sessions
from detectors.welding.travel import Sighting, Travellers
from detectors.welding.verdict import Verdict
from detectors.welding.whereabouts import Whereabouts
from detectors.welding.work import Work
from domain.geo import Place
from domain.places import DevicePath
from domain.readings import Quality, Signal
from registers.machine import Machine
from registers.permit import PermitLevel
from registers.view import RegisterView, local_day


class Workplace:
    """Everything by machine slot; memory is bounded by the number of machines and of registered welders."""

    def __init__(self, parameters: Parameters) -> None:
        night = parameters.of("W106")
        self._night = permits.Night(night["night_from_h"], night["night_to_h"])
        self._days_ahead = int(parameters.of("W115")["days"])
        self.sessions = Sessions()
        self.where = Whereabouts(parameters.of("W107"))
        self.hours = Hours(parameters.of("W110"), parameters.of("W111"), parameters.of("W114"))
        self._travellers = Travellers(parameters.of("W108"))
        self._guardians = Guardians(parameters.of("W109")["hold_h"])
        self._tests = GasTests(parameters.of("W110"))
        self._locks = Locks()
        self._parts: dict[str, Any] = {
            "sessions": self.sessions,
            "where": self.where,
            "hours": self.hours,
            "travellers": self._travellers,
            "guardians": self._guardians,
            "tests": self._tests,
            "locks": self._locks,
        }
        self._hear: dict[str, Callable[[Signal, World], bool]] = {
            "power.on": self._power,
            "power.off": self._power,
            "status.offline": self._power,
            "scan.in": self._scan,
            "scan.out": self._scan,
            "guardian.in": self._guardian,
            "guardian.out": self._guardian,
            "gas_test": self._gas_test,
            "watch.done": self._watch,
            "tamper": self._tamper,
            "tamper.clear": self._tamper,
            "reply": self._reply,
        }

    @property
    def heard(self) -> Iterable[str]:
        """The types of signals that matter here."""
        return self._hear.keys()

    def take(self, signal: Signal, world: World) -> bool:
        """Take in one signal of a machine; tell whether the machine must be judged anew at once, arc or no arc."""
        return self._hear[signal.type](signal, world)

    def _power(self, signal: Signal, world: World) -> bool:
        self.hours.powered(signal, on=signal.type == "power.on")
        if signal.type == "power.off":
            self.sessions.end(signal)
            self._travellers.over(signal.slot)
        return True

    def _scan(self, signal: Signal, world: World) -> bool:
        before = self.sessions.newest(signal.slot)
        (self.sessions.scan_in if signal.type == "scan.in" else self.sessions.scan_out)(signal)
        session = self.sessions.newest(signal.slot)
        if session is None or session == before or signal.quality & Quality.LATE:
            return True
        if signal.type == "scan.out" or before is None or before.credential != session.credential:
            self._travellers.over(signal.slot)
        machine = world.view.machine(world.slots.place(signal.slot).device)
        if machine is not None and world.view.welder(session.credential) is not None:
            place = session.place or self.where.place(signal.slot) or _site_place(world, signal.slot)
            sighting = Sighting(signal.slot, machine.code, signal.received_ms, place)
            move = self._travellers.came if signal.type == "scan.in" else self._travellers.went
            move(session.credential, sighting)
        return True

    def _guardian(self, signal: Signal, world: World) -> bool:
        self._guardians.take(signal)
        return False  # judged by the arc that follows

    def _gas_test(self, signal: Signal, world: World) -> bool:
        self._tests.take(signal)
        return False

    def _watch(self, signal: Signal, world: World) -> bool:
        self.hours.watched(signal)
        return True

    def _tamper(self, signal: Signal, world: World) -> bool:
        self._locks.tamper(signal)
        return True

    def _reply(self, signal: Signal, world: World) -> bool:
        locked = self._locks.reply(signal)
        if locked is not None:
            self.where.lock(signal.slot, locked=locked)
        return locked is not None

    def arc_began(self, slot: int, arc: Arc) -> None:
        session = self.session(slot, arc)
        self.hours.began(slot, arc, session.credential if session else None)

    def arc_ended(self, slot: int, arc: Arc, *, begun: bool) -> None:
        """Learn that an arc ended; `begun`: its beginning was told."""
        if not begun:
            self.arc_began(slot, arc)
        self.hours.ended(slot, arc)

    def session(self, slot: int, arc: Arc) -> Session | None:
        """Return who was scanned in at an arc's last arcing reading."""
        return self.sessions.at(slot, arc.offset, arc.at_ms if arc.late else None)

    def place(self, slot: int) -> Place | None:
        """Return where the machine is, by its own word or else by the last scan's."""
        session = self.sessions.newest(slot)
        return self.where.place(slot) or (session.place if session else None)

    def judge_work(
        self, work: Work, machine: Machine, place: DevicePath, other: str | None, view: RegisterView
    ) -> list[Verdict]:
        """Return every rule that an arc at a registered machine breaks; `other`: where the same certificate welds now."""
        asked = permits.request(place.site, work, view)
        allowing = permits.allowing(asked, view, self._night)
        second = bool(allowing) and all(permit.level is PermitLevel.SECOND for permit in allowing)
        found = [
            *judge_papers(work, machine, asked, view, self._night),
            self.where.judge_work(work, allowing, view),
            self._travellers.judge(work.slot, other),
            self._guardians.judge(work, allowing, view) if allowing else None,
            self._tests.judge(work, self.hours.began_ms(work, second=second), permitted=bool(allowing)),
            bans.judge(place, work.at_ms, view),
            self._locks.judge_work(work),
            self.hours.judge_work(work),
        ]
        return [verdict for verdict in found if verdict is not None]

    def judge_machine(self, slot: int, machine: Machine, at_ms: int, view: RegisterView) -> list[Verdict]:
        """Return every rule that a registered machine breaks without an arc."""
        found = [
            self.where.judge_machine(slot),
            self._travellers.judge(slot, None),
            self._locks.judge_machine(slot),
            *self.hours.judge_machine(slot),
            self._due_soon(slot, machine, at_ms, view),
        ]
        return [verdict for verdict in found if verdict is not None]

    def _due_soon(self, slot: int, machine: Machine, at_ms: int, view: RegisterView) -> Verdict | None:
        """Return W115 for who scanned last at this machine: a certificate has no device of its own to be told at."""
        session = self.sessions.newest(slot)
        welder = view.welder(session.credential) if session else None
        if welder is None:
            return None
        held = view.certificates(welder.code)
        found = certificates.judge_ahead(held, machine.process, local_day(at_ms), self._days_ahead)
        return None if found is None else found._replace(evidence={"welder": welder.code} | found.evidence)

    def snapshot(self) -> dict[str, Any]:
        return {name: part.snapshot() for name, part in self._parts.items()}

    def restore(self, state: dict[str, Any]) -> None:
        for name, part in self._parts.items():
            part.restore(state[name])


def _site_place(world: World, slot: int) -> Place | None:
    site = world.view.site(world.slots.place(slot).site)
    return None if site is None or site.lat is None or site.lon is None else (site.lat, site.lon)
