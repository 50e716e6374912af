"""The registers' reference page says what the types say."""

from pathlib import Path

from registers.describe import describe
from registers.nouns import NOUNS

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "registers.md"


def test_page_is_what_the_types_say() -> None:
    """A changed register without a changed page fails; `python -m registers.describe > docs/reference/registers.md` mends it."""
    assert _PAGE.read_text(encoding="utf-8") == describe()


def test_every_register_and_column_is_on_the_page() -> None:
    """No register and no field is left out."""
    page = describe()
    for noun, cls in NOUNS.items():
        section = page.split(f"\n## {noun} ")[1].split("\n## ")[0]
        assert [f"`{name}`" in section for name in cls.__struct_fields__] == [True] * len(cls.__struct_fields__)
