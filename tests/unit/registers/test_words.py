"""Every column and every listed value has its Chinese word, and words are not ambiguous."""

from enum import StrEnum
from typing import Any, get_args, get_type_hints

import pytest

from registers.cells import bare
from registers.nouns import NOUNS
from registers.words import VALUES, column_title


@pytest.mark.parametrize("noun", NOUNS)
def test_titles_of_one_register_differ(noun: str) -> None:
    """A spreadsheet's Chinese header names each column of the register, and only one."""
    cls = NOUNS[noun]
    titles = [column_title(cls, name) for name in cls.__struct_fields__]
    assert len(set(titles)) == len(titles)


def _listed(hint: Any) -> list[type[StrEnum]]:
    kinds = [bare(hint), *get_args(bare(hint))]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, StrEnum)]


def test_every_listed_type_has_words() -> None:
    """All enumerations that registers use, all their values, no word twice."""
    used = {kind for cls in NOUNS.values() for hint in get_type_hints(cls).values() for kind in _listed(hint)}
    assert used == VALUES.keys()
    for kind, words in VALUES.items():
        assert list(words) == list(kind)
        assert len(set(words.values())) == len(words)
