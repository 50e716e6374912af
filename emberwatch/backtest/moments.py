"""Times as other people's programs write them, a whole column at once: one cell does not tell whether 3/4 is in March or April.

Numbers are seconds since 1970 or, by their size, milli-, micro- or nanoseconds; small ones are seconds from some beginning.
A time without an offset is taken as UTC.
"""

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from domain.errors import InputError
from domain.readings import Float64, Int64

NEVER = np.iinfo(np.int64).min
"""Stands for a cell that is no time."""
_DAY_MS = 86_400_000
_EARLIEST_MS, _LATEST_MS = -30 * _DAY_MS, 7_258_118_400_000
"""Seconds may count from before an ignition; beyond the year 2200 a time is a mistake."""
_SCALES = ((1e17, 1e-6), (1e14, 1e-3), (1e11, 1.0), (0.0, 1e3))
"""Numbers above the first are worth the second in ms: 1e11 s is the year 5138."""
UNITS = {"d": 864e5, "h": 36e5, "min": 6e4, "s": 1e3, "ms": 1.0, "us": 1e-3, "µs": 1e-3, "ns": 1e-6}
_COMPACT = re.compile(r"((?:19|20)\d\d)(0[1-9]|1[0-2])([0-3]\d)(?:[T ]?([0-2]\d)([0-5]\d)([0-5]\d)?)?(Z)?")
_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?(?:[T\s,_]+(.*))?")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?:[T\s,_]+(.*))?")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY_MONTH = re.compile(rf"(\d{{1,2}})[-\s]*{_MONTH}[-,\s]*(\d{{4}}|\d{{2}})(?:[T\s,_:]+(.*))?", re.IGNORECASE)
_MONTH_DAY = re.compile(rf"{_MONTH}[-\s]*(\d{{1,2}})[-,\s]+(\d{{4}})(?:[T\s,_]+(.*))?", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(
    r"(?P<before>上午|下午|[ap]\.?m\.?)?\s*(?P<h>\d{1,2})\s*[:时]\s*(?P<m>\d{1,2})(?:\s*[:分]\s*(?:(?P<s>\d{1,2})(?:[.,:](?P<f>\d+))?秒?)?)?"
    r"\s*(?P<after>上午|下午|[ap]\.?m\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE,
)
_HALF_DAY = 12
_REMEMBERED = 200_000


class Moments(NamedTuple):
    """Epoch ms of each cell (NEVER where it is no time), what had to be assumed, and whether days come before months.

    `day_first` is None where no date ends with its year.
    """

    ms: Int64
    assumed: str = ""
    day_first: bool | None = None


def read_time(text: str) -> int:
    """Return epoch ms of one time; raise InputError when it is none."""
    moment_ms = int(read_times([text]).ms[0])
    if moment_ms == NEVER:
        raise InputError(f"{text.strip()[:40]!r} is no time between 1970 and 2200")
    return moment_ms


def read_times(texts: Sequence[str], unit: str = "", *, day_first: bool | None = None) -> Moments:
    """Return the moments of a column; `unit` (of `UNITS`) is what its numbers count.

    `day_first` says whether days come before months where the column does not tell.
    """
    numbers = _numbers(texts)
    if numbers is not None:
        return Moments(_within(_scaled(numbers, unit)))
    if _share(_CLOCK.fullmatch(text.strip()) is not None for text in texts[:1000]) > 0.5:  # noqa: PLR2004  most of them
        return Moments(_within(_of_one_day(texts)), "times of day without a date begin at 1970-01-01")
    order, assumed = _order(texts, like=day_first)
    known: dict[str, float] = {}
    moments = np.array([_cached(text, known, order is not False) for text in texts], float)
    return Moments(_within(moments), assumed, order)


def _share(flags: Iterable[bool]) -> float:
    listed = list(flags)
    return sum(listed) / max(1, len(listed))


def _numbers(texts: Sequence[str]) -> Float64 | None:
    """Return the column as numbers when most of it is; a date of digits only is none."""
    if _share(_COMPACT.fullmatch(text.strip()) is not None for text in texts[:1000]) > 0.5:  # noqa: PLR2004  most of them
        return None
    numbers: Float64 = np.array([_number(text) for text in texts], np.float64)
    return numbers if np.isfinite(numbers[:1000]).mean() > 0.5 else None  # noqa: PLR2004  most of them


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        try:
            return float(text.replace(",", "."))
        except ValueError:
            return math.nan


def _scaled(numbers: Float64, unit: str) -> Float64:
    largest = float(np.nanmax(np.abs(np.where(np.isfinite(numbers), numbers, np.nan)), initial=0.0))
    scale = next(factor for above, factor in _SCALES if largest >= above)
    factor = UNITS[unit] if unit in UNITS and scale == _SCALES[-1][1] else scale
    return np.multiply(numbers, factor)


def _within(moments: Float64) -> Int64:
    """Return whole ms; what is no time, or none of this age, is NEVER."""
    legal = np.isfinite(moments) & (moments >= _EARLIEST_MS) & (moments < _LATEST_MS)
    return np.where(legal, np.round(np.where(legal, moments, 0.0)), NEVER).astype(np.int64)


def _of_one_day(texts: Sequence[str]) -> Float64:
    """Return times of day, a day later each time the clock jumps back by more than half a day."""
    clock: Float64 = np.array([_clock_ms(text.strip()) for text in texts], np.float64)
    jumps = np.diff(clock, prepend=clock[:1]) < -_DAY_MS / 2
    clock += _DAY_MS * np.cumsum(jumps)
    return clock


def _order(texts: Sequence[str], *, like: bool | None) -> tuple[bool | None, str]:
    """Return whether the day comes before the month in dates that end with the year, and what is assumed if none tells.

    None: there are no such dates. `like`: how other dates are, for those that could be either.
    """
    pairs = {(m[1], m[2], m[3]) for m in map(_YEAR_LAST.fullmatch, {text.strip() for text in texts}) if m}
    if not pairs:
        return None, ""
    if max(int(a) for a, _, _ in pairs) > _HALF_DAY:
        return True, ""
    if max(int(b) for _, b, _ in pairs) > _HALF_DAY:
        return False, ""
    if like is not None:
        return like, ""
    spans = [_span(pairs, day_first=day_first) for day_first in (True, False)]
    day_first = spans[0] <= spans[1]
    if spans[0] != spans[1]:
        return day_first, ""
    a, b, year = next(iter(sorted(pairs)))
    return day_first, f"{a}/{b}/{year} is read as day/month/year" if a != b else ""


def _span(pairs: Iterable[tuple[str, str, str]], *, day_first: bool) -> float:
    days = [_date_ms(year, *((b, a) if day_first else (a, b))) for a, b, year in pairs]
    return max(days) - min(days)


def _cached(text: str, known: dict[str, float], day_first: bool) -> float:  # noqa: FBT001  one of three in a hot call
    """Return epoch ms of a date and time; dates and clocks repeat, so each is worked out once."""
    text = text.strip()
    cut = max(text.find(" "), 10 if text[10:11] == "T" else -1)
    if cut < 0:
        return _moment_ms(text, day_first)
    if len(known) > _REMEMBERED:
        known.clear()
    date, clock = text[:cut], text[cut:]
    day, time = known.get(date), known.get(clock)
    if day is None:
        day = known[date] = _moment_ms(date, day_first)
    if time is None:
        time = known[clock] = _clock_ms(clock[1:].strip())
    both = day + time
    return _moment_ms(text, day_first) if both != both else both  # noqa: PLR0124  NaN: dates with blanks inside


def _moment_ms(text: str, day_first: bool) -> float:  # noqa: FBT001  as above
    """Return epoch ms of a date and time in any of the known forms; NaN when it is none."""
    forms: tuple[tuple[re.Pattern[str], Callable[[Any], tuple[str, str, str]]], ...] = (
        (_YEAR_FIRST, lambda m: (m[1], m[2], m[3])),
        (_YEAR_LAST, lambda m: (m[3], m[2], m[1]) if day_first else (m[3], m[1], m[2])),
        (_DAY_MONTH, lambda m: (m[3], _month(m[2]), m[1])),
        (_MONTH_DAY, lambda m: (m[3], _month(m[1]), m[2])),
    )
    for pattern, parts in forms:
        match = pattern.fullmatch(text)
        if match is not None:
            return _date_ms(*parts(match)) + (_clock_ms(match[4].strip()) if match[4] else 0.0)
    compact = _COMPACT.fullmatch(text)
    if compact is None:
        return math.nan
    h, m, s = (int(part or 0) for part in compact.group(4, 5, 6))
    return _date_ms(compact[1], compact[2], compact[3]) + 1000.0 * (h * 3600 + m * 60 + s)


def _month(name: str) -> str:
    return str(_MONTHS.index(name[:3].lower()) + 1)


def _date_ms(year: str, month: str, day: str) -> float:
    century = 2000 if len(year) == 2 else 0  # noqa: PLR2004  two digits
    try:
        return dt.datetime(century + int(year), int(month), int(day), tzinfo=dt.UTC).timestamp() * 1000
    except ValueError:
        return math.nan


def _clock_ms(text: str) -> float:
    """Return the time of day in ms, less its offset from UTC; NaN when it is none."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return _hour_ms(text)
    hour, minute, second = int(match["h"]), int(match["m"]), int(match["s"] or 0)
    half = (match["before"] or match["after"] or "").lower()
    if half:
        hour = hour % _HALF_DAY + _HALF_DAY * (half[0] in "p下")
    if hour > 24 or minute > 59 or second > 60:  # noqa: PLR2004  what clocks show: 24:00 and leap seconds too
        return math.nan
    fraction = float(f"0.{match['f']}") if match["f"] else 0.0
    return 1000.0 * (hour * 3600 + minute * 60 + second + fraction) - _offset_ms(match["zone"])


def _hour_ms(text: str) -> float:
    """Return the time of a clock that shows hours only, or of ISO 8601's short form."""
    compact = re.fullmatch(r"(\d{1,2})(?:(\d{2})(\d{2})?)?(Z|[+-]\d{2}:?\d{2})?", text)
    if compact is None:
        return math.nan
    h, m, s = (int(part or 0) for part in compact.group(1, 2, 3))
    return 1000.0 * (h * 3600 + m * 60 + s) - _offset_ms(compact[4]) if h <= 24 else math.nan  # noqa: PLR2004  as clocks show


def _offset_ms(zone: str | None) -> float:
    if not zone or zone[0] not in "+-":
        return 0.0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (-1 if zone[0] == "-" else 1) * (int(digits[:2]) * 60 + int(digits[2:])) * 60_000.0
