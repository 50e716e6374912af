"""Unified social credit codes: the check character finds slips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registers import uscc

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_bodies = st.text(_ALPHABET, min_size=17, max_size=17)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000802100433B", "9144030071526726XG"])
def test_known_codes_are_sound(code: str) -> None:
    """The example that circulates with the standard and two published codes of companies pass."""
    assert uscc.problem(code) is None


@given(_bodies, st.integers(0, 16), st.integers(1, 30))
def test_one_wrong_character_is_found(body: str, place: int, shift: int) -> None:
    """A slip in any one character never passes."""
    code = body + uscc.check_character(body)
    wrong = _ALPHABET[(_ALPHABET.index(body[place]) + shift) % 31]
    assert uscc.problem(code) is None
    assert uscc.problem(code[:place] + wrong + code[place + 1 :]) is not None


@pytest.mark.parametrize(
    "code", ["", "91350100M000100Y4", "91350100M000100Y430", "9135O100M000100Y43", "91350100m000100y43"]
)
def test_other_shapes_are_refused(code: str) -> None:
    """Length, look-alike letters and small letters are told as what they are."""
    assert "18 characters" in str(uscc.problem(code))
