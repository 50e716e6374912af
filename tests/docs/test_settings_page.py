"""The page of settings is what the code says."""

from pathlib import Path

from emberwatch.settings import describe

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_every_setting_is_documented() -> None:
    """Run `python -m emberwatch.settings > docs/reference/settings.md` after adding one."""
    assert PAGE.read_text("utf-8") == describe()
