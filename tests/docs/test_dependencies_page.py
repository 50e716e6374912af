"""Every dependency has a line that says why it is here."""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "dependencies.md").read_text("utf-8")


def _named(section: str) -> list[str]:
    rows = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \| \S.* \| \S.* \|$", rows, re.MULTILINE)


def _bare(requirements: list[str]) -> list[str]:
    return [re.split(r"[<>=;\[~! ]", requirement)[0] for requirement in requirements]


def test_run_time_dependencies_are_explained() -> None:
    """The page and pyproject.toml name the same packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert _named("At run time") == _bare(project["dependencies"])
    assert _named("For development and tests") == _bare(project["optional-dependencies"]["dev"])


def test_dependencies_of_the_screens_are_explained() -> None:
    """The page and screens/package.json name the same packages."""
    file = ROOT / "screens" / "package.json"
    package = json.loads(file.read_text("utf-8"))
    assert sorted(_named("For the screens")) == sorted(
        {**package.get("dependencies", {}), **package["devDependencies"]}
    )
