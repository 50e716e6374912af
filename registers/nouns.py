"""The list of registers, and the one way to build an entry from untrusted fields."""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.errors import InputError
from registers.ban import Ban
from registers.device import Device, DeviceModel
from registers.inspector import Inspector
from registers.machine import Machine
from registers.noun import MASK, Noun, Remarks
from registers.permit import Permit
from registers.person import Certificate, Welder
from registers.place import Area, Enterprise, Site
from registers.stop_order import StopOrder

NOUNS: dict[str, type[Noun]] = {
    cls.noun: cls
    for cls in (
        *(Area, Enterprise, Site, DeviceModel, Device, Machine),
        *(Welder, Certificate, Permit, Inspector, StopOrder, Ban),
    )
}
"""Every register by name, in an order in which each one's references come before it."""


def build(noun: str, fields: Mapping[str, Any]) -> Noun:
    """Return the entry; raise InputError with the field and reason when shape or rules are broken."""
    if noun not in NOUNS:
        raise InputError(f"no register '{noun}' (known: {', '.join(NOUNS)})")
    try:
        entry = msgspec.convert(dict(fields), NOUNS[noun], strict=True)
    except msgspec.ValidationError as error:
        raise InputError(f"{noun}: {error}") from error
    problems = broken_rules(entry)
    if problems:
        raise InputError("; ".join(f"{noun} {entry.key}: {column}: {reason}" for column, reason in problems))
    return entry


def broken_rules(entry: Noun) -> Remarks:
    """Return the entry's own problems, and each private field that holds a mask where a real value belongs."""
    private = ((name, getattr(entry, name)) for name in sorted(entry.private))
    masks = [
        (name, "is masked: give the whole value, or leave it as it was")
        for name, value in private
        if MASK in (value or "")
    ]
    hidden = {name for name, _ in masks}
    return masks + [(column, reason) for column, reason in entry.problems() if column not in hidden]
