"""Detectors in the field: models (what a make can do) and devices (one of them, somewhere)."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from registers.noun import Code, Latitude, Longitude, Noun, Text

Positive = Annotated[float, msgspec.Meta(gt=0)]


class DeviceKind(StrEnum):
    """What a device watches."""

    GAS = "gas"
    FIRE = "fire"
    WELDING = "welding"
    ELECTRIC = "electric"
    PROCESS = "process"


class DeviceModel(Noun, frozen=True, kw_only=True):
    """A make and type. Set points are in the unit of `measurand`; None takes the rule's default.

    `lel_vol`: %VOL that this make calls 100 %LEL (two conventions exist, domain-facts 1.3), with `lel_basis`.
    `interval_s`: longest time between two reports; `life_years`: service life; `full_scale`: end of the range.
    """

    noun: ClassVar[str] = "model"
    title: ClassVar[str] = "设备型号"
    code: Code
    name: Text
    kind: DeviceKind
    measurand: str | None = None
    gas: str | None = None
    lel_vol: Positive | None = None
    lel_basis: str | None = None
    level1: Positive | None = None
    level2: Positive | None = None
    set_point_basis: str | None = None
    full_scale: Positive | None = None
    interval_s: Annotated[int, msgspec.Meta(ge=1, le=604_800)] = 60
    life_years: Positive | None = None


class Device(Noun, frozen=True, kw_only=True):
    """One detector; `code` is the third level of its topic. `level1`/`level2` override the model's set points."""

    noun: ClassVar[str] = "device"
    title: ClassVar[str] = "监测设备"
    references: ClassVar[Mapping[str, str]] = {"site": "site", "model": "model"}
    code: Code
    site: Code
    model: Code
    name: Text | None = None
    level1: Positive | None = None
    level2: Positive | None = None
    set_point_basis: str | None = None
    installed_on: dt.date | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    in_service: bool = True
