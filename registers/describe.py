"""The reference page of the registers, made from their types: `python -m registers.describe > docs/reference/registers.md`."""

import sys
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from registers.cells import bare
from registers.noun import Code, Noun, Text
from registers.nouns import NOUNS
from registers.words import VALUES, column_title

_INTRODUCTION = """\
# Registers

Made from the types in `registers/` by `python -m registers.describe`; a test keeps it equal.

A CSV file holds one register, named after it (`device.csv`), with a header row of the names or Chinese titles below in any order.

- Encoding: UTF-8 with or without BOM, or GB18030.
- A row is the whole entry: an empty cell or a missing column takes the default.
- Codes: 1-64 characters of `A-Z a-z 0-9 _ -`, but not `-` alone. Texts: up to 200 characters.
- Dates: `2026-01-31`, `2026/1/31` or `2026年1月31日`. Times: a date and `08:30`; China Standard Time unless an offset says other.
- Lists: separated by `;`, `、` or `,`. Yes or no: `yes` `no` `是` `否`. Listed values: the name or its Chinese word.
- Format columns of long numbers as text in a spreadsheet, or it shortens them to `4.1E+17` (refused with that reason).
- Files with a bad row import nothing unless asked for the good rows; every bad row is reported by line, column and reason.
- A reference must be in its register already: import in the order of this page.
- Personal columns leave masked (`138****1234`). A masked value that comes back unchanged keeps what the register holds.

Refused beyond the shape of a cell:

- a resident ID with a wrong check digit or birth date (GB 11643), or of a person under 18; a unified social credit code with a
  wrong check character (GB 32100); a certificate of the emergency family whose number is not T and a resident ID;
- level 2 not above level 1, limits out of order, or a set point beyond the full scale; an unknown measurand; a latitude without a
  longitude; a stop order that ends before it starts;
- a permit that ends before it starts, or holds longer than 8 h (special, first) or 72 h (second) (GB 30871-2022 5.1.5);
- a certificate that is valid, or due for review, before its day of issue.

Kept with a warning: set points above the bounds of GB/T 50493-2019 (25 and 50 %LEL; 100 and 200 % OEL), a permit that names no
welder, a review after the last valid day, an emergency certificate of more than 6 years.
"""
_PLAIN: dict[str, str] = {
    "str": "text",
    "float": "number",
    "int": "whole number",
    "bool": "yes or no",
    "date": "date",
    "datetime": "time",
}


def describe() -> str:
    """Return the page as Markdown."""
    return "\n".join([_INTRODUCTION, *(_register(cls) for cls in NOUNS.values())])


def _register(cls: type[Noun]) -> str:
    hints = get_type_hints(cls, include_extras=True)
    rows = [_row(cls, info, hints[info.name]) for info in msgspec.structs.fields(cls)]
    unique = [f"No two entries share their {' + '.join(f'`{name}`' for name in group)}.\n" for group in cls.unique]
    head = [f"## {cls.noun} {cls.title}\n", *unique]
    return "\n".join([*head, "| column | title | value | default | |", "|---|---|---|---|---|", *rows, ""])


def _row(cls: type[Noun], info: msgspec.structs.FieldInfo, hint: Any) -> str:
    cells = (f"`{info.name}`", column_title(cls, info.name), _value(hint), _default(info), _notes(cls, info.name))
    return f"| {' | '.join(cells)} |"


def _value(hint: Any) -> str:
    hint = bare(hint)
    if hint in (Code, Text):
        return "code" if hint == Code else "text"
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        return f"list of {_value(args[0])}"
    if origin is Literal:
        return " ".join(f"`{value}`" for value in args)
    if origin is Annotated:
        return f"{_value(args[0])}{_bounds(args[1])}"
    if issubclass(hint, StrEnum):
        return ", ".join(f"`{value}` {word}" for value, word in VALUES[hint].items())
    return _PLAIN[hint.__name__]


def _bounds(meta: msgspec.Meta) -> str:
    signs = (("ge", "≥"), ("gt", ">"), ("le", "≤"))
    told = [f"{sign} {getattr(meta, name)}" for name, sign in signs if getattr(meta, name) is not None]
    return f" ({', '.join(told)})" if told else ""


def _default(info: msgspec.structs.FieldInfo) -> str:
    if info.required:
        return "required"
    match info.default:
        case None:
            return ""
        case bool():
            return "yes" if info.default else "no"
        case tuple():
            return ";".join(info.default)
        case _:
            return str(info.default)


def _notes(cls: type[Noun], field: str) -> str:
    personal = ["personal"] if field in cls.private else []
    refers = [f"of [{noun}](#{noun}-{NOUNS[noun].title})" for noun in [cls.references.get(field)] if noun]
    return "; ".join(personal + refers)


if __name__ == "__main__":
    sys.stdout.write(describe())
