"""Welding machines with their chip and code (加芯赋码)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Literal

from registers.noun import Code, Noun, Seconds, Text


class Process(StrEnum):
    """Welding process, by the names of ISO 4063 practice; it sets the load line U = a + b·I (GB/T 15579.1)."""

    MMA = "mma"
    TIG = "tig"
    MAG = "mag"
    RESISTANCE = "resistance"
    GAS = "gas"


class Machine(Noun, frozen=True, kw_only=True):
    """One coded machine. `code` is the code on the machine; `chip` is the device name its chip speaks under on the wire.

    `measures`: `secondary` (arc current and voltage) or `mains` (supply current only).
    `interval_s`: longest time between two reports while powered.
    """

    noun: ClassVar[str] = "machine"
    title: ClassVar[str] = "焊机"
    references: ClassVar[Mapping[str, str]] = {"enterprise": "enterprise"}
    unique: ClassVar[tuple[tuple[str, ...], ...]] = (("chip",),)
    code: Code
    chip: Code
    enterprise: Code | None = None
    name: Text | None = None
    process: Process = Process.MMA
    measures: Literal["secondary", "mains"] = "secondary"
    interval_s: Seconds = 60
    in_service: bool = True
