"""China Standard Time: the days of certificates, nights and holidays are local days."""

import datetime as dt

LOCAL = dt.timezone(dt.timedelta(hours=8), "CST")
"""No summer time since 1991, so a fixed offset is the whole rule."""


def local_day(epoch_ms: int) -> dt.date:
    """Return the local calendar day of an instant."""
    return dt.datetime.fromtimestamp(epoch_ms / 1000, LOCAL).date()


def local_today() -> dt.date:
    """Return today's local day by the wall clock: for what is typed in today, never for what detectors decide."""
    return dt.datetime.now(LOCAL).date()
