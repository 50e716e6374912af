"""A change of a register as it travels through the journal: only what detectors need, and nothing personal."""

from typing import Any

import msgspec


class RegisterChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """Row `key` of register `noun` is now `row` (None: withdrawn). `id` grows by one stream of changes, without repeats.

    `row` is the register's public projection: never a name, an ID number, a certificate number or a telephone.
    """

    id: int
    noun: str
    key: str
    row: dict[str, Any] | None = None
