"""The packages are listed once for each tool, and every list says the same as the folders."""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NOT_SHIPPED = {"bench", "tests"}


def _tools() -> dict[str, Any]:
    tools: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    return tools


def _folders() -> set[str]:
    return {file.parent.name for file in ROOT.glob("*/__init__.py")} - NOT_SHIPPED


def test_what_is_shipped_is_every_package() -> None:
    """A package that hatchling does not know would be missing after `pip install`."""
    assert set(_tools()["hatch"]["build"]["targets"]["wheel"]["packages"]) == _folders()


def test_what_is_type_checked_is_every_package_and_the_tests() -> None:
    """No room is left out of mypy."""
    assert set(_tools()["mypy"]["packages"]) == _folders() | NOT_SHIPPED


def test_what_is_layered_is_every_package() -> None:
    """No room is left out of the import contracts, and each stands on one layer."""
    linter = _tools()["importlinter"]
    layers = [room for layer in linter["contracts"][0]["layers"] for room in re.split(r" \| ", layer)]
    assert set(linter["root_packages"]) == _folders()
    assert sorted(layers) == sorted(_folders())
