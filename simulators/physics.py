"""Physics shared by every simulated device: first-order relaxation, solved exactly, and a sensor that lags, drifts and rounds.

Exact steps mean that the result does not depend on how often a device samples.
"""

import math
from dataclasses import dataclass
from random import Random

_LN10 = math.log(10.0)
_DAY_S = 86_400.0
_DRIFT_DAYS = 10.0
"""Zero drift comes to an end: after so many days it has gone nearly as far as it goes, this many days' worth."""


def relax(value: float, target: float, seconds: float, time_constant_s: float) -> float:
    """Return where `value` is after `seconds` on its exponential way to a constant `target`."""
    return target + (value - target) * math.exp(-seconds / time_constant_s)


@dataclass(frozen=True, slots=True)
class SensorType:
    """What a make promises, in the unit it reports.

    `t90_s`: time to 90 % of a step (GB 15322); `noise`: standard deviation; `drift`: zero drift on the first day; `resolution`:
    last digit; `full_scale`: end of the range.
    """

    t90_s: float
    noise: float
    resolution: float
    full_scale: float
    drift: float = 0.0


class Sensor:
    """One sensor: follows the true value with its lag; readings carry noise, drift and rounding, clipped to full scale."""

    def __init__(self, kind: SensorType, rng: Random, at_rest: float = 0.0) -> None:
        self._kind = kind
        self._rng = rng
        self._lagged = at_rest
        self._age_s = 0.0
        self._time_constant_s = kind.t90_s / _LN10

    def read(self, true_value: float, seconds: float) -> float:
        """Return the reading after `seconds` in air that holds `true_value`."""
        kind = self._kind
        self._lagged = relax(self._lagged, true_value, seconds, self._time_constant_s)
        self._age_s += seconds
        raw = self._lagged + self._drift() + self._rng.gauss(0.0, kind.noise)
        return quantise(min(raw, kind.full_scale), kind.resolution)

    def _drift(self) -> float:
        """Return how far the zero has moved."""
        days = self._age_s / _DAY_S
        return -self._kind.drift * _DRIFT_DAYS * math.expm1(-days / _DRIFT_DAYS)


def quantise(value: float, resolution: float) -> float:
    """Return `value` rounded to a whole number of `resolution`, without the tail of binary fractions."""
    return round(round(value / resolution) * resolution, 6)
