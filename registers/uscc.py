"""The unified social credit code (统一社会信用代码, GB 32100-2015) and its check character.

The formula was derived from the published rule and holds for the codes of well-known companies; the standard's own text
was not at hand.
"""

import re

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters: no I, O, S, V, Z, which are read as digits too easily."""
_SHAPE = re.compile(rf"[{_ALPHABET}]{{18}}")
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def check_character(body: str) -> str:
    """Return the eighteenth character that belongs to the first seventeen."""
    weighted = sum(_ALPHABET.index(char) * weight for char, weight in zip(body, _WEIGHTS, strict=True))
    return _ALPHABET[-weighted % 31]


def problem(code: str) -> str | None:
    """Return what is wrong with a code; None when it is sound."""
    if _SHAPE.fullmatch(code) is None:
        return "is not 18 characters of 0-9 A-Z without I, O, S, V, Z"
    if code[-1] != check_character(code[:-1]):
        return f"its check character should be {check_character(code[:-1])}"
    return None
