"""Which days are days off: statutory holidays and exchanged working days as published each year, else Saturday and Sunday.

The table is `detectors/data/holidays.csv`, each row with its basis. A year that is not in it has weekends only: add its rows
when the State Council's notice appears, in November of the year before.
"""

import csv
import datetime as dt
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_SATURDAY = 5


class Period(NamedTuple):
    """Days `first` to `last`, inclusive, that are off or (`is_off` False) worked although on a weekend."""

    first: dt.date
    last: dt.date
    is_off: bool
    name: str
    basis: str


@cache
def periods() -> tuple[Period, ...]:
    """Return the table."""
    text = files("detectors").joinpath("data", "holidays.csv").read_text("utf-8")
    return tuple(_period(row) for row in csv.DictReader(text.splitlines()))


def _period(row: dict[str, str]) -> Period:
    first, last = dt.date.fromisoformat(row["from"]), dt.date.fromisoformat(row["to"])
    return Period(first, last, row["kind"] == "off", row["name"], row["basis"])


@cache
def is_day_off(day: dt.date) -> bool:
    """Tell whether most people do not work on this local day."""
    known = next((period for period in periods() if period.first <= day <= period.last), None)
    return day.weekday() >= _SATURDAY if known is None else known.is_off
