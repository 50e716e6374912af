"""The map: every registered site, and every unregistered one that raises alarms, with its devices and alarms counted."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from api.directory import path_of
from api.models.devices import SiteState
from api.open_alarms import NONE, Tallies
from registers.device import Device
from registers.place import Site
from registers.view import RegisterView

_Place = tuple[str, str]


@dataclass(slots=True)
class _Devices:
    total: int = 0
    online: int = 0


def site_states(view: RegisterView, online: Mapping[str, bool], tallies: Tallies) -> list[SiteState]:
    """Return the sites by area and code."""
    devices = _devices(view, online)
    sites = {(site.area, site.code): site for site in view.rows(Site)}
    places = sorted(sites.keys() | tallies.sites.keys())
    return [_state(view, place, sites.get(place), devices[place], tallies) for place in places]


def _devices(view: RegisterView, online: Mapping[str, bool]) -> dict[_Place, _Devices]:
    counts: dict[_Place, _Devices] = defaultdict(_Devices)
    for device in view.rows(Device):
        path = path_of(view, device)
        if path is None or not device.in_service:
            continue
        area, site, _ = path.split("/")
        counts[area, site].total += 1
        counts[area, site].online += online.get(path, False)
    return counts


def _state(view: RegisterView, place: _Place, site: Site | None, devices: _Devices, tallies: Tallies) -> SiteState:
    area = view.area(place[0])
    enterprise = view.enterprise(site.enterprise) if site else None
    tally = tallies.sites.get(place, NONE)
    return SiteState(
        area=place[0],
        site=place[1],
        name=site.name if site else None,
        area_name=area.name if area else None,
        enterprise_name=enterprise.name if enterprise else None,
        industry=(site.industry if site else None) or (enterprise.industry if enterprise else None),
        risk=site.risk if site else None,
        lat=site.lat if site else None,
        lon=site.lon if site else None,
        devices=devices.total,
        online=devices.online,
        silent=devices.total - devices.online,
        open_alarms=tally.count,
        active_alarms=tally.active,
        worst=tally.worst,
    )
