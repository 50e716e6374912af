"""Channels: which column of a recording is which measurand of which device."""

from typing import NamedTuple

from domain import measurands
from domain.errors import InputError
from domain.places import DevicePath

_AREA, _SITE = "backtest", "recording"


class Channel(NamedTuple):
    """One column of the file: what it measures, and of which device."""

    column: str
    device: DevicePath
    measurand: str


def in_recording(name: str) -> DevicePath:
    """Return the path of a device of which the user knows a name only; raise InputError when that is illegal."""
    return DevicePath.of(_AREA, _SITE, name)


def given_name(path: str) -> str:
    """Return a device path as the user wrote it: a name alone where no area and site were given."""
    return path.removeprefix(f"{_AREA}/{_SITE}/")


def parse_mapping(text: str) -> Channel:
    """Return the channel written `COLUMN=DEVICE:MEASURAND`; DEVICE is a name or area/site/device."""
    column, equals, rest = text.rpartition("=")
    device, colon, measurand = rest.rpartition(":")
    if not (column and equals and device and colon):
        raise InputError(f"--map {text!r} is not COLUMN=DEVICE:MEASURAND, e.g. --map ch4=kitchen:ch4_lel")
    if measurand not in measurands.BY_NAME:
        raise InputError(f"--map {text!r}: no measurand '{measurand}' (known: {', '.join(measurands.BY_NAME)})")
    path = DevicePath.parse(device) if "/" in device else in_recording(device)
    return Channel(column, path, measurand)
