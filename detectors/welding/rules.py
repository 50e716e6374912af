"""What is wrong when this machine welds here and now: W101 to W106, from one case and the registers."""

from typing import NamedTuple

from detectors.welding import certificates, permits
from detectors.welding.session import Session, shown
from detectors.welding.verdict import Verdict, verdict
from domain.places import DevicePath
from registers.machine import Machine
from registers.view import RegisterView, local_day


class Work(NamedTuple):
    """An arc as of its last arcing reading: when (epoch ms), and who was scanned in."""

    at_ms: int
    session: Session | None


def judge(place: DevicePath, work: Work | None, view: RegisterView, night: permits.Night) -> list[Verdict]:
    """Return every rule that a machine breaks which welds, or merely has power (`work` None).

    A machine outside the register cannot be scanned at all, so W101 is said alone, and from the moment it has power; the
    others need an arc: to scan, or to be switched on, is not to weld.
    """
    machine = view.machine(place.device)
    if machine is None or not machine.in_service:
        reason = "not_registered" if machine is None else "out_of_service"
        return [verdict("W101", {"reason": reason, "path": str(place)})]
    if work is None:
        return []
    found = [_person(work, machine, view), _permit(place, work, view, night)]
    return [v._replace(evidence={"machine": machine.code} | v.evidence) for v in found if v is not None]


def _person(work: Work, machine: Machine, view: RegisterView) -> Verdict | None:
    """Return what is wrong with who is scanned in: nobody (W102), unknown (W103), or the certificates (W103-W105)."""
    if work.session is None:
        return verdict("W102", {"reason": "nobody_scanned_in"})
    welder = view.welder(work.session.credential)
    if welder is None:
        return verdict("W103", {"reason": "unknown_credential", "credential": shown(work.session.credential)})
    found = certificates.judge(view.certificates(welder.code), machine.process, local_day(work.at_ms))
    who = {"credential": welder.credential, "welder": welder.code}
    return None if found is None else found._replace(evidence=who | found.evidence)


def _permit(place: DevicePath, work: Work, view: RegisterView, night: permits.Night) -> Verdict | None:
    """Return what is wrong with the permit (W106); a welder nobody knows is not looked for in its list."""
    welder = view.welder(work.session.credential) if work.session else None
    named = work.session.permit if work.session else None
    asked = permits.Request(place.site, work.at_ms, welder.code if welder else None, named)
    found = permits.judge(asked, view, night)
    if found is None:
        return None
    who = {"welder": welder.code} if welder else {}
    return found._replace(evidence=who | found.evidence | ({"named_permit": shown(named)} if named else {}))
