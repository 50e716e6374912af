"""What happens in a district every day and is nobody's alarm: cooking, sprays, bad lines, wrong clocks, lawful welding.

Lines fail at night, when no case is played, so that a case is missed by the rules and never for want of data.
"""

from random import Random

from bench.detection.cases import Scene, Stage
from bench.detection.town import Plot
from simulators.incidents import Cooking, Duplicates, Incident, Malformed, Outage, Reordering, Silence, Skew

DAY_S = 86_400.0
_NIGHT_S = (0.5 * 3600.0, 6.5 * 3600.0)
_KITCHENS = ("ch4-1", "ch4-2", "ch4-3")
_DETECTORS = (*(f"ch4-{i}" for i in range(1, 7)), "co-1", "co-2", "o2-1", *(f"smoke-{i}" for i in (1, 2, 3)), "heat-1")
# Each a day and site: how often, what, where, how long, and what is random about it.
_TIMES = {"steam": 1, "outage": 0.5, "reboot": 0.3, "bad line": 0.5, "clock": 0.2}
_IN_KITCHENS = {"frying": 8, "spray": 2}
_WORK_H = (7.0, 20.5)
"""Hours at which works weld as they should: before and after the hours of the cases."""


def play(stage: Stage, plot: Plot, day: int, rng: Random) -> None:
    """Put one day's nuisances of one site on the stage."""
    for what, mean in (_TIMES | (_IN_KITCHENS if plot.is_kitchen else {})).items():
        for _ in range(_count(mean, rng)):
            stage.add(*_nuisance(what, plot, day * DAY_S, rng))
    for i, hour in enumerate(_WORK_H if not plot.is_kitchen else ()):
        at_s = day * DAY_S + hour * 3600 + rng.uniform(0, 1800)
        Scene(stage, plot, at_s, f"lawful-{day}-{i}").weld(lasts_s=900.0)  # with its pauses for the electrode


def _count(mean: float, rng: Random) -> int:
    """Return the mean, its fraction by chance."""
    return int(mean) + (rng.random() < mean % 1)


def _nuisance(what: str, plot: Plot, midnight_s: float, rng: Random) -> list[Incident]:
    """Return what happens."""
    kitchen, any_one = plot.path(rng.choice(_KITCHENS)), plot.path(rng.choice(_DETECTORS))
    night, day = midnight_s + rng.uniform(*_NIGHT_S), midnight_s + rng.uniform(7 * 3600, 22 * 3600)
    match what:
        case "frying":
            return [Cooking(device=kitchen, at_s=day, lasts_s=rng.uniform(60, 900), strength=rng.uniform(0.3, 0.9))]
        case "spray":
            return [Cooking(device=kitchen, at_s=day, lasts_s=rng.uniform(3, 12), strength=3.0)]
        case "steam":
            path = plot.path(rng.choice(("smoke-1", "smoke-2", "smoke-3")))
            return [Cooking(device=path, at_s=day, lasts_s=rng.uniform(60, 600), strength=rng.uniform(0.3, 1.0))]
        case "outage":
            return [Outage(device=any_one, at_s=night, lasts_s=rng.uniform(30, 800))]
        case "reboot":
            return [Silence(device=any_one, at_s=night, lasts_s=rng.uniform(10, 600), will=False)]
        case "bad line":
            lasts = rng.uniform(600, 7200)
            return [
                Duplicates(device=any_one, at_s=night, lasts_s=lasts),
                Reordering(device=any_one, at_s=night, lasts_s=lasts),
                Malformed(device=any_one, at_s=night, lasts_s=lasts, share=0.1),
            ]
        case "clock":
            return [Skew(device=any_one, at_s=night, lasts_s=3600, offset_s=rng.choice((-400, 400)))]
        case _:
            return []
