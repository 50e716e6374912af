"""The page of metrics lists what a scrape gives."""

import re
from pathlib import Path

from emberwatch.metrics import Reading, build_registry
from ledger.books import Counts

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "metrics.md").read_text("utf-8")
READING = Reading(Counts(), 0, 0, 0, 0, 0, connected=True, history_queued=0, history_healthy=True)


def test_every_metric_is_on_the_page_as_it_is_exposed() -> None:
    """Name, type and meaning of each family, in the order of a scrape, and no others."""
    families = list(build_registry(lambda: READING).collect())
    exposed = [(f.name + "_total" * (f.type == "counter"), f.type, f.documentation) for f in families]
    assert re.findall(r"^\| `(\w+)` \| (\w+) \|[^|]*\| (.*) \|$", PAGE, re.MULTILINE) == exposed
