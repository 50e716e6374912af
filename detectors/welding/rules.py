"""What is wrong when this machine welds here and now: W101 to W106, from one case and the registers."""

from typing import NamedTuple

from detectors.welding import certificates, permits
from detectors.welding.session import Session, shown
from detectors.welding.verdict import Verdict, verdict
from domain.places import DevicePath
from registers.machine import Machine
from registers.view import RegisterView, local_day


class Case(NamedTuple):
    """One machine at one moment: where, when (epoch ms), who is scanned in, and whether its arc burns or it is only on."""

    place: DevicePath
    at_ms: int
    session: Session | None
    burning: bool


def judge(case: Case, view: RegisterView, night: permits.Night) -> list[Verdict]:
    """Return every rule that is broken.

    A machine outside the register cannot be scanned at all, so W101 is said alone, from the moment it has power; the
    others need a burning arc: to scan, or to be switched on, is not to weld.
    """
    machine = view.machine(case.place.device)
    if machine is None or not machine.in_service:
        reason = "not_registered" if machine is None else "out_of_service"
        return [verdict("W101", {"reason": reason, "path": str(case.place)})]
    if not case.burning:
        return []
    found = [_person(case, machine, view), _permit(case, view, night)]
    return [v._replace(evidence={"machine": machine.code} | v.evidence) for v in found if v is not None]


def _person(case: Case, machine: Machine, view: RegisterView) -> Verdict | None:
    """Return what is wrong with who is scanned in: nobody (W102), unknown (W103), or the certificates (W103-W105)."""
    if case.session is None:
        return verdict("W102", {"reason": "nobody_scanned_in"})
    welder = view.welder(case.session.credential)
    if welder is None:
        return verdict("W103", {"reason": "unknown_credential", "credential": shown(case.session.credential)})
    found = certificates.judge(view.certificates(welder.code), machine.process, local_day(case.at_ms))
    who = {"credential": welder.credential, "welder": welder.code}
    return None if found is None else found._replace(evidence=who | found.evidence)


def _permit(case: Case, view: RegisterView, night: permits.Night) -> Verdict | None:
    """Return what is wrong with the permit (W106); a welder nobody knows is not looked for in its list."""
    welder = view.welder(case.session.credential) if case.session else None
    named = case.session.permit if case.session else None
    work = permits.Work(case.place.site, case.at_ms, welder.code if welder else None, named)
    found = permits.judge(work, view, night)
    if found is None:
        return None
    who = {"welder": welder.code} if welder else {}
    return found._replace(evidence=who | found.evidence | ({"named_permit": shown(named)} if named else {}))
