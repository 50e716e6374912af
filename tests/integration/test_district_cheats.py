"""Ways round the rules of hot work, each played at a site of its own: what finds it, and that nothing else cries out."""

import re
from pathlib import Path

import pytest

from bench.detection import district
from bench.detection.cases import CASES, Scene, Stage
from bench.detection.district import Order
from bench.detection.scoring import site_of
from bench.detection.town import Plot
from domain.findings import Action, Finding
from simulators.scenario import Scenario

WORDS = Path(__file__).parents[2] / "screens" / "src" / "words" / "zh.ts"
CHEATS: dict[str, set[str]] = {
    "clock set back to the permit": {"D107", "W106"},
    "one certificate, far away": {"W108", "W107"},
    "a second chip of the same name": {"D107"},
    "module cut off, meter sees": {"W113"},
    "many short jobs": {"W111"},
    "guardian welds himself": {"W109"},
    "weak line": {"D107"},
    "locked and welding": {"W113"},
    "certificate of other work": {"W105"},
}


@pytest.fixture(scope="module")
def found() -> dict[str, list[Finding]]:
    """Play every cheat at nine o'clock of a Monday; return what was raised, by case."""
    stage, plots = Stage(district.BEGIN), {name: Plot(2 * i) for i, name in enumerate(CHEATS)}
    for plot in plots.values():
        stage.entries += plot.entries(district.BEGIN.date())
    for name, plot in plots.items():
        CASES[name].play(Scene(stage, plot, 9 * 3600.0, str(plot.number), name))
    behaviours = [b for plot in plots.values() for b in plot.behaviours()] + stage.strangers
    scenario = Scenario("cheats", "", 1, 86_400.0, {b.path: b for b in behaviours}, stage.incidents)
    findings, _ = district.run(district.Played(Order(days=1, tick_s=300), stage, scenario, [], []))
    raised = [finding for finding in findings if finding.action is Action.RAISE]
    return {name: [f for f in raised if site_of(f.device) == plot.site] for name, plot in plots.items()}


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_found(found: dict[str, list[Finding]], name: str) -> None:
    """By the rules that are meant to, at their own severity; what else is raised follows from it."""
    rules = {finding.rule for finding in found[name]}
    assert CHEATS[name] <= rules
    assert rules - CHEATS[name] - CASES[name].companions == set()


def test_everything_that_is_raised_is_worded(found: dict[str, list[Finding]]) -> None:
    """Each fact of the evidence has a name on the screen."""
    facts = set(re.findall(r"^ {4}'?([\w.]+)'?:", WORDS.read_text("utf-8"), re.MULTILINE))
    told = {key for findings in found.values() for finding in findings for key in finding.evidence}
    assert told - facts - {"value", "unit", "counts"} == set()
