"""The registers as screens need them: in memory, free of personal data, brought up to date before each look.

It is the detectors' own RegisterView, fed from the store's changes, so 100,000 devices cost one small query a look.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.models.devices import DeviceFacts
from domain.places import DevicePath
from registers.device import Device
from registers.place import Site
from registers.store import Registers
from registers.view import RegisterView

_PAGE = 1000


class Directory:
    """Looks up the facts of paths; look inside `reading()`, which holds the picture still."""

    def __init__(self, registers: Registers) -> None:
        self._registers = registers
        self._view = RegisterView()
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[RegisterView]:
        """Give the view as of now; raise EngineError when the store fails."""
        with self._lock:
            while changes := self._registers.changes(self._view.last_id, _PAGE):
                self._view.apply(changes)
            yield self._view


def path_of(view: RegisterView, device: Device) -> str | None:
    """Return the path a registered device speaks under (None while its site is in no register)."""
    site = view.site(device.site)
    return f"{site.area}/{site.code}/{device.code}" if site is not None else None


def facts(view: RegisterView, path: str) -> DeviceFacts:
    """Return what the registers say of a path; a machine is found by its chip, at whatever site it stands."""
    place = DevicePath.parse(path)
    site = view.site(place.site)
    about = _site_facts(view, site) if site is not None and site.area == place.area else {}
    device = view.device(place.device)
    if device is not None and device.site == place.site:
        return DeviceFacts.model_validate({"path": path, **about, **_device_facts(view, device)})
    machine = view.machine(place.device)
    if machine is None:
        return DeviceFacts.model_validate({"path": path, "registered": False, **about})
    owner = view.enterprise(machine.enterprise)
    return DeviceFacts.model_validate(
        {
            "path": path,
            **about,
            "registered": True,
            "name": machine.name or machine.code,
            "kind": "welding",
            "in_service": machine.in_service,
            "enterprise": machine.enterprise,
            "enterprise_name": owner.name if owner else None,
        }
    )


def _site_facts(view: RegisterView, site: Site) -> dict[str, object]:
    enterprise = view.enterprise(site.enterprise)
    area = view.area(site.area)
    return {
        "site_name": site.name,
        "area_name": area.name if area else None,
        "enterprise": site.enterprise,
        "enterprise_name": enterprise.name if enterprise else None,
        "risk": site.risk,
        "lat": site.lat,
        "lon": site.lon,
    }


def _device_facts(view: RegisterView, device: Device) -> dict[str, object]:
    model = view.model(device.model)
    known: dict[str, object] = {"registered": True, "name": device.name, "in_service": device.in_service}
    if device.lat is not None and device.lon is not None:
        known |= {"lat": device.lat, "lon": device.lon}
    return known | {
        "model": device.model,
        "kind": model.kind if model else None,
        "measurand": model.measurand if model else None,
        "level1": device.level1 or (model.level1 if model else None),
        "level2": device.level2 or (model.level2 if model else None),
        "set_point_basis": device.set_point_basis or (model.set_point_basis if model else None),
    }
