"""The page of scenarios lists what there is."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import msgspec

from simulators.incidents import AnyIncident, Incident
from simulators.scenario import ScenarioFile, build, scenario_names

_PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "scenarios.md").read_text("utf-8")


def _rows(section: str) -> list[list[str]]:
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_scenario_is_on_the_page() -> None:
    """The first table has the names of the scenarios that come with the project, and no others."""
    names = [row[0].strip("`") for row in _rows(_PAGE.partition("## The file")[0])]
    assert names == scenario_names()


def test_every_kind_of_incident_is_on_the_page_with_its_fields() -> None:
    """The second table has each kind's tag and own fields, in the order of the code."""
    common = {field.name for field in msgspec.structs.fields(Incident)}
    kinds = [
        [str(kind.__struct_config__.tag), [f.name for f in msgspec.structs.fields(kind) if f.name not in common]]
        for kind in get_args(AnyIncident)
    ]
    rows = _rows(_PAGE.partition("## Kinds of incident")[2])
    assert [[row[0].strip("`"), re.findall(r"`(\w+)`", row[1])] for row in rows] == kinds


def test_the_example_is_a_scenario() -> None:
    """The file shown can be played."""
    example = re.search(r"```toml\n(.*?)```", _PAGE, re.DOTALL)
    assert example is not None
    scenario = build("example", msgspec.convert(tomllib.loads(example[1]), ScenarioFile))
    assert len(scenario.devices) == 2
