"""A room that fills with gas, and the detector on its wall.

The room is one well-mixed volume of air: V·dc/dt = G - (Q + G)·c with leak G and ventilation Q, solved exactly. The
detector samples each second, reports at its interval, and sends its alarm bits at once, with hysteresis, like real ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from simulators.device import Saying, event, status
from simulators.incidents import Cooking, Incident, Leak, Timetable, active, grown_share
from simulators.physics import Sensor, SensorType, relax
from simulators.sampling import Sampling

# Reading = at rest + factor × %VOL of the gas. LEL 5.0 methane, 2.1 propane, 4.0 hydrogen %VOL (GB/T 50493-2019 App. A).
_SCALES: dict[str, tuple[float, float]] = {
    "ch4_lel": (0.0, 100 / 5.0),
    "lel": (0.0, 100 / 5.0),
    "c3h8_lel": (0.0, 100 / 2.1),
    "h2_lel": (0.0, 100 / 4.0),
    "ch4_ppm": (0.0, 1e4),
    "co_ppm": (0.0, 1e4),
    "h2s_ppm": (0.0, 1e4),
    "nh3_ppm": (0.0, 1e4),
    "cl2_ppm": (0.0, 1e4),
    "o2_vol": (20.9, -20.9 / 100),  # any gas displaces air
}
_SENSORS: dict[str, SensorType] = {
    "lel": SensorType(t90_s=15.0, noise=0.15, resolution=0.1, full_scale=100.0, drift=0.3),
    "ch4_ppm": SensorType(t90_s=15.0, noise=40.0, resolution=10.0, full_scale=50_000.0),
    "ppm": SensorType(t90_s=30.0, noise=0.3, resolution=0.1, full_scale=500.0),
    "o2_vol": SensorType(t90_s=15.0, noise=0.03, resolution=0.1, full_scale=30.0),
}
MEASURANDS = frozenset(_SCALES)

_HYSTERESIS = 0.9
_FAN = 10.0  # the interlocked fan changes the air this many times faster
_VAPOUR_M3H = 1.2  # what a wok's flare-up looks like to a catalytic bead, as gas


class GasRoom:
    """Air of `volume_m3` around a detector, changed at `ventilation_m3h`; `concentration` of the gas in %VOL."""

    def __init__(self, volume_m3: float = 2.0, ventilation_m3h: float = 120.0) -> None:
        self.concentration = 0.0
        self._volume_m3 = volume_m3
        self._ventilation_m3h = ventilation_m3h

    def advance(self, seconds: float, leak_m3h: float, *, fan: bool = False) -> float:
        """Return the concentration after `seconds` of a constant leak; `fan`: the emergency fan runs."""
        out_m3h = self._ventilation_m3h * (_FAN if fan else 1.0) + leak_m3h
        steady = 100.0 * leak_m3h / out_m3h
        time_constant_s = 3600.0 * self._volume_m3 / out_m3h
        self.concentration = relax(self.concentration, steady, seconds, time_constant_s)
        return self.concentration


class AlarmBits:
    """The detector's own two-level alarm: `level` 0, 1 (low) or 2 (high); it falls only below 90 % of the set point."""

    def __init__(self, low: float, high: float) -> None:
        self.level = 0
        self._set_points = (low, high)

    def update(self, value: float) -> str | None:
        """Return the event to send (`alarm.low`, `alarm.high`, `alarm.clear`), or None when nothing changed."""
        rising = sum(value >= point for point in self._set_points)
        falling = sum(value >= _HYSTERESIS * point for point in self._set_points)
        before, self.level = self.level, max(rising, min(self.level, falling))
        if self.level == before:
            return None
        return ("alarm.clear", "alarm.low", "alarm.high")[self.level]


@dataclass(frozen=True, slots=True)
class GasDetector:
    """A registered gas detector: its measurand, longest report interval and set points (None: it has no alarm of its own).

    `brisk_s`: how often it reports while gas comes or goes, where that is more often.
    """

    path: str
    measurand: str
    interval_s: float
    low: float | None = None
    high: float | None = None
    brisk_s: float | None = None

    def sayings(self, incidents: Sequence[Incident], seed: str) -> Iterator[Saying]:
        """Yield reports and alarms without end. A quiet detector is sampled only when it reports: it has nothing else to say."""
        rng = Random(seed)
        gas = Timetable([incident for incident in incidents if isinstance(incident, Leak | Cooking)])
        start_s = rng.uniform(0.0, min(self.interval_s, 2.0))
        return self._report(gas, rng, Sampling(gas, self.interval_s, self.brisk_s, start_s, start_s))

    def _report(self, gas: Timetable, rng: Random, sampling: Sampling) -> Iterator[Saying]:
        rest, factor = _SCALES[self.measurand]
        room, sensor = GasRoom(), Sensor(self._sensor_type(), rng, rest)
        bits = AlarmBits(self.low, self.high) if self.low is not None and self.high is not None else None
        step_s = 0.0
        yield status(sampling.now_s, online=True)
        while True:
            now_s, flow = sampling.now_s, _inflow(gas.near(sampling.now_s), sampling.now_s)
            level = bits.level if bits else 0
            value = sensor.read(rest + factor * room.advance(step_s, flow, fan=level > 0 and flow == 0), step_s)
            alarm = bits.update(value) if bits else None
            if alarm is not None or sampling.is_due():
                sampling.reported()
                yield Saying(now_s, "telemetry", {self.measurand: value})
            if alarm is not None:
                yield event(now_s, alarm, measurand=self.measurand, value=value)
            step_s = sampling.step()

    def _sensor_type(self) -> SensorType:
        unit = self.measurand.rpartition("_")[2]
        return _SENSORS.get(self.measurand) or _SENSORS[unit]


def _inflow(incidents: Sequence[Incident], now_s: float) -> float:
    leaks = sum(leak.flow_m3h * grown_share(age_s, leak.over_s) for leak, age_s in active(Leak, incidents, now_s))
    fumes = sum(cooking.strength for cooking, _ in active(Cooking, incidents, now_s))
    return leaks + fumes * _VAPOUR_M3H
