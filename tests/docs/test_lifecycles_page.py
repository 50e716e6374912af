"""The page of lifecycles is the tables."""

from pathlib import Path

from ledger.describe import describe

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "lifecycles.md"


def test_lifecycles_page_is_up_to_date() -> None:
    """`docs/reference/lifecycles.md` is what `ledger.describe.describe()` returns."""
    assert _PAGE.read_text() == describe()
