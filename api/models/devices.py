"""Devices, sites and readings as the API shows them: register facts (never personal ones) beside the live state."""

from pydantic import Field

from api.models.base import DevicePathText, EpochMs, View
from domain.findings import Severity
from registers.place import RiskClass


class Reading(View):
    """The newest reading of one measurand; `at_ms` by the device's clock."""

    measurand: str = Field(examples=["ch4_lel"])
    title: str = Field(examples=["甲烷"])
    unit: str = Field(examples=["%LEL"])
    value: float = Field(examples=[3.2])
    at_ms: EpochMs


class Curve(View):
    """At most the asked number of points, each bucket's minimum and maximum kept; `total` readings stand behind it."""

    device: DevicePathText
    measurand: str = Field(examples=["ch4_lel"])
    title: str = Field(examples=["甲烷"])
    unit: str = Field(examples=["%LEL"])
    from_ms: EpochMs
    to_ms: EpochMs
    total: int
    time_ms: list[int]
    value: list[float]


class DeviceFacts(View):
    """What the registers say of a device path; every field but `path` is null for a device in no register."""

    path: DevicePathText
    registered: bool
    name: str | None = None
    kind: str | None = Field(default=None, examples=["gas"])
    model: str | None = None
    measurand: str | None = None
    level1: float | None = None
    level2: float | None = None
    set_point_basis: str | None = None
    in_service: bool | None = None
    site_name: str | None = None
    area_name: str | None = None
    enterprise: str | None = None
    enterprise_name: str | None = None
    risk: RiskClass | None = None
    lat: float | None = None
    lon: float | None = None


class DeviceState(DeviceFacts):
    """A device and how it is. `online`: null when never heard; `worst`: gravest severity among its open alarms."""

    online: bool | None
    open_alarms: int
    worst: Severity | None
    readings: tuple[Reading, ...] = ()


class DevicePage(View):
    """In path order; give `next_after` as `after` for the next page (null: this was the last)."""

    items: list[DeviceState]
    next_after: str | None


class SiteState(View):
    """A site on the map. `worst`: gravest severity among its open alarms, `active_alarms` of which still have their cause.

    `silent` devices are registered and not heard.
    """

    area: str
    site: str
    name: str | None
    area_name: str | None
    enterprise_name: str | None
    industry: str | None
    risk: RiskClass | None
    lat: float | None
    lon: float | None
    devices: int
    online: int
    silent: int
    open_alarms: int
    active_alarms: int
    worst: Severity | None
