"""A growing fire, and the detector on the ceiling above it.

Heat release grows with the square of time (NFPA 72 Annex B); the mass burnt gives smoke and carbon monoxide to a
well-mixed layer under the ceiling, and the plume heats the ceiling jet by Alpert's correlation. The detector follows with
its own lags, latches its alarm when a threshold is passed, and is reset when the air is clean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from simulators.device import Saying, event, status
from simulators.incidents import Burning, Cooking, Incident, Timetable, active
from simulators.physics import Sensor, SensorType, relax
from simulators.sampling import Sampling

_AMBIENT_C = 22.0

# Of mixed furnishings, order of magnitude (SFPE Handbook): effective heat of combustion kJ/g, smoke in dB·m²/g, CO in g/g.
_HEAT_KJ_G = 20.0
_SMOKE_DB_M2_G = 1.5
_CO_G_G = 0.02
_CO_PPM_PER_G_M3 = 859.0  # 1 mg/m³ is 0.859 ppm at 20 °C

_EXHAUST = 6.0  # smoke extraction changes the air this many times faster, once the fire is out
_COOKING_DB_M = 0.05  # what frying settles at: half the alarm threshold

_SENSORS: dict[str, SensorType] = {
    "smoke_dbm": SensorType(t90_s=10.0, noise=0.002, resolution=0.001, full_scale=5.0),
    "temp_c": SensorType(t90_s=25.0, noise=0.1, resolution=0.1, full_scale=150.0),
    "co_ppm": SensorType(t90_s=30.0, noise=0.3, resolution=0.1, full_scale=500.0),
}
# What a detector named by its chief measurand reports, and when which point of it alarms (EN 54-7, EN 54-5 class A1).
_REPORTS: dict[str, tuple[str, ...]] = {
    "smoke_dbm": ("smoke_dbm", "temp_c"),
    "temp_c": ("temp_c",),
    "co_ppm": ("smoke_dbm", "temp_c", "co_ppm"),
}
_POINTS: tuple[tuple[str, str, float, float], ...] = (
    # point, measurand, alarm at, clean below
    ("smoke", "smoke_dbm", 0.12, 0.06),
    ("heat", "temp_c", 58.0, 45.0),
    ("co", "co_ppm", 60.0, 20.0),
)
MEASURANDS = frozenset(_REPORTS)


class Air(NamedTuple):
    """What surrounds the detector: dB/m, °C, ppm."""

    smoke_dbm: float
    temp_c: float
    co_ppm: float


class Surroundings(NamedTuple):
    """A fire of `heat_kw` at `distance_m` from below the detector, and cooking whose fumes settle at `fumes_dbm`."""

    heat_kw: float = 0.0
    distance_m: float = 1.0
    fumes_dbm: float = 0.0


class FireRoom:
    """The layer of `volume_m3` under a ceiling `height_m` high, changed at `ventilation_m3h`."""

    def __init__(self, volume_m3: float = 60.0, height_m: float = 3.0, ventilation_m3h: float = 900.0) -> None:
        self._height_m = height_m
        self._volume_m3 = volume_m3
        self._flow_m3s = ventilation_m3h / 3600.0
        self._burnt_g_m3 = 0.0
        self._fumes_dbm = 0.0

    def advance(self, seconds: float, around: Surroundings, *, exhaust: bool = False) -> Air:
        """Return the air after `seconds` in these surroundings; `exhaust`: smoke extraction runs."""
        heat_kw, distance_m, fumes_dbm = around
        flow_m3s = self._flow_m3s * (_EXHAUST if exhaust else 1.0)
        steady = heat_kw / _HEAT_KJ_G / flow_m3s
        self._burnt_g_m3 = relax(self._burnt_g_m3, steady, seconds, self._volume_m3 / flow_m3s)
        self._fumes_dbm = relax(self._fumes_dbm, fumes_dbm, seconds, 30.0)
        return Air(
            self._burnt_g_m3 * _SMOKE_DB_M2_G + self._fumes_dbm,
            _AMBIENT_C + ceiling_jet_rise(heat_kw, distance_m, self._height_m),
            self._burnt_g_m3 * _CO_G_G * _CO_PPM_PER_G_M3,
        )


def heat_release_kw(growth_kw_s2: float, age_s: float) -> float:
    """Return the heat release rate of a t² fire."""
    return growth_kw_s2 * age_s**2


def ceiling_jet_rise(heat_kw: float, distance_m: float, height_m: float) -> float:
    """Return the ceiling jet's temperature rise in kelvin at `distance_m` from the plume's axis (Alpert 1972)."""
    near = 0.18 * height_m
    if distance_m <= near:
        return float(16.9 * heat_kw ** (2 / 3) / height_m ** (5 / 3))
    return float(5.38 * (heat_kw / distance_m) ** (2 / 3) / height_m)


@dataclass(frozen=True, slots=True)
class FireDetector:
    """A registered fire detector: its chief measurand (smoke_dbm, temp_c or co_ppm) and longest report interval.

    `brisk_s`: how often it reports while smoke or heat come or go, where that is more often.
    """

    path: str
    measurand: str
    interval_s: float
    brisk_s: float | None = None

    def sayings(self, incidents: Sequence[Incident], seed: str) -> Iterator[Saying]:
        """Yield reports and alarms without end. A quiet detector is sampled only when it reports."""
        rng = Random(seed)
        burning = Timetable([incident for incident in incidents if isinstance(incident, Burning | Cooking)])
        start_s = rng.uniform(0.0, min(self.interval_s, 2.0))
        return self._report(burning, rng, Sampling(burning, self.interval_s, self.brisk_s, start_s, start_s))

    def _report(self, burning: Timetable, rng: Random, sampling: Sampling) -> Iterator[Saying]:
        room = FireRoom()
        sensors = {m: Sensor(_SENSORS[m], rng, _at_rest(m)) for m in _REPORTS[self.measurand]}
        latched: set[str] = set()
        step_s = 0.0
        yield status(sampling.now_s, online=True)
        while True:
            now_s, around = sampling.now_s, _surroundings(burning.near(sampling.now_s), sampling.now_s)
            air = room.advance(step_s, around, exhaust=bool(latched) and around.heat_kw == 0)._asdict()
            values = {m: max(0.0, sensor.read(air[m], step_s)) for m, sensor in sensors.items()}
            changes = _latch(latched, values)
            if changes or sampling.is_due():
                sampling.reported()
                yield Saying(now_s, "telemetry", values)
            yield from (event(now_s, type_, point=point) for type_, point in changes)
            step_s = sampling.step()


def _at_rest(measurand: str) -> float:
    return _AMBIENT_C if measurand == "temp_c" else 0.0


def _surroundings(incidents: Sequence[Incident], now_s: float) -> Surroundings:
    fumes = sum(cooking.strength for cooking, _ in active(Cooking, incidents, now_s)) * _COOKING_DB_M
    for fire, age_s in active(Burning, incidents, now_s):
        return Surroundings(heat_release_kw(fire.growth_kw_s2, age_s), fire.distance_m, fumes)
    return Surroundings(fumes_dbm=fumes)


def _latch(latched: set[str], values: dict[str, float]) -> list[tuple[str, str]]:
    """Update the latched points; return (event type, point) of each that changed."""
    changes = []
    for point, measurand, alarm, clean in _POINTS:
        value = values.get(measurand)
        if value is None:
            continue
        if point not in latched and value >= alarm:
            latched.add(point)
            changes.append(("fire.alarm", point))
        elif point in latched and value < clean:
            latched.discard(point)
            changes.append(("fire.clear", point))
    return changes
