"""From the text in a spreadsheet's cell to the value of a register's column.

Spreadsheets lie: they pad with spaces, type full width, write dates their own way and turn long numbers into 4.1E+17. What can
be understood is understood, the rest is refused with a reason.
"""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from registers.local_time import LOCAL
from registers.noun import Code, Noun
from registers.words import VALUES

_WIDE = {ord("　"): " "} | {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B) if chr(code - 0xFEE0).isalnum()}
"""Full-width letters, digits and space; full-width punctuation is at home in Chinese prose and stays."""
_DATE = re.compile(r"(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?")
_LIST = re.compile(r"[;；、,，]")
_GUARD = re.compile(r"'(?=['=+\-@])")
"""The apostrophe that keeps a spreadsheet from running a text as a formula."""
_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+\d+")
_T_NUMBER = re.compile(r"T?\d{17}[\dX]", re.IGNORECASE)
_YES = frozenset({"yes", "y", "true", "1", "是"})
_NO = frozenset({"no", "n", "false", "0", "否"})

Parse = Callable[[str], Any]


class CellError(Exception):
    """A cell that cannot be understood; the message is a reason that does not repeat the cell."""


@cache
def columns(cls: type[Noun]) -> dict[str, Parse]:
    """Return field → the function that reads its cells."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: _column(name, hints[name]) for name in cls.__struct_fields__}


def _column(name: str, hint: Any) -> Parse:
    """Return a reader that tidies, parses and then validates against the type with its bounds."""
    parse = _parser(hint)
    expected = bare(hint)
    capitals = _CAPITALS.get(name, str)

    def read(cell: str) -> Any:
        value = parse(capitals(tidy(cell)))
        try:
            return msgspec.convert(value, expected)
        except msgspec.ValidationError as error:
            raise CellError(_reason(expected, error)) from error

    return read


def tidy(cell: str) -> str:
    """Return the text that was meant: without padding, full width and guard."""
    text = (cell if cell.isascii() else cell.translate(_WIDE)).strip()
    return text[1:] if _GUARD.match(text) else text


def _t_number(number: str) -> str:
    """Return T-numbers and resident IDs in capitals; certificates of other families number as they like."""
    return number.upper() if _T_NUMBER.fullmatch(number) else number


_CAPITALS: dict[str, Callable[[str], str]] = {"uscc": str.upper, "id_number": str.upper, "number": _t_number}
"""Fields whose letters are capitals by their standards."""


def guarded(text: str) -> str:
    """Return the text so that a spreadsheet shows it and does not run it; reading a cell takes the guard off."""
    return f"'{text}" if text[:1] in "'=+-@" and text else text


def _reason(hint: Any, error: msgspec.ValidationError) -> str:
    if hint in (Code, tuple[Code, ...]):
        return "must be 1-64 characters of A-Z a-z 0-9 _ -"
    return str(error).replace("Expected", "must be").split(" - at ", maxsplit=1)[0]


def bare(hint: Any) -> Any:
    """Return the type without `| None`: an empty cell never comes here."""
    if get_origin(hint) in (Union, UnionType):
        return next(arg for arg in get_args(hint) if arg is not type(None))
    return hint


def _parser(hint: Any) -> Parse:
    hint = bare(hint)
    if get_origin(hint) is tuple:
        item = _parser(get_args(hint)[0])
        return lambda text: tuple(item(part.strip()) for part in _LIST.split(text) if part.strip())
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) is Literal:
        return str.lower
    if issubclass(hint, StrEnum):
        return lambda text: _listed(text, hint)
    return _PARSERS[hint]


def _text(text: str) -> str:
    if _SCIENTIFIC.fullmatch(text):
        raise CellError("a spreadsheet has shortened this number: format the column as text and enter it again")
    return text


def _listed(text: str, values: type[StrEnum]) -> str:
    by_word = {word: value for value, word in VALUES[values].items()}
    value = by_word.get(text, text.lower())
    if value not in VALUES[values]:
        raise CellError(f"must be one of {', '.join(VALUES[values])}")
    return value


def _yes_no(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise CellError("must be yes or no")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _integer(text: str) -> int:
    value = _number(text)
    if not value.is_integer():
        raise CellError("must be a whole number")
    return int(value)


def _number(text: str) -> float:
    try:
        value = float(_plain(text))
    except ValueError:
        raise CellError("must be a number") from None
    if not math.isfinite(value):
        raise CellError("must be a finite number")
    return value


def _date(text: str) -> dt.date:
    found = _DATE.fullmatch(_plain(text))
    if found is None:
        raise CellError("must be a date such as 2026-01-31")
    try:
        return dt.date(*map(int, found.groups()))
    except ValueError:
        raise CellError("is no day of the calendar") from None


def _instant(text: str) -> dt.datetime:
    """Return the time; without an offset it is China Standard Time."""
    text = _plain(text)
    found = _DATE.match(text)
    if found is None:
        raise CellError("must be a time such as 2026-01-31 08:30")
    clock = text[found.end() :].replace(" ", "").removeprefix("T")
    hour = "0" if clock[1:2] == ":" else ""
    try:
        at = dt.datetime.fromisoformat(f"{_date(found.group())}T{hour}{clock}")
    except ValueError:
        raise CellError("must be a time such as 2026-01-31 08:30") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=LOCAL)


_PARSERS: dict[type, Parse] = {
    str: _text,
    bool: _yes_no,
    int: _integer,
    float: _number,
    dt.date: _date,
    dt.datetime: _instant,
}
