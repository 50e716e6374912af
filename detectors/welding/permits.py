"""W106: is there an approved hot-work permit for this site, welder and time, of the level the hour asks for."""

import datetime as dt
from typing import Any, NamedTuple

from detectors.welding.verdict import Verdict, verdict
from registers.permit import Permit, PermitLevel, PermitState
from registers.view import LOCAL, RegisterView

_SATURDAY = 5

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


def judge(request: Request, view: RegisterView, night: Night) -> Verdict | None:
    """Return why no permit allows the work, naming the nearest miss; None: one allows it.

    Any permit that allows it will do, named at the scan or not: the work is then permitted.
    """
    named = view.permit(request.permit) if request.permit is not None else None
    permits = view.permits_at(request.site) + ([named] if named and named.site != request.site else [])
    if not permits:
        return _verdict("unknown_permit" if request.permit is not None else "no_permit", None)
    misses = [(_miss(permit, request, night), permit) for permit in permits]
    miss, permit = min(misses, key=lambda m: (RANK[m[0]], m[1].code != request.permit, m[1].code))
    return None if miss is None else _verdict(miss, permit)


def _miss(permit: Permit, request: Request, night: Night) -> str | None:
    at = dt.datetime.fromtimestamp(request.at_ms / 1000, LOCAL)
    checks = (
        ("other_site", permit.site != request.site),
        ("not_approved", permit.state is not PermitState.APPROVED),
        ("not_started", at < permit.starts_at),
        ("ended", at >= permit.ends_at),
        ("welder_not_listed", bool(permit.welders and request.welder and request.welder not in permit.welders)),
        ("level_too_low", permit.level is PermitLevel.SECOND and must_upgrade(at, night)),
    )
    return next((reason for reason, missed in checks if missed), None)


def must_upgrade(local: dt.datetime, night: Night) -> bool:
    """Tell whether hot work at this local time needs one level more: night and days off (GB 30871-2022 5.1.1)."""
    return local.weekday() >= _SATURDAY or night.holds(local)


def _verdict(reason: str, permit: Permit | None) -> Verdict:
    facts: dict[str, Any] = {"reason": reason}
    if permit is not None:
        facts |= {
            "permit": permit.code,
            "level": str(permit.level),
            "starts_at": permit.starts_at.astimezone(LOCAL).isoformat(),
            "ends_at": permit.ends_at.astimezone(LOCAL).isoformat(),
            "state": str(permit.state),
        }
    if reason == "level_too_low":
        facts["level_required"] = str(PermitLevel.FIRST)
    return verdict("W106", facts)
