"""Hot-work permits (动火作业票)."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from registers.noun import Code, Latitude, Longitude, Noun, Remarks, Text, half_a_place

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


LONGEST: dict[PermitLevel, dt.timedelta] = {
    PermitLevel.SPECIAL: dt.timedelta(hours=8),
    PermitLevel.FIRST: dt.timedelta(hours=8),
    PermitLevel.SECOND: dt.timedelta(hours=72),
}
"""How long a permit may hold (GB 30871-2022 5.1.5)."""

_YEARS = range(2000, 2101)
"""Years a permit may name: another is a slip of the pen, and some cannot be told in local time."""


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

    def problems(self) -> Remarks:
        found = half_a_place(self.lat, self.lon)
        if self.radius_m is not None and self.lat is None:
            found.append(("radius_m", "a radius without a place around which it lies"))
        for column, at in (("starts_at", self.starts_at), ("ends_at", self.ends_at)):
            if at.year not in _YEARS:
                found.append((column, f"the year {at.year} is none in which a permit is written"))
        if self.ends_at <= self.starts_at:
            found.append(("ends_at", "ends before it starts"))
        elif self.ends_at - self.starts_at > LONGEST[self.level]:
            hours = LONGEST[self.level] // dt.timedelta(hours=1)
            found.append(("ends_at", f"a permit of level '{self.level}' holds {hours} h at most (GB 30871-2022 5.1.5)"))
        return found

    def warnings(self) -> Remarks:
        return [] if self.welders else [("welders", "names no welder: nobody may work under it")]
