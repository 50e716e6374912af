"""How often the statistical rules alarm where nothing happens: raises per sensor and year on made-up noise.

    python -m bench.detection.noise [--sensors 100] [--days 14] [--json] [--picture noise.html]

One reading a minute, spread 0.2, rounded to 0.01. `normal`: independent. `tails`: Student's t with three degrees of freedom.
`daily`: normal on a daily wave of ten spreads from trough to crest. `wandering`: first-order, correlation time 50 minutes.
`drifting`: a random walk that strays five spreads a day, under normal noise. `bursts`: a machine switched on at random, twenty
spreads high, for eight minutes on average, thirty times a day. G105 looks upwards only and knows no habits, A101 both ways.
Sensors are new at the start: what they say in vain while they learn is counted too, and told again without the first week.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.detection import telling
from detectors.base import World
from detectors.parameters import Parameters
from detectors.unusual import ANY_RULE, GAS_RULE, Unusual
from domain.findings import Action
from domain.measurands import INDEX
from domain.readings import Float64, Readings, Segment
from domain.slots import SlotTable

_DAY = 1_440
_YEAR = 365.25
_SPREAD = 0.2
_START_MS = 1_767_578_400_000
_RISE = {GAS_RULE: ("ch4_lel", 1.0), ANY_RULE: ("temp_c", 20.0)}
"""Rule → a measurand it watches, and its level."""
_CHUNK = 360
_SEED = 20260302

Noise = Callable[[np.random.Generator, int, int], Float64]


def normal(rng: np.random.Generator, minutes: int, sensors: int) -> Float64:
    return rng.standard_normal((minutes, sensors))


def tails(rng: np.random.Generator, minutes: int, sensors: int) -> Float64:
    return rng.standard_t(3, (minutes, sensors))


def daily(rng: np.random.Generator, minutes: int, sensors: int) -> Float64:
    wave = 5.0 * np.sin(2 * np.pi * np.arange(minutes) / _DAY)
    return np.asarray(wave[:, None] + normal(rng, minutes, sensors))


def wandering(rng: np.random.Generator, minutes: int, sensors: int) -> Float64:
    kept = np.exp(-1 / 50)
    pushes: Float64 = normal(rng, minutes, sensors) * np.sqrt(1 - kept * kept)
    for minute in range(1, minutes):
        pushes[minute] += kept * pushes[minute - 1]
    return pushes


def drifting(rng: np.random.Generator, minutes: int, sensors: int) -> Float64:
    walk = np.cumsum(normal(rng, minutes, sensors), axis=0) * 5.0 / np.sqrt(_DAY)
    return np.asarray(walk + normal(rng, minutes, sensors))


def bursts(rng: np.random.Generator, minutes: int, sensors: int) -> Float64:
    running = np.zeros((minutes, sensors))
    starts = rng.random((minutes, sensors)) < 30 / _DAY
    stops = rng.random((minutes, sensors)) < 1 / 8
    on = np.zeros(sensors, np.bool_)
    for minute in range(minutes):
        on = (on | starts[minute]) & ~stops[minute]
        running[minute] = on
    return np.asarray(20.0 * running + normal(rng, minutes, sensors))


NOISES: tuple[Noise, ...] = (normal, tails, daily, wandering, drifting, bursts)


def alarms(rule: str, values: Float64) -> tuple[list[int], float]:
    """Return when (ms) the rule raised on these columns, one a sensor and one row a minute, and the share of time in alarm."""
    minutes, sensors = values.shape
    detector = Unusual(rule, Parameters())
    world = World(SlotTable([f"a/s/d{i}" for i in range(sensors)]))
    raised, standing, since = list[int](), 0, dict[str, int]()
    for first in range(0, minutes, _CHUNK):
        part = values[first : first + _CHUNK]
        for finding in detector.observe(_segment(rule, part, first), world).findings:
            if finding.action is Action.RAISE:
                raised.append(finding.at_ms - _START_MS)
                since[finding.device] = finding.at_ms
            elif finding.action is Action.CLEAR:
                standing += finding.at_ms - since.pop(finding.device)
    standing += sum(_START_MS + minutes * 60_000 - began for began in since.values())
    return raised, standing / (minutes * sensors * 60_000)


def _segment(rule: str, values: Float64, first: int) -> Segment:
    minutes, sensors = values.shape
    row = np.repeat(np.arange(first, first + minutes), sensors)
    at, n = _START_MS + row * 60_000, len(row)
    readings = Readings(
        row,
        np.tile(np.arange(sensors, dtype=np.int32), minutes),
        np.full(n, INDEX[_RISE[rule][0]], np.int16),
        values.ravel(),
        at,
        at,
        np.zeros(n, np.uint8),
    )
    return Segment(first, first + minutes, readings)


def measure(sensors: int, days: int) -> list[dict[str, Any]]:
    """Return one row a rule and kind of noise."""
    rng = np.random.default_rng(_SEED)
    rows = []
    for noise in NOISES:
        shape = noise(rng, days * _DAY, sensors)
        for rule, (_, level) in _RISE.items():
            raised, standing = alarms(rule, np.round(level + _SPREAD * shape, 2))
            rows.append({"rule": rule, "noise": noise.__name__, **_rates(raised, sensors, days), "in_alarm": standing})
    return rows


def _rates(raised: list[int], sensors: int, days: int) -> dict[str, Any]:
    """Return alarms a sensor and year: of all days, and of those from the eighth on (None: there were none)."""
    later = sum(at >= 7 * _DAY * 60_000 for at in raised)
    return {
        "sensor_years": sensors * days / _YEAR,
        "raises": len(raised),
        "a_sensor_year": len(raised) / (sensors * days / _YEAR),
        "a_sensor_year_later": later / (sensors * (days - 7) / _YEAR) if days > 7 else None,
    }


def main() -> None:
    parser = telling.parser(__doc__ or "")
    parser.add_argument("--sensors", type=int, default=100)
    parser.add_argument("--days", type=int, default=14)
    given = parser.parse_args()
    rows = measure(given.sensors, given.days)
    if given.picture:
        values = [(f"{row['rule']} {row['noise']}", float(row["a_sensor_year"])) for row in rows]
        drawn = [telling.table("Noise", rows), telling.bars("Raises per sensor and year", values)]
        given.picture.write_text(telling.page("Alarms where nothing happens", drawn), "utf-8")
    telling.tell({"rows": rows}, [rows], as_json=given.json)


if __name__ == "__main__":
    main()
