"""What is wrong with the papers when this machine welds here and now: W102 to W106, from one case and the registers."""

from detectors.welding import certificates, permits
from detectors.welding.session import shown
from detectors.welding.verdict import Verdict, verdict
from detectors.welding.work import Work
from domain.places import DevicePath
from registers.machine import Machine
from registers.view import RegisterView, local_day


def judge_stranger(place: DevicePath, machine: Machine | None) -> Verdict | None:
    """Return W101 for a machine that is in no register, or in none any more.

    It cannot be scanned at all, so this is said alone, and from the moment it has power.
    """
    if machine is not None and machine.in_service:
        return None
    reason = "not_registered" if machine is None else "out_of_service"
    return verdict("W101", {"reason": reason, "path": str(place)})


def judge_papers(
    work: Work, machine: Machine, asked: permits.Request, view: RegisterView, night: permits.Night
) -> list[Verdict]:
    """Return what is wrong with the welder and the permit of an arc: to scan, or to be switched on, is not to weld."""
    found = [_person(work, machine, view), _permit(work, asked, view, night)]
    return [v for v in found if v is not None]


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


def _permit(work: Work, asked: permits.Request, view: RegisterView, night: permits.Night) -> Verdict | None:
    """Return what is wrong with the permit (W106); a welder nobody knows is not looked for in its list."""
    found = permits.judge(asked, view, night)
    if found is None:
        return None
    who = {"welder": asked.welder} if asked.welder else {}
    named = work.session.permit if work.session else None
    return found._replace(evidence=who | found.evidence | ({"named_permit": shown(named)} if named else {}))
