"""What operators deploy speaks of metrics and settings that exist."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from emberwatch.metrics import Reading, build_registry
from emberwatch.settings import Settings, walk
from ledger.books import Counts

DEPLOY = Path(__file__).parents[2] / "deploy"
READING = Reading(Counts(), 0, 0, 0, 0, 0, connected=True, history_queued=0, history_healthy=True)


@pytest.mark.parametrize("file", ["prometheus/alerts.yml", "grafana/dashboards/emberwatch.json"])
def test_every_metric_asked_for_is_exposed(file: str) -> None:
    """A renamed metric would leave an alert that never fires."""
    families = {sample.name for family in build_registry(lambda: READING).collect() for sample in family.samples}
    families |= {family.name for family in build_registry(lambda: READING).collect()}
    asked = set(re.findall(r"emberwatch_\w+", (DEPLOY / file).read_text("utf-8")))
    assert asked <= families, asked - families


def test_the_example_settings_are_legal() -> None:
    """Copied as it stands, it loads."""
    assert msgspec.convert(tomllib.loads((DEPLOY / "emberwatch.toml").read_text("utf-8")), Settings).api.secure_cookies


def test_the_containers_set_settings_that_exist() -> None:
    """Every EMBERWATCH_ variable of compose and Dockerfile is a setting."""
    known = {"EMBERWATCH_" + path.replace(".", "_").upper() for path, _ in walk()}
    text = (DEPLOY / "compose.yaml").read_text("utf-8") + (DEPLOY / "Dockerfile").read_text("utf-8")
    assert set(re.findall(r"EMBERWATCH_[A-Z_]+", text)) <= known
