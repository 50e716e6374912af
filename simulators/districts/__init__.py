"""The demo district: registers of a made-up 湛河区, and its devices as simulators.

Everything in `zhanhe/*.csv` is invented: enterprises, people, numbers and addresses; only the lie of the land is real.
Resident IDs have valid check digits but the order number 000; telephones begin with 100. Cells such as `+365d`, `-2h` and
`-10y` are dates or times relative to the day the demo is started, so that permits and certificates are always current.
"""

import csv
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any, get_origin

import msgspec

from domain.errors import InputError
from registers.device import Device, DeviceKind, DeviceModel
from registers.noun import Noun
from registers.nouns import NOUNS, build
from registers.place import Site
from registers.view import LOCAL
from simulators.device import Behaviour
from simulators.fire import FireDetector
from simulators.gasroom import GasDetector

_RELATIVE = re.compile(r"(?P<count>[+-]\d+)(?P<unit>[hdy])")
_ANY_DAY = dt.datetime(2026, 1, 1, tzinfo=LOCAL)  # for what does not depend on the day


def demo_registers(today: dt.date, now: dt.datetime) -> dict[str, list[Noun]]:
    """Return the district's register entries by noun, references first; relative cells count from `today` or `now`."""
    return {noun: list(_entries(noun, today, now)) for noun in NOUNS}


def _entries(noun: str, today: dt.date, now: dt.datetime) -> Iterator[Noun]:
    text = files("simulators.districts").joinpath("zhanhe", f"{noun}.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        fields = {column: _shift(cell, today, now) for column, cell in row.items() if cell}
        lists = {f.name for f in msgspec.structs.fields(NOUNS[noun]) if get_origin(f.type) is tuple}
        typed: dict[str, Any] = {c: v.split(";") if c in lists else v for c, v in fields.items()}
        entry = msgspec.convert(typed, NOUNS[noun], strict=False)  # CSV knows only text
        yield build(noun, msgspec.to_builtins(entry))


def _shift(cell: str, today: dt.date, now: dt.datetime) -> str:
    match = _RELATIVE.fullmatch(cell)
    if match is None:
        return cell
    count = int(match["count"])
    if match["unit"] == "h":
        return (now + dt.timedelta(hours=count)).isoformat(timespec="seconds")
    return (today + dt.timedelta(days=count * 365 if match["unit"] == "y" else count)).isoformat()


def district_devices(codes: Iterable[str]) -> list[Behaviour]:
    """Return the behaviours of the registered devices with these codes (`*`: all in service); InputError names an unknown one."""
    known = _devices()
    wanted = list(codes)
    if wanted == ["*"]:
        return [behaviour for _, (behaviour, in_service) in known.items() if in_service]
    unknown = [code for code in wanted if code not in known]
    if unknown:
        raise InputError(f"no device '{unknown[0]}' in the demo district")
    return [known[code][0] for code in wanted]


@cache
def _devices() -> dict[str, tuple[Behaviour, bool]]:
    registers = demo_registers(_ANY_DAY.date(), _ANY_DAY)
    sites = {site.code: site for site in registers["site"] if isinstance(site, Site)}
    models = {model.code: model for model in registers["model"] if isinstance(model, DeviceModel)}
    devices = (device for device in registers["device"] if isinstance(device, Device))
    return {d.code: (_behaviour(d, models[d.model], sites[d.site]), d.in_service) for d in devices}


def _behaviour(device: Device, model: DeviceModel, site: Site) -> Behaviour:
    path, measurand = f"{site.area}/{site.code}/{device.code}", str(model.measurand)
    if model.kind is DeviceKind.FIRE:
        return FireDetector(path, measurand, model.interval_s)
    return GasDetector(path, measurand, model.interval_s, model.level1, model.level2)
