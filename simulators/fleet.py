"""Many ordinary gas detectors at once, for load: their behaviour on the wire and the registers they belong to."""

from typing import Annotated, ClassVar

import msgspec

from registers.device import Device, DeviceKind, DeviceModel
from registers.noun import Code, Noun
from registers.place import Area, Site
from simulators.gasroom import GasDetector

_PER_SITE = 100


class Fleet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`count` methane detectors in `area`, 100 to a site, each reporting every `interval_s` seconds."""

    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    interval_s: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    area: Code = "fleet"
    model: ClassVar[str] = "SIM-FLEET"

    def site(self, index: int) -> str:
        """Return the site of detector `index`."""
        return f"{self.area}-{index // _PER_SITE:04}"

    def code(self, index: int) -> str:
        """Return the code of detector `index`."""
        return f"{self.area}-gas-{index:06}"

    def detectors(self) -> list[GasDetector]:
        """Return the detectors' behaviour."""
        paths = (f"{self.area}/{self.site(i)}/{self.code(i)}" for i in range(self.count))
        return [GasDetector(path, "ch4_lel", self.interval_s, 25.0, 50.0) for path in paths]

    def registers(self) -> dict[str, list[Noun]]:
        """Return register entries by noun, in an order in which references come first."""
        model = DeviceModel(
            code=self.model,
            name="模拟甲烷探测器",
            kind=DeviceKind.GAS,
            measurand="ch4_lel",
            level1=25.0,
            level2=50.0,
            interval_s=max(1, round(self.interval_s)),
        )
        sites = [
            Site(code=self.site(i), name=f"模拟场所{i // _PER_SITE}", area=self.area)
            for i in range(0, self.count, _PER_SITE)
        ]
        devices = [Device(code=self.code(i), site=self.site(i), model=self.model) for i in range(self.count)]
        area = Area(code=self.area, name="模拟片区")
        return {"area": [area], "site": [*sites], "model": [model], "device": [*devices]}
