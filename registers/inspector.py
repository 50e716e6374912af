"""Inspectors: whom an alarm reaches."""

from collections.abc import Mapping
from typing import ClassVar

from registers.device import DeviceKind
from registers.noun import Code, Noun, Text


class Inspector(Noun, frozen=True, kw_only=True):
    """A person on duty. Empty `areas` or `kinds` means all; `channels` in order of preference (e.g. `file`)."""

    noun: ClassVar[str] = "inspector"
    title: ClassVar[str] = "监管人员"
    private: ClassVar[frozenset[str]] = frozenset({"name", "phone"})
    references: ClassVar[Mapping[str, str]] = {"areas": "area"}
    code: Code
    name: Text
    phone: Text | None = None
    areas: tuple[Code, ...] = ()
    kinds: tuple[DeviceKind, ...] = ()
    channels: tuple[Code, ...] = ("file",)
