"""W106: is there an approved hot-work permit for this site, welder and time, of the level the hour asks for."""

import datetime as dt
from typing import Any, NamedTuple

from detectors.welding.holidays import is_day_off
from detectors.welding.verdict import Verdict, verdict
from detectors.welding.work import Work
from registers.permit import Permit, PermitLevel, PermitState
from registers.view import LOCAL, RegisterView

RANK = {
    None: 0,
    "level_too_low": 1,
    "welder_not_listed": 2,
    "ended": 3,
    "not_started": 4,
    "not_approved": 5,
    "other_site": 6,
}
"""How far a permit is from allowing the work, nearest first."""


class Night(NamedTuple):
    """Local hours between which it is night, `[from_h, to_h)` across midnight; ours, the standard gives no hours."""

    from_h: float = 22.0
    to_h: float = 6.0

    def holds(self, local: dt.datetime) -> bool:
        hour = local.hour + local.minute / 60
        return hour >= self.from_h or hour < self.to_h


class Request(NamedTuple):
    """The hot work to be permitted: where, when (epoch ms), by whom (welder's code), under which permit if one was named."""

    site: str
    at_ms: int
    welder: str | None
    permit: str | None


def request(site: str, work: Work, view: RegisterView) -> Request:
    """Return what an arc at a site asks for."""
    welder = view.welder(work.session.credential) if work.session else None
    return Request(site, work.at_ms, welder.code if welder else None, work.session.permit if work.session else None)


def judge(asked: Request, view: RegisterView, night: Night) -> Verdict | None:
    """Return why no permit allows the work, naming the nearest miss; None: one allows it.

    Any permit that allows it will do, named at the scan or not: the work is then permitted.
    """
    permits = _candidates(asked, view)
    if not permits:
        return _verdict("unknown_permit" if asked.permit is not None else "no_permit", None)
    misses = [(_miss(permit, asked, night), permit) for permit in permits]
    miss, permit = min(misses, key=lambda m: (RANK[m[0]], m[1].code != asked.permit, m[1].code))
    return None if miss is None else _verdict(miss, permit)


def allowing(asked: Request, view: RegisterView, night: Night) -> list[Permit]:
    """Return the permits that allow the work: the one named at the scan alone, if it is among them."""
    found = [permit for permit in _candidates(asked, view) if _miss(permit, asked, night) is None]
    return [permit for permit in found if permit.code == asked.permit] or found


def _candidates(asked: Request, view: RegisterView) -> list[Permit]:
    named = view.permit(asked.permit) if asked.permit is not None else None
    return view.permits_at(asked.site) + ([named] if named and named.site != asked.site else [])


def _miss(permit: Permit, asked: Request, night: Night) -> str | None:
    at = dt.datetime.fromtimestamp(asked.at_ms / 1000, LOCAL)
    checks = (
        ("other_site", permit.site != asked.site),
        ("not_approved", permit.state is not PermitState.APPROVED),
        ("not_started", at < permit.starts_at),
        ("ended", at >= permit.ends_at),
        ("welder_not_listed", bool(permit.welders and asked.welder and asked.welder not in permit.welders)),
        ("level_too_low", permit.level is PermitLevel.SECOND and must_upgrade(at, night)),
    )
    return next((reason for reason, missed in checks if missed), None)


def must_upgrade(local: dt.datetime, night: Night) -> bool:
    """Tell whether hot work at this local time needs one level more: night, days off and holidays (GB 30871-2022 5.1.1)."""
    return is_day_off(local.date()) or night.holds(local)


def _verdict(reason: str, permit: Permit | None) -> Verdict:
    facts: dict[str, Any] = {"reason": reason}
    if permit is not None:
        facts |= {
            "permit": permit.code,
            "level": str(permit.level),
            "starts_at": _local(permit.starts_at),
            "ends_at": _local(permit.ends_at),
            "state": str(permit.state),
        }
    if reason == "level_too_low":
        facts["level_required"] = str(PermitLevel.FIRST)
    return verdict("W106", facts)


def _local(at: dt.datetime) -> str:
    """Return a time as it reads here; one at the edge of the calendar as it was written."""
    try:
        return at.astimezone(LOCAL).isoformat()
    except OverflowError:
        return at.isoformat()
