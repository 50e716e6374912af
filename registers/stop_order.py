"""Orders to stop production (责令停产停业): who must stand still, from when to when, and what may go on drawing power."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from registers.noun import Code, Noun, Remarks, Text
from registers.permit import Instant


class StopOrder(Noun, frozen=True, kw_only=True):
    """An enterprise must not produce in `[starts_at, ends_at)`; without `ends_at`, until the order is withdrawn.

    `base_kw`: the load it may still draw, all meters together: lighting, pumps, cold stores.
    """

    noun: ClassVar[str] = "stop_order"
    title: ClassVar[str] = "停产指令"
    references: ClassVar[Mapping[str, str]] = {"enterprise": "enterprise"}
    code: Code
    enterprise: Code
    starts_at: Instant
    ends_at: Instant | None = None
    base_kw: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    reason: Text | None = None

    def problems(self) -> Remarks:
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            return [("ends_at", "ends before it starts")]
        return []

    def holds(self, at: dt.datetime) -> bool:
        """Tell whether production is forbidden at this time."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)
