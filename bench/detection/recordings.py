"""Made-up recordings of other kinds than the district's: what is measured, how it usually goes, and what goes wrong in it.

A recording is a usual course (`COURSES`: noise with memory, days and weeks, people) into which each of its mishaps is put once,
in an order and at times that the seed decides, after a first third without any. Sizes are in spreads of the usual course, so that
one list serves all. Fires are the other way round: minutes of a quiet room, then a fire until the end.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from domain.readings import Float64

Random = np.random.Generator
_DAY_S = 86_400.0
_FREE = 1 / 3
"""Share of a recording before the first mishap."""


class Mishap(NamedTuple):
    """What was put in: its name, first and last row."""

    name: str
    first: int
    last: int


class Recording(NamedTuple):
    """Readings, one every `step_s` seconds from a Monday's midnight, and what was put in."""

    step_s: float
    values: Float64
    mishaps: tuple[Mishap, ...]


class Course(NamedTuple):
    """A measurand's usual course of `days` and what goes wrong in it; gases may not fall below zero."""

    measurand: str
    step_s: float
    days: float
    usual: Callable[[Random, Float64], Float64]
    mishaps: Sequence[str]
    digits: int = 3

    def make(self, seed: int) -> Recording:
        """Return the recording of a seed."""
        rng = np.random.default_rng(seed)
        days = np.arange(int(self.days * _DAY_S / self.step_s), dtype=np.float64) * self.step_s / _DAY_S
        values = self.usual(rng, days)
        spread, put_in = float(np.std(values)), []
        room = self.days * (1 - _FREE) / len(self.mishaps)
        for i, name in enumerate(rng.permutation(np.array(self.mishaps)).tolist()):
            earliest, spare = self.days * _FREE + i * room, room - MISHAPS[name].days - 1.0
            put_in.append(self._put(rng, values, spread, name, MISHAPS[name].day(earliest, rng.uniform(0.0, spare))))
        return Recording(self.step_s, _told(values, self.digits), tuple(put_in))

    def _put(self, rng: Random, values: Float64, spread: float, name: str, day: float) -> Mishap:
        mishap = MISHAPS[name]
        first = int(day * _DAY_S / self.step_s)
        rows = max(int(mishap.days * _DAY_S / self.step_s), 3)
        place = _Place(values, slice(first, first + rows), spread, _DAY_S / self.step_s, rng)
        values[place.at] = mishap.change(place)
        return Mishap(name, first, first + rows - 1)


class _Place(NamedTuple):
    """The usual values, the rows in question, the spread of the usual course, and how many readings make a day."""

    values: Float64
    at: slice
    spread: float
    a_day: float
    rng: Random

    def usual(self, days_off: float = 0.0) -> Float64:
        """Return the usual values of these rows, or of as many rows some days later or earlier."""
        rows = round(days_off * self.a_day)
        return self.values[self.at.start + rows : self.at.stop + rows].copy()

    def rows(self) -> int:
        return int(self.at.stop - self.at.start)

    def ramp(self, spreads: float) -> Float64:
        return np.asarray(self.usual() + np.linspace(0.0, spreads * self.spread, self.rows()))

    def restless(self, spreads: float) -> Float64:
        return np.asarray(self.usual() + spreads * self.spread * self.rng.standard_normal(self.rows()))


class _Kind(NamedTuple):
    """How long a mishap takes, what it makes of its place, and when it may begin."""

    days: float
    change: Callable[[_Place], Float64]
    weekday: tuple[int, float] | None = None
    """0 (Monday) to 6, and the hour; None: any time."""

    def day(self, earliest: float, wait: float) -> float:
        """Return the day on which it begins; `wait` days after the earliest, or the first such weekday."""
        if self.weekday is None:
            return earliest + wait
        day, hour = self.weekday
        return float(np.ceil((earliest - day) / 7.0) * 7.0 + day + hour / 24.0)


MISHAPS = {
    "spike": _Kind(0.0, lambda place: place.usual() + 6.0 * place.spread),
    "step": _Kind(0.5, lambda place: place.usual() + 3.0 * place.spread),
    "drift": _Kind(2.0, lambda place: place.ramp(4.0)),
    "flat": _Kind(1.5, lambda place: np.full(place.rows(), place.usual()[0])),
    "dead": _Kind(0.4, lambda place: np.zeros(place.rows())),
    "restless": _Kind(0.5, lambda place: place.restless(2.0)),
    "idle": _Kind(0.5, lambda place: place.usual(4.0), (2, 7.0)),
    "busy": _Kind(0.5, lambda place: place.usual(-3.0), (6, 7.0)),
    "late": _Kind(1.0, lambda place: place.usual(-0.3), (1, 0.0)),
}
"""`idle`: a Wednesday like its Sunday; `busy`: a Sunday like its Thursday; `late`: a Tuesday seven hours behind itself."""


def _told(values: Float64, digits: int) -> Float64:
    return np.asarray(np.round(np.maximum(values, 0.0), digits), np.float64)


def slow(rng: Random, rows: int, memory: float) -> Float64:
    """Return first-order noise of unit spread that forgets within `memory` rows."""
    kept = np.exp(-1.0 / memory)
    noise: Float64 = rng.normal(size=rows)
    noise[1:] *= np.sqrt(1.0 - kept * kept)
    for row in range(1, rows):
        noise[row] += kept * noise[row - 1]
    return noise


def _machine(rng: Random, days: Float64) -> Float64:
    """Return a bearing's temperature: it wanders over hours and days."""
    n = len(days)
    return 86.0 + 4.0 * slow(rng, n, 96) + 5.0 * slow(rng, n, 1440) + 0.7 * rng.standard_normal(n)


def _pump(rng: Random, days: Float64) -> Float64:
    """Return a pressure with heavy tails and a memory of ten readings."""
    n = len(days)
    return 400.0 + 6.0 * slow(rng, n, 10) + 3.0 * rng.standard_t(3, n)


def _server(rng: Random, days: Float64) -> Float64:
    """Return a load that bursts: many short excursions of any height."""
    n = len(days)
    bursts = np.repeat(rng.lognormal(0.0, 1.0, n // 6 + 1) * (rng.random(n // 6 + 1) < 0.08), 6)[:n]
    return (
        2.0 + 0.25 * np.sin(2 * np.pi * days) + 0.15 * slow(rng, n, 30) + bursts + 0.05 * np.abs(rng.standard_normal(n))
    )


def _plant(rng: Random, days: Float64) -> Float64:
    """Return a works' electricity: two peaks a workday, a quarter of it on weekends."""
    n, clock = len(days), days % 1 * 24
    shape = 60.0 * np.exp(-(((clock - 10) / 2.5) ** 2)) + 50.0 * np.exp(-(((clock - 15.5) / 2.5) ** 2))
    shape = 30.0 + np.where(days // 1 % 7 >= 5, 0.25, 1.0) * shape
    values: Float64 = shape * (1.0 + 0.06 * slow(rng, n, 8) + 0.05 * slow(rng, n, 300)) + 1.5 * rng.standard_normal(n)
    return values


def _town(rng: Random, days: Float64) -> Float64:
    """Return a demand that is high by day and evening, later on weekends, and never rests."""
    n, weekend = len(days), days // 1 % 7 >= 5
    clock = (days % 1 * 24 - np.where(weekend, 2.0, 0.0)) % 24
    shape = 14.0 + 6.0 * np.tanh(2 * np.sin(2 * np.pi * (clock - 8) / 24)) + 4.0 * np.exp(-(((clock - 19) / 2) ** 2))
    values: Float64 = np.where(weekend, 0.85, 1.0) * shape * (1.0 + 0.04 * slow(rng, n, 6) + 0.05 * slow(rng, n, 400))
    return np.asarray(values + 0.3 * rng.standard_normal(n))


def _household(rng: Random, days: Float64) -> Float64:
    """Return a home's electricity: a refrigerator, kettles and cookers."""
    n, clock = len(days), days % 1 * 24
    values = 0.08 + np.where(np.arange(n) % 45 < 15, 0.1, 0.0) + 0.01 * np.abs(rng.standard_normal(n))
    busy = 0.002 * (1.0 + 6.0 * np.exp(-((clock - 7.5) ** 2)) + 9.0 * np.exp(-(((clock - 19) / 2) ** 2)))
    for first in np.flatnonzero(rng.random(n) < busy).tolist():
        values[first : first + 2 + int(rng.exponential(12))] += 1.2 * rng.lognormal(0.0, 0.6)
    return np.asarray(values)


def _room(rng: Random, days: Float64) -> Float64:
    """Return an office's temperature: a daily wave, weather of hours and of days."""
    n = len(days)
    wave = 2.5 * np.sin(2 * np.pi * (days - 9 / 24))
    return np.asarray(21.0 + wave + 1.2 * slow(rng, n, 12) + 1.5 * slow(rng, n, 150))


_ANY = ("spike", "step", "drift", "flat", "dead", "restless")
_WEEKLY = (*_ANY, "idle", "busy", "late")

COURSES = {
    "machine": Course("temp_c", 300.0, 60.0, _machine, _ANY),
    "pump": Course("pressure_kpa", 120.0, 30.0, _pump, _ANY),
    "server": Course("flow_m3h", 300.0, 40.0, _server, ("step", "drift", "flat", "dead")),
    "plant": Course("power_kw", 900.0, 126.0, _plant, _WEEKLY),
    "town": Course("power_kw", 1800.0, 126.0, _town, _WEEKLY),
    "household": Course("power_kw", 60.0, 24.0, _household, ("step", "drift", "flat", "dead")),
    "room": Course("temp_c", 3600.0, 84.0, _room, ("spike", "step", "drift", "flat", "dead", "restless")),
}


def field(seed: int) -> Recording:
    """Return methane in the open by the minute: nights that trap it, and leaks that the wind brings and takes away."""
    rng, rows = np.random.default_rng(seed), 7 * 1440
    clock = np.arange(rows) / 60.0 % 24
    night = np.exp(-((np.minimum(clock, 24 - clock) / 4) ** 2))
    values = 1.95 + 0.25 * night * np.abs(slow(rng, rows, 200)) + 0.015 * rng.standard_normal(rows)
    wind, leaks = slow(rng, rows, 90), []
    for leak in range(13):
        first = int((leak * 0.5 + 0.4 + rng.uniform(0.0, 0.1)) * 1440)
        last = min(first + int(rng.uniform(90, 300)), rows - 1)
        plume = wind[first:last] + rng.uniform(-0.3, 1.2) + 0.8 * rng.standard_normal(last - first)
        values[first:last] += 0.6 * rng.lognormal(0.3, 0.7) * np.maximum(plume, 0.0)
        leaks.append(Mishap("leak", first, last))
    return Recording(60.0, _told(values, 3), tuple(leaks))


def fire(
    step_s: float, rest: float, noise: float, rise: Callable[[Float64], Float64], digits: int
) -> Callable[[int], Recording]:
    """Return a maker of recordings of a quiet room in which a fire begins after ten minutes; `rise` is of seconds since."""

    def make(seed: int) -> Recording:
        rng, before = np.random.default_rng(seed), 600.0
        seconds = np.arange(0.0, before + 900.0, step_s)
        values = rest + noise * (slow(rng, len(seconds), 60.0 / step_s) + rng.standard_normal(len(seconds)))
        values += rise(np.maximum(seconds - before, 0.0)) * rng.uniform(0.4, 2.0)
        burning = Mishap("fire", int(before / step_s), len(seconds) - 1)
        return Recording(step_s, _told(values, digits), (burning,))

    return make


class Kind(NamedTuple):
    """What is measured and how a seed's recording is made; recordings of a kind are equally long."""

    measurand: str
    make: Callable[[int], Recording]


KINDS = {name: Kind(course.measurand, course.make) for name, course in COURSES.items()} | {
    "field": Kind("ch4_ppm", field),
    "fire heat": Kind("temp_c", fire(2.0, 21.0, 0.1, lambda s: 1e-4 * s**2 * np.exp(-s / 900.0), 1)),
    "fire smoke": Kind("smoke_dbm", fire(2.0, 0.02, 0.004, lambda s: np.clip((s - 30.0) / 300.0, 0.0, 1.0) ** 1.5, 3)),
    "fire co": Kind("co_ppm", fire(5.0, 1.5, 0.25, lambda s: 30.0 * np.clip((s - 60.0) / 500.0, 0.0, 1.0) ** 1.3, 1)),
}
