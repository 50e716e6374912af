"""Where things stand and whose they are: areas (乡镇街道), enterprises and their sites."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from registers import uscc
from registers.noun import Code, Latitude, Longitude, Noun, Remarks, Text, half_a_place


class RiskClass(StrEnum):
    """Four-colour risk class of a site: 红 major, 橙 larger, 黄 general, 蓝 low."""

    MAJOR = "major"
    LARGER = "larger"
    GENERAL = "general"
    LOW = "low"

    @property
    def is_high(self) -> bool:
        """High-risk sites: silence of their detectors is itself grave (无监控即违规)."""
        return self in (RiskClass.MAJOR, RiskClass.LARGER)


class Area(Noun, frozen=True, kw_only=True):
    """A street or township of the district; its code is the first level of a topic."""

    noun: ClassVar[str] = "area"
    title: ClassVar[str] = "乡镇街道"
    code: Code
    name: Text


class Enterprise(Noun, frozen=True, kw_only=True):
    """A legal unit. `uscc`: 统一社会信用代码, 18 characters (GB 32100). `contact` and `phone` are of its 主要负责人.

    `safe_kw`: the electric load, all meters together, that its permitted output needs at most.
    """

    noun: ClassVar[str] = "enterprise"
    title: ClassVar[str] = "企业"
    private: ClassVar[frozenset[str]] = frozenset({"contact", "phone"})
    code: Code
    name: Text
    industry: Text
    uscc: Text | None = None
    contact: Text | None = None
    phone: Text | None = None
    safe_kw: Annotated[float, msgspec.Meta(gt=0)] | None = None

    def problems(self) -> Remarks:
        wrong = self.uscc and uscc.problem(self.uscc)
        return [("uscc", wrong)] if wrong else []


class Site(Noun, frozen=True, kw_only=True):
    """A place of an enterprise; its code is the second level of a topic. WGS-84 degrees."""

    noun: ClassVar[str] = "site"
    title: ClassVar[str] = "场所"
    references: ClassVar[Mapping[str, str]] = {"area": "area", "enterprise": "enterprise"}
    code: Code
    name: Text
    area: Code
    enterprise: Code | None = None
    industry: Text | None = None
    risk: RiskClass = RiskClass.GENERAL
    lat: Latitude | None = None
    lon: Longitude | None = None

    def problems(self) -> Remarks:
        return half_a_place(self.lat, self.lon)
