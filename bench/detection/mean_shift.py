"""The cumulative sum against theory: how late it finds a shift of known size at a given rate of false alarms.

    python -m bench.detection.mean_shift [--false-alarms 100] [--json] [--picture shift.html]

Independent normal readings. `known`: centre and spread are given, and `k` is half the shift; the limit `h` is solved for the
wanted mean time between false alarms (ARL0) by the Markov chain of Brook and Evans (1972), then simulated with
`detectors/cusum.py`: delays from a sum at zero, and at least `--false-alarms` false alarms. `learned`: the same sums behind the
baseline that G105 learns in two days (`detectors/baseline.py`), one reading a minute; what it adds in delay and in ARL0 is the
price of not knowing.
"""

from typing import Any, NamedTuple

import numpy as np

from bench.detection import telling
from detectors.baseline import Baselines, Tuning
from detectors.cusum import climb
from domain.readings import Float64

SHIFTS = (0.5, 1.0, 2.0)
OPTIMA = {1e4: (49.1, 15.1, 4.56), 1e5: (67.5, 19.7, 5.71)}
"""ARL0 → readings until the optimal test finds the shifts."""
_CELLS = 300
_CHANNELS = 2_000
_LEARNERS = 400
_TAUGHT = 2_880
_CONTROL = 6_000
_MINUTE_MS = 60_000.0
_GIVEN_UP = 4_000
_SEED = 20260301


class Test(NamedTuple):
    """One setting: shift in σ, wanted ARL0, `k` and `h`."""

    shift: float
    arl0: float
    k: float
    h: float


def run_length(k: float, h: float, mean: float) -> float:
    """Return the mean readings until a sum from zero reaches `h` when readings have this mean and spread 1."""
    width = h / _CELLS
    centres = (np.arange(_CELLS) + 0.5) * width
    edges = np.append(np.arange(_CELLS) * width, h)
    below = _normal(edges[None, :] + k - mean - centres[:, None])
    move = np.diff(below, axis=1)
    move[:, 0] += below[:, 0]
    lengths = np.linalg.solve(np.eye(_CELLS) - move, np.ones(_CELLS))
    first = np.diff(_normal(edges + k - mean))
    first[0] += _normal(np.array([k - mean]))[0]
    return float(1.0 + first @ lengths)


def _normal(x: Float64) -> Float64:
    """Return the distribution function of the normal law (Abramowitz and Stegun 7.1.26 on each side, error 1.5e-7)."""
    t = 1.0 / (1.0 + 0.3275911 * np.abs(x) / np.sqrt(2.0))
    series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    tail = 0.5 * series * np.exp(-x * x / 2.0)
    below: Float64 = np.where(x >= 0, 1.0 - tail, tail)
    return below


def limit(k: float, arl0: float) -> float:
    """Return the `h` whose mean time between false alarms is `arl0`."""
    low, high = 0.5, 40.0
    while high - low > 1e-4:
        middle = (low + high) / 2.0
        low, high = (middle, high) if run_length(k, middle, 0.0) < arl0 else (low, middle)
    return high


def known(test: Test, false_alarms: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return what simulation says of one setting."""
    total, alarms, readings = np.zeros(_CHANNELS), 0, 0
    while alarms < false_alarms:
        total = climb(total, rng.standard_normal(_CHANNELS), 1.0, test.k, np.inf)
        over = total >= test.h
        alarms, readings = alarms + int(over.sum()), readings + _CHANNELS
        total[over] = 0.0
    return {"arl0": readings / alarms, "false_alarms": alarms, "delay": _delay(test, rng)}


def _delay(test: Test, rng: np.random.Generator) -> float:
    """Return the mean readings until the shift is found, of channels whose sums begin at zero."""
    channels = 10 * _CHANNELS
    total, found = np.zeros(channels), np.zeros(channels)
    for reading in range(1, _GIVEN_UP):
        total = climb(total, rng.standard_normal(channels) + test.shift, 1.0, test.k, np.inf)
        found[(found == 0) & (total >= test.h)] = reading
        if found.all():
            break
    return float(found.mean())


def learned(tests: list[Test], rng: np.random.Generator, taught: int, control: int) -> list[dict[str, Any]]:
    """Return the same of channels that had to learn what is normal; all settings watch the same channels."""
    baselines = Baselines(Tuning(480.0, 2_880.0, 1_440.0, 120.0, 0.0, both=False))
    alarms = _control(tests, baselines, rng, taught, control)
    snapshot = baselines.snapshot(_LEARNERS)
    rows = []
    for test, false in zip(tests, alarms, strict=True):
        baselines.restore(snapshot)
        delay, absorbed = _learned_delay(test, baselines, rng, taught + control)
        arl0 = control * _LEARNERS / max(false, 1)
        rows.append({"arl0": arl0, "false_alarms": false, "delay": delay, "absorbed": absorbed})
    return rows


def _departures(baselines: Baselines, values: Float64, minute: int) -> Float64:
    """Return how far the readings of a minute depart, in spreads of their channels, and let them teach."""
    channels, at = np.arange(_LEARNERS), np.full(_LEARNERS, minute * _MINUTE_MS)
    if minute == 0:
        baselines.begin(channels, values, at, np.full(_LEARNERS, 0.01))
    view = baselines.look(channels, values, at)
    none = np.zeros(_LEARNERS, np.bool_)
    baselines.learn(view, values, at, none, none)
    return view.usual.astype(float)


def _control(tests: list[Test], baselines: Baselines, rng: np.random.Generator, taught: int, control: int) -> list[int]:
    """Teach the channels and return how often each setting then alarms in `control` minutes in which nothing happens."""
    total, alarms = np.zeros((len(tests), _LEARNERS)), [0] * len(tests)
    for minute in range(taught + control):
        z = _departures(baselines, rng.standard_normal(_LEARNERS), minute)
        for i, test in enumerate(tests if minute >= taught else ()):
            total[i] = climb(total[i], z, 1.0, test.k, np.inf)
            over = total[i] >= test.h
            alarms[i] += int(over.sum())
            total[i, over] = 0.0
    return alarms


def _learned_delay(test: Test, baselines: Baselines, rng: np.random.Generator, since: int) -> tuple[float, float]:
    """Return the mean readings until found, and the share never found because the baseline took the shift for normal."""
    total, found = np.zeros(_LEARNERS), np.zeros(_LEARNERS)
    for reading in range(1, _GIVEN_UP):
        z = _departures(baselines, rng.standard_normal(_LEARNERS) + test.shift, since + reading)
        total = climb(total, z, 1.0, test.k, np.inf)
        found[(found == 0) & (total >= test.h)] = reading
        if found.all():
            break
    hit = found > 0
    return float(found[hit].mean()), float(1.0 - hit.mean())


def measure(false_alarms: int = 100, taught: int = _TAUGHT, control: int = _CONTROL) -> list[dict[str, Any]]:
    """Return one row a shift and ARL0."""
    rng = np.random.default_rng(_SEED)
    tests = [Test(shift, arl0, shift / 2, limit(shift / 2, arl0)) for arl0 in OPTIMA for shift in SHIFTS]
    rows = []
    for test, other in zip(tests, learned(tests, rng, taught, control), strict=True):
        optimum = OPTIMA[test.arl0][SHIFTS.index(test.shift)]
        seen = known(test, false_alarms, rng)
        row = {"arl0_wanted": test.arl0, "shift": test.shift, "h": round(test.h, 3), "optimum": optimum}
        row |= {"theory": run_length(test.k, test.h, test.shift), "ratio": seen["delay"] / optimum, **seen}
        row |= {"learned_ratio": other["delay"] / optimum, **{f"learned_{name}": x for name, x in other.items()}}
        rows.append(row)
    return rows


def picture(rows: list[dict[str, Any]]) -> str:
    """Return a page: delay over the optimum, known and learned."""
    bars = [
        (f"{row['shift']} σ, ARL0 {row['arl0_wanted']:.0e}{name}", row[column])
        for row in rows
        for name, column in (("", "ratio"), (" learned", "learned_ratio"))
    ]
    return telling.page("Mean shift", [telling.table("Readings", rows), telling.bars("Delay over the optimum", bars)])


def main() -> None:
    parser = telling.parser(__doc__ or "")
    parser.add_argument("--false-alarms", type=int, default=100, help="simulate at least so many of each setting")
    given = parser.parse_args()
    rows = measure(given.false_alarms)
    if given.picture:
        given.picture.write_text(picture(rows), "utf-8")
    telling.tell({"rows": rows}, [rows], as_json=given.json)


if __name__ == "__main__":
    main()
