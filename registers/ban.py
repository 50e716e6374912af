"""Where and when hot work is forbidden: crowded places in their business hours, filling stations, days of great fire danger."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from registers.local_time import LOCAL
from registers.noun import Code, Noun, Remarks, Text
from registers.permit import Instant

Hour = Annotated[float, msgspec.Meta(ge=0, le=24)]
"""Hour of the local day; 9.5 is half past nine."""


class Ban(Noun, frozen=True, kw_only=True):
    """No hot work at a site, in an area, or (neither given) anywhere in the district.

    In `[starts_at, ends_at)`, either end left out: without end. With hours only within `[from_h, to_h)` of each local day,
    across midnight when `from_h` is the later.
    """

    noun: ClassVar[str] = "ban"
    title: ClassVar[str] = "动火禁令"
    references: ClassVar[Mapping[str, str]] = {"area": "area", "site": "site"}
    code: Code
    reason: Text
    area: Code | None = None
    site: Code | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    from_h: Hour | None = None
    to_h: Hour | None = None

    def problems(self) -> Remarks:
        found = []
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            found.append(("ends_at", "ends before it starts"))
        if (self.from_h is None) != (self.to_h is None):
            found.append(("to_h", "hours need a beginning and an end"))
        elif self.from_h is not None and self.from_h == self.to_h:
            found.append(("to_h", "the hours are none; leave both out for the whole day"))
        return found

    def covers(self, area: str, site: str) -> bool:
        """Tell whether the place lies in what it forbids."""
        return self.area in (None, area) and self.site in (None, site)

    def holds(self, at: dt.datetime) -> bool:
        """Tell whether it forbids work at this time."""
        begun = self.starts_at is None or self.starts_at <= at
        return begun and (self.ends_at is None or at < self.ends_at) and self._hours_hold(at.astimezone(LOCAL))

    def _hours_hold(self, local: dt.datetime) -> bool:
        if self.from_h is None or self.to_h is None:
            return True
        hour = local.hour + local.minute / 60 + local.second / 3600
        if self.from_h < self.to_h:
            return self.from_h <= hour < self.to_h
        return hour >= self.from_h or hour < self.to_h
