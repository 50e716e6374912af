"""Hot-work permits (动火作业票)."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from registers.noun import Code, Latitude, Longitude, Noun, Text

Instant = Annotated[dt.datetime, msgspec.Meta(tz=True)]
"""A point in time, with its UTC offset."""


class PermitLevel(StrEnum):
    """特级, 一级, 二级 (GB 30871-2022 5.1)."""

    SPECIAL = "special"
    FIRST = "first"
    SECOND = "second"


class PermitState(StrEnum):
    """Only `approved` allows work."""

    DRAFT = "draft"
    APPROVED = "approved"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class Permit(Noun, frozen=True, kw_only=True):
    """Permission for hot work at a place, by named welders (their codes), in `[starts_at, ends_at)` (with UTC offset)."""

    noun: ClassVar[str] = "permit"
    title: ClassVar[str] = "动火作业票"
    references: ClassVar[Mapping[str, str]] = {"site": "site", "welders": "welder"}
    code: Code
    site: Code
    level: PermitLevel
    starts_at: Instant
    ends_at: Instant
    welders: tuple[Code, ...] = ()
    guardian: Code | None = None
    work: Text | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    radius_m: Annotated[float, msgspec.Meta(gt=0)] | None = None
    state: PermitState = PermitState.APPROVED
