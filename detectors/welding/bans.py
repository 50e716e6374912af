"""W112: hot work where, or when, the register of bans forbids it."""

import datetime as dt

from detectors.welding.verdict import Verdict, verdict
from domain.places import DevicePath
from registers.ban import Ban
from registers.view import LOCAL, RegisterView


def judge(place: DevicePath, at_ms: int, view: RegisterView) -> Verdict | None:
    """Return the first ban, by code, that forbids an arc at this place and time."""
    at = dt.datetime.fromtimestamp(at_ms / 1000, LOCAL)
    bans = (ban for ban in view.rows(Ban) if ban.covers(place.area, place.site) and ban.holds(at))
    ban = next(bans, None)
    if ban is None:
        return None
    hours = {} if ban.from_h is None else {"from_h": ban.from_h, "to_h": ban.to_h}
    return verdict("W112", {"reason": "banned", "ban": ban.code, "ban_reason": ban.reason} | hours)
