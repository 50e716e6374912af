"""Masks of personal data, used at every exit: the API, exports, messages (domain-facts of PIPL practice: 138****1234).

A masked value that comes back unchanged, as in a spreadsheet that was exported, edited and imported again, means "as it was".
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from registers.noun import MASK, Noun


def mask_name(name: str) -> str:
    """Return the first character and one star: 张*."""
    return name[:1] + MASK


def mask_phone(phone: str) -> str:
    """Return the first three and last four digits: 138****1234."""
    return _keep(phone, 3, 4)


def mask_id(number: str) -> str:
    """Return the first three and last four characters of an ID or certificate number; of a T-number, T and the same."""
    if number.startswith("T"):
        return "T" + _keep(number[1:], 3, 4)
    return _keep(number, 3, 4)


def _keep(text: str, head: int, tail: int) -> str:
    hidden = len(text) - head - tail
    if hidden < head:  # too short to show both ends and still hide anything
        return MASK * len(text)
    return text[:head] + MASK * hidden + text[-tail:]


MASKS: dict[str, Callable[[str], str]] = {
    "name": mask_name,
    "contact": mask_name,
    "phone": mask_phone,
    "id_number": mask_id,
    "number": mask_id,
}
"""Private field → its mask."""


def masked_value(entry: type[Noun] | Noun, field: str, value: str) -> str:
    """Return the value as it may leave the house."""
    return MASKS[field](value) if field in entry.private else value


def masked(entry: Noun) -> dict[str, Any]:
    """Return the entry's fields as JSON-able values, private ones masked."""
    fields: dict[str, Any] = msgspec.to_builtins(entry)
    for name in entry.private:
        if fields[name] is not None:
            fields[name] = MASKS[name](fields[name])
    return fields


def unmasked(fields: Mapping[str, Any], kept: Noun) -> dict[str, Any]:
    """Return `fields` with each private value that is only the mask of what is kept replaced by what is kept."""
    whole = dict(fields)
    shown = masked(kept)
    for name in kept.private & whole.keys():
        if whole[name] is not None and whole[name] == shown[name]:
            whole[name] = getattr(kept, name)
    return whole
