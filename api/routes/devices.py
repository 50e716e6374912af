"""Devices and sites: what the registers say of them beside how they are now."""

from collections.abc import Mapping
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query

from api.context import Context, Ctx
from api.curves import newest_readings
from api.directory import facts, path_of
from api.models.devices import DevicePage, DeviceState, SiteState
from api.open_alarms import NONE, Tallies
from api.site_states import site_states
from domain.places import DevicePath
from registers.device import Device
from registers.view import RegisterView

router = APIRouter(tags=["devices 设备与场所"])


@router.get("/devices", summary="设备列表")
def list_devices(
    context: Ctx,
    *,
    area: str | None = None,
    site: str | None = None,
    text: Annotated[str, Query(max_length=64, description="part of a path or name")] = "",
    silent: Annotated[
        bool, Query(description="only those in service that are registered and not heard in time")
    ] = False,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    readings: Annotated[bool, Query(description="also give each device's newest readings")] = False,
) -> DevicePage:
    """List every device that is registered or was ever heard, in path order."""
    online, tallies = context.services.online(), context.open_alarms.tallies()
    with context.directory.reading() as view:
        paths = sorted(p for p in _paths(view, online) if p > after and _at(p, area, site))
        states = (_state(view, path, online, tallies) for path in paths)
        found = list(islice((s for s in states if _named(s, text) and (_silent(s) or not silent)), limit + 1))
    items = [_with_readings(context, item) for item in found[:limit]] if readings else found[:limit]
    return DevicePage(items=items, next_after=items[-1].path if len(found) > limit else None)


def _paths(view: RegisterView, online: Mapping[str, bool]) -> set[str]:
    registered = (path_of(view, device) for device in view.rows(Device))
    return {path for path in registered if path is not None} | online.keys()


def _at(path: str, area: str | None, site: str | None) -> bool:
    place = path.split("/")
    return (area is None or place[0] == area) and (site is None or place[1] == site)


def _named(state: DeviceState, text: str) -> bool:
    wanted = text.casefold()
    return wanted in state.path.casefold() or wanted in (state.name or "").casefold()


def _silent(state: DeviceState) -> bool:
    """Tell whether a detector is missing; a welding machine (it has no model) may be switched off between jobs."""
    return state.model is not None and bool(state.in_service) and not state.online


def _state(view: RegisterView, path: str, online: Mapping[str, bool], tallies: Tallies) -> DeviceState:
    tally = tallies.devices.get(path, NONE)
    known = facts(view, path).model_dump()
    return DeviceState(**known, online=online.get(path), open_alarms=tally.count, worst=tally.worst)


def _with_readings(context: Context, state: DeviceState) -> DeviceState:
    return state.model_copy(update={"readings": tuple(newest_readings(context.services.history, state.path))})


@router.get("/devices/{area}/{site}/{device}", summary="设备详情")
def get_device(context: Ctx, area: str, site: str, device: str) -> DeviceState:
    """Give one device with its newest readings; one that nobody knows is answered as unregistered and never heard."""
    path = str(DevicePath.of(area, site, device))
    online, tallies = context.services.online(), context.open_alarms.tallies()
    with context.directory.reading() as view:
        state = _state(view, path, online, tallies)
    return _with_readings(context, state)


@router.get("/sites/state", summary="场所状态（地图）")
def list_site_states(context: Ctx) -> list[SiteState]:
    """Give every site with its coordinates, risk class, devices by state and open alarms: what a map needs."""
    online, tallies = context.services.online(), context.open_alarms.tallies()
    with context.directory.reading() as view:
        return site_states(view, online, tallies)
