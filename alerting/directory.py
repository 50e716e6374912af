"""What the registers say about a notice: who is on duty, what the place is called, what kind of device speaks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from domain.errors import NotFoundError
from domain.places import ALL
from ledger.words import WHOLE
from registers.device import Device, DeviceKind, DeviceModel
from registers.inspector import Inspector
from registers.noun import Noun
from registers.place import Area, Site
from registers.store import Registers

_T = TypeVar("_T", bound=Noun)
_BY_RULE = {
    "G": DeviceKind.GAS,
    "F": DeviceKind.FIRE,
    "W": DeviceKind.WELDING,
    "P": DeviceKind.ELECTRIC,
    "S": DeviceKind.PROCESS,
}
"""What a rule family watches, for devices that no register knows."""
_PAGE = 1_000


class Place(NamedTuple):
    """Where something is: area code, names for people, and the kind of its device (None: not known)."""

    area: str
    area_name: str
    site_name: str
    device_name: str
    kind: DeviceKind | None


@dataclass(frozen=True, slots=True)
class Directory:
    """Reads the registers (blocking), each entry once; what is in no register is called by its code."""

    registers: Registers
    _known: dict[tuple[str, str], Noun | None] = field(default_factory=dict)
    _everybody: list[Inspector] = field(default_factory=list)

    def inspectors(self) -> list[Inspector]:
        """Return everybody, by code."""
        if not self._everybody:
            self._everybody.extend(self._read_everybody())
        return self._everybody

    def _read_everybody(self) -> list[Inspector]:
        found: list[Noun] = []
        while page := self.registers.find("inspector", limit=_PAGE, after=found[-1].key if found else ""):
            found += page
            if len(page) < _PAGE:
                break
        return [row for row in found if isinstance(row, Inspector)]

    def place(self, body: Mapping[str, Any]) -> Place:
        """Return where the alarm or hazard of a notice is."""
        area, site = self._get(Area, body["area"]), self._get(Site, body["site"])
        code = str(body.get("device") or "").rpartition("/")[2]
        device = self._get(Device, code) if code else None
        return Place(
            area=body["area"],
            area_name=area.name if area else body["area"],
            site_name=WHOLE["site"] if body["site"] == ALL else site.name if site else body["site"],
            device_name=WHOLE["device"] if code == ALL else (device.name if device else None) or code,
            kind=self._kind(device, body.get("rule")),
        )

    def _kind(self, device: Device | None, rule: str | None) -> DeviceKind | None:
        model = self._get(DeviceModel, device.model) if device else None
        return model.kind if model else _BY_RULE.get((rule or "")[:1])

    def _get(self, cls: type[_T], key: str) -> _T | None:
        if (cls.noun, key) not in self._known:
            self._known[cls.noun, key] = self._read(cls.noun, key)
        entry = self._known[cls.noun, key]
        return entry if isinstance(entry, cls) else None

    def _read(self, noun: str, key: str) -> Noun | None:
        try:
            return self.registers.get(noun, key)
        except NotFoundError:
            return None
