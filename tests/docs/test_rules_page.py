"""The rule book's page says what the catalogue says."""

from pathlib import Path

from detectors.describe import describe

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"


def test_the_page_is_what_the_catalogue_gives() -> None:
    """docs/reference/rules.md is up to date: python -m detectors.describe > docs/reference/rules.md."""
    assert PAGE.read_text(encoding="utf-8") == describe()
