"""The demo district: registers of a made-up 湛河区, and its devices as simulators.

Everything in `zhanhe/*.csv` is invented: enterprises, people, numbers and addresses; only the lie of the land is real.
Resident IDs have valid check digits but the order number 000; telephones begin with 100. Cells such as `+365d`, `-2h` and
`-10y` are dates or times relative to the day the demo is started, so that permits and certificates are always current.
"""

import datetime as dt
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from domain.errors import InputError
from registers.csv_files import parse
from registers.device import Device, DeviceKind, DeviceModel
from registers.noun import Noun
from registers.nouns import NOUNS
from registers.place import Site
from registers.view import LOCAL
from simulators.device import Behaviour
from simulators.fire import FireDetector
from simulators.gasroom import GasDetector
from simulators.transmitter import Transmitter

_RELATIVE = re.compile(r"(?<=,)(?P<count>[+-]\d+)(?P<unit>[hdy])(?=,|$)", re.MULTILINE)  # a whole cell
_ANY_DAY = dt.datetime(2026, 1, 1, tzinfo=LOCAL)  # for what does not depend on the day


def demo_registers(today: dt.date, now: dt.datetime) -> dict[str, list[Noun]]:
    """Return the district's register entries by noun, references first; relative cells count from `today` or `now`."""
    return {noun: _entries(noun, today, now) for noun in NOUNS}


def _entries(noun: str, today: dt.date, now: dt.datetime) -> list[Noun]:
    text = files("simulators.districts").joinpath("zhanhe", f"{noun}.csv").read_text("utf-8")
    parsed = parse(noun, _RELATIVE.sub(lambda match: _shift(match, today, now), text).encode())
    if parsed.problems:
        raise InputError(f"{noun}.csv of the demo district: {parsed.problems[0]}")
    return [row.entry for row in parsed.rows]


def _shift(match: re.Match[str], today: dt.date, now: dt.datetime) -> str:
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
    if model.kind in (DeviceKind.ELECTRIC, DeviceKind.PROCESS):
        return Transmitter(path, measurand, model.interval_s)
    return GasDetector(path, measurand, model.interval_s, model.level1, model.level2)
