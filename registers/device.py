"""Detectors in the field: models (what a make can do) and devices (one of them, somewhere)."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, ClassVar

import msgspec

from domain import measurands
from registers.noun import Code, Latitude, Longitude, Noun, Remarks, Seconds, Text, half_a_place

Positive = Annotated[float, msgspec.Meta(gt=0)]


_LEL_BOUNDS = (25.0, 50.0)
"""Highest level-1 and level-2 set points of combustible gas, %LEL (GB/T 50493-2019)."""
_METHANE_LEL_VOL = 5.0
"""100 %LEL of methane in %VOL where a model does not say (GB/T 50493 appendix A)."""
_PPM_PER_VOL = 10_000
_LONGEST_LIFE = 100
"""Service life in years beyond which a row is a slip of the pen."""
_PPM_BOUNDS: dict[str, tuple[float, float]] = {
    "co_ppm": (17.2, 34.4),
    "h2s_ppm": (7.1, 14.1),
    "nh3_ppm": (28.3, 56.5),
    "cl2_ppm": (0.34, 0.68),
}
"""Highest level-1 and level-2 set points at a workplace: 100 % and 200 % OEL (GB/T 50493-2019), in ppm at 20 °C."""


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
    `low_low` … `high_high`: the limits of a process quantity, in the same unit; a side left empty is not watched.
    `interval_s`: longest time between two reports; `life_years`: service life; `full_scale`: end of the range.
    """

    noun: ClassVar[str] = "model"
    title: ClassVar[str] = "设备型号"
    code: Code
    name: Text
    kind: DeviceKind
    measurand: Text | None = None
    gas: Text | None = None
    lel_vol: Positive | None = None
    lel_basis: Text | None = None
    level1: Positive | None = None
    level2: Positive | None = None
    low_low: float | None = None
    low: float | None = None
    high: float | None = None
    high_high: float | None = None
    set_point_basis: Text | None = None
    full_scale: Positive | None = None
    interval_s: Seconds = 60
    life_years: Positive | None = None

    def problems(self) -> Remarks:
        found = _disorder(self)
        if self.measurand is not None and self.measurand not in measurands.BY_NAME:
            found.append(("measurand", f"'{self.measurand[:64]}' is no measurand"))
        if self.life_years is not None and self.life_years > _LONGEST_LIFE:
            found.append(("life_years", f"nothing is good for more than {_LONGEST_LIFE} years"))
        for column, level in (("level1", self.level1), ("level2", self.level2)):
            if level is not None and self.full_scale is not None and level > self.full_scale:
                found.append(
                    (column, f"{level:g} lies beyond the full scale {self.full_scale:g} and would never alarm")
                )
        return found

    def warnings(self) -> Remarks:
        bounds = self._bounds()
        if bounds is None:
            return []
        levels = (("level1", self.level1), ("level2", self.level2))
        return [
            (column, f"{level:g} lies above the bound {bound:g} of a workplace (GB/T 50493-2019)")
            for (column, level), bound in zip(levels, bounds, strict=True)
            if level is not None and level > bound
        ]

    def _bounds(self) -> tuple[float, float] | None:
        """Return the highest set points in the unit of the measurand."""
        measurand = measurands.BY_NAME.get(self.measurand or "")
        if measurand is None or measurand.family is not measurands.Family.COMBUSTIBLE:
            return _PPM_BOUNDS.get(self.measurand or "")
        if measurand.unit == "%LEL":
            return _LEL_BOUNDS
        ppm = (self.lel_vol or _METHANE_LEL_VOL) * _PPM_PER_VOL / 100
        return _LEL_BOUNDS[0] * ppm, _LEL_BOUNDS[1] * ppm


class Device(Noun, frozen=True, kw_only=True):
    """One detector; `code` is the third level of its topic. Set points and limits override the model's.

    `calibration_due`: the last day on which its calibration holds.
    """

    noun: ClassVar[str] = "device"
    title: ClassVar[str] = "监测设备"
    references: ClassVar[Mapping[str, str]] = {"site": "site", "model": "model"}
    code: Code
    site: Code
    model: Code
    name: Text | None = None
    level1: Positive | None = None
    level2: Positive | None = None
    low_low: float | None = None
    low: float | None = None
    high: float | None = None
    high_high: float | None = None
    set_point_basis: Text | None = None
    installed_on: dt.date | None = None
    calibration_due: dt.date | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    in_service: bool = True

    def problems(self) -> Remarks:
        return _disorder(self) + half_a_place(self.lat, self.lon)


LIMITS = ("low_low", "low", "high", "high_high")
"""The limits of a process quantity, in ascending order."""


def _disorder(owner: DeviceModel | Device) -> Remarks:
    """Return the set points and limits that do not lie above the ones before them."""
    found: Remarks = []
    if owner.level1 is not None and owner.level2 is not None and owner.level1 >= owner.level2:
        found.append(("level2", "is not above level 1"))
    given = [(name, value) for name in LIMITS if (value := getattr(owner, name)) is not None]
    for (below, lower), (above, higher) in pairwise(given):
        if lower >= higher:
            found.append((above, f"is not above {below}"))
    return found
