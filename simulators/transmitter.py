"""A transmitter of an industrial quantity: load, residual current, tank level, pressure, hopper temperature, deduster.

The quantity rests at an ordinary value until a `shift` takes it elsewhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from simulators.device import Saying, status
from simulators.incidents import Incident, Shift, Timetable, active, grown_share, happens_near, of_kind
from simulators.physics import Sensor, SensorType

_REST: dict[str, float] = {
    "power_kw": 40.0,
    "residual_ma": 30.0,
    "temp_c": 35.0,
    "level_pct": 60.0,
    "pressure_kpa": 900.0,
    "hopper_temp_c": 45.0,
    "dp_pa": 900.0,
    "fan": 1.0,
    "running": 1.0,
}
_SENSORS: dict[str, SensorType] = {
    "power_kw": SensorType(t90_s=1.0, noise=0.8, resolution=0.01, full_scale=1000.0),
    "residual_ma": SensorType(t90_s=1.0, noise=2.0, resolution=1.0, full_scale=1000.0),
    "temp_c": SensorType(t90_s=20.0, noise=0.1, resolution=0.1, full_scale=150.0),
    "level_pct": SensorType(t90_s=2.0, noise=0.05, resolution=0.1, full_scale=100.0),
    "pressure_kpa": SensorType(t90_s=2.0, noise=1.0, resolution=1.0, full_scale=2500.0),
    "hopper_temp_c": SensorType(t90_s=20.0, noise=0.1, resolution=0.1, full_scale=200.0),
    "dp_pa": SensorType(t90_s=2.0, noise=15.0, resolution=1.0, full_scale=5000.0),
    "fan": SensorType(t90_s=0.1, noise=0.0, resolution=1.0, full_scale=1.0),
    "running": SensorType(t90_s=0.1, noise=0.0, resolution=1.0, full_scale=1.0),
}
_REPORTS = {"dp_pa": ("dp_pa", "fan", "running")}
MEASURANDS = frozenset(_REST)


@dataclass(frozen=True, slots=True)
class Transmitter:
    """A registered transmitter: its chief measurand and report interval; a deduster's also says what runs.

    `brisk_s`: how often it reports while its quantity moves, where that is more often.
    """

    path: str
    measurand: str
    interval_s: float
    brisk_s: float | None = None

    def sayings(self, incidents: Sequence[Incident], seed: str) -> Iterator[Saying]:
        """Yield reports without end."""
        rng = Random(seed)
        names = _REPORTS.get(self.measurand, (self.measurand,))
        sensors = {name: Sensor(_SENSORS[name], rng, _REST[name]) for name in names}
        timetable = Timetable(of_kind(Shift, incidents))
        step_s = self.interval_s
        now_s = rng.uniform(0.0, min(self.interval_s, 2.0))
        yield status(now_s, online=True)
        while True:
            shifts = timetable.near(now_s)
            true = {name: self._true(name, shifts, now_s) for name in names}
            yield Saying(now_s, "telemetry", {n: s.read(true[n], step_s) for n, s in sensors.items()})
            moves = self.brisk_s is not None and happens_near(shifts, now_s, self.interval_s, self.interval_s)
            step_s = self.brisk_s if moves and self.brisk_s else self.interval_s
            now_s += step_s

    def _true(self, name: str, incidents: Sequence[Incident], now_s: float) -> float:
        """Return where the quantity is: at rest, or on its way to where a shift takes it."""
        value = _REST[name]
        for shift, age_s in active(Shift, incidents, now_s):
            if (shift.measurand or self.measurand) == name:
                value += (shift.to - value) * grown_share(age_s, shift.over_s)
        return value
