"""China Standard Time: the days of certificates, nights and holidays are local days."""

import datetime as dt

LOCAL = dt.timezone(dt.timedelta(hours=8), "CST")
"""No summer time since 1991, so a fixed offset is the whole rule."""


def local_day(epoch_ms: int) -> dt.date:
    """Return the local calendar day of an instant."""
    return dt.datetime.fromtimestamp(epoch_ms / 1000, LOCAL).date()
