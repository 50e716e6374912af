"""The district that detection is measured on: sites that all have the same devices, welders of every kind, and their registers.

Twenty detectors and three welding machines a site, a kilometre between sites; every second site has kitchens, where there is
frying, and the others are works, where there is welding day by day. Each site has welders of its own, one in order
and one for each thing that can be wrong with a certificate.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from registers.device import Device, DeviceKind, DeviceModel
from registers.machine import Machine
from registers.noun import Noun
from registers.permit import Permit, PermitLevel
from registers.person import Certificate, CertificateState, Family, Welder
from registers.place import Area, Enterprise, Site
from simulators.device import Behaviour
from simulators.fire import FireDetector
from simulators.gasroom import GasDetector
from simulators.transmitter import Transmitter
from simulators.welder import WeldingMachine

AREA = "town"
SAFE_KW = 120.0
_REST_S, _METER_S, _BRISK_S, _WELD_S = 600, 300, 10, 5
_YEAR = dt.timedelta(days=365)
_PERMIT_H = dt.timedelta(hours=4)


class Make(NamedTuple):
    """A model of the town, how many of it each site has, its set points or limits."""

    measurand: str
    kind: DeviceKind
    each: int
    limits: dict[str, Any]


MAKES: dict[str, Make] = {
    "ch4": Make("ch4_lel", DeviceKind.GAS, 6, {"level1": 25, "level2": 50, "full_scale": 100}),
    "co": Make("co_ppm", DeviceKind.GAS, 2, {"level1": 17.2, "level2": 34.4, "full_scale": 500}),
    "o2": Make("o2_vol", DeviceKind.GAS, 1, {"full_scale": 30}),
    "smoke": Make("smoke_dbm", DeviceKind.FIRE, 3, {}),
    "heat": Make("temp_c", DeviceKind.FIRE, 1, {}),
    "multi": Make("co_ppm", DeviceKind.FIRE, 1, {}),
    "power": Make("power_kw", DeviceKind.ELECTRIC, 1, {}),
    "residual": Make("residual_ma", DeviceKind.ELECTRIC, 1, {}),
    "cable": Make("temp_c", DeviceKind.ELECTRIC, 1, {}),
    "level": Make("level_pct", DeviceKind.PROCESS, 1, {"low_low": 5, "low": 10, "high": 85, "high_high": 90}),
    "hopper": Make("hopper_temp_c", DeviceKind.PROCESS, 1, {}),
    "dp": Make("dp_pa", DeviceKind.PROCESS, 1, {}),
}
CHIPS = ("chip-1", "chip-2", "chip-3")
"""Welding machines of a site; once told to lock, the third stays locked."""
PER_SITE = sum(make.each for make in MAKES.values())
FUSION, _PRESSURE = "熔化焊接与热切割作业", "压力焊作业"
# What is wrong with a welder's certificate → its item, and the days from today to its end.
# `unlisted` is on no permit, `late` only on such as have ended.
WELDERS: dict[str, tuple[str, int]] = {
    "good": (FUSION, 1000),
    "second": (FUSION, 1000),
    "unlisted": (FUSION, 1000),
    "expired": (FUSION, -30),
    "wrong": (_PRESSURE, 1000),
    "late": (FUSION, 1000),
    "none": ("", 0),
}
LISTED = tuple(kind for kind in WELDERS if kind not in ("unlisted", "late"))


class Plot(NamedTuple):
    """One site and what stands on it."""

    number: int

    @property
    def site(self) -> str:
        return f"s{self.number:04}"

    @property
    def enterprise(self) -> str:
        return f"e{self.number:04}"

    @property
    def is_kitchen(self) -> bool:
        return self.number % 2 == 1

    @property
    def place(self) -> tuple[float, float]:
        """Latitude and longitude."""
        return 33.7 + 0.01 * (self.number % 20), 113.2 + 0.01 * (self.number // 20)

    def path(self, name: str) -> str:
        """Return the path of a device or chip by its short name, e.g. `ch4-1`."""
        return f"{AREA}/{self.site}/{self.site}-{name}"

    def welder(self, kind: str) -> str:
        return f"W-{self.site}-{kind}"

    def credential(self, kind: str) -> str:
        return f"C-{self.site}-{kind}"

    def detectors(self) -> Iterator[tuple[str, Make]]:
        """Yield every detector's short name and make."""
        for name, make in MAKES.items():
            for i in range(make.each):
                yield f"{name}-{i + 1}", make

    def behaviours(self) -> Iterator[Behaviour]:
        """Yield everything that speaks by itself."""
        for name, make in self.detectors():
            yield _behaviour(self.path(name), make)
        for chip in CHIPS:
            yield machine(self.path(chip))

    def entries(self, today: dt.date) -> Iterator[Noun]:
        """Yield the site's entries, what is referred to first."""
        lat, lon = self.place
        yield Enterprise(code=self.enterprise, name=self.enterprise, industry="工贸", safe_kw=SAFE_KW)
        yield Site(code=self.site, name=self.site, area=AREA, enterprise=self.enterprise, lat=lat, lon=lon)
        for name, _ in self.detectors():
            code, model = f"{self.site}-{name}", name.partition("-")[0]
            yield Device(code=code, site=self.site, model=model, installed_on=today - _YEAR, lat=lat, lon=lon)
        for chip in CHIPS:
            yield Machine(code=f"M-{self.site}-{chip}", chip=f"{self.site}-{chip}", enterprise=self.enterprise)
        for kind, (item, days) in WELDERS.items():
            yield from self.person(kind, item, today, days)

    def person(self, kind: str, item: str, today: dt.date, days: int) -> Iterator[Noun]:
        """Yield a welder and, unless there is no item, a certificate that ends so many days after a day."""
        yield Welder(code=self.welder(kind), name="焊工", credential=self.credential(kind))
        if item:
            yield self._certificate(kind, item, today, days)

    def _certificate(self, kind: str, item: str, today: dt.date, days: int) -> Certificate:
        return Certificate(
            code=f"T-{self.site}-{kind}",
            welder=self.welder(kind),
            number="-",
            family=Family.EMERGENCY,
            category="焊接与热切割作业",
            item=item,
            issued_on=today - 3 * _YEAR,
            valid_until=today + dt.timedelta(days=days),
            state=CertificateState.VALID,
        )

    def permit(
        self, code: str, at: dt.datetime, *, lasts: dt.timedelta = _PERMIT_H, who: Collection[str] = LISTED
    ) -> Permit:
        """Return a permit of the highest level around an instant for these welders of the site."""
        lat, lon = self.place
        return Permit(
            code=f"P-{self.site}-{code}",
            site=self.site,
            level=PermitLevel.SPECIAL,
            starts_at=at - dt.timedelta(hours=1),
            ends_at=at + lasts,
            welders=tuple(self.welder(kind) for kind in who),
            guardian="G01",
            lat=lat,
            lon=lon,
            radius_m=100.0,
        )


def models() -> Iterator[Noun]:
    """Yield what all sites share."""
    yield Area(code=AREA, name=AREA)
    for code, make in MAKES.items():
        interval_s = _interval_s(make)
        yield DeviceModel(
            code=code, name=code, kind=make.kind, measurand=make.measurand, interval_s=interval_s, **make.limits
        )


def machine(path: str) -> Behaviour:
    """Return a welding machine that speaks under this path."""
    return WeldingMachine(path, interval_s=_WELD_S)


def _interval_s(make: Make) -> int:
    return _METER_S if make.kind is DeviceKind.ELECTRIC else _REST_S


def _behaviour(path: str, make: Make) -> Behaviour:
    interval_s = _interval_s(make)
    if make.kind is DeviceKind.GAS:
        levels = make.limits.get("level1"), make.limits.get("level2")
        return GasDetector(path, make.measurand, interval_s, *levels, brisk_s=_BRISK_S)
    if make.kind is DeviceKind.FIRE:
        return FireDetector(path, make.measurand, interval_s, brisk_s=_BRISK_S)
    return Transmitter(path, make.measurand, interval_s, brisk_s=_BRISK_S)
