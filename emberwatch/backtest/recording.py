"""A CSV file of recorded readings as the journal records its devices would have made.

Each row is one moment: a tick, then one telemetry message a device with the row's own time. Rows out of order are sorted.
"""

import csv
import datetime as dt
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from domain import measurands
from domain.changes import RegisterChange
from domain.errors import InputError
from domain.measurands import Family
from domain.places import DevicePath
from domain.records import REGISTER, START, TICK, Record
from registers.device import Device, DeviceKind, DeviceModel
from registers.machine import Machine as WeldingMachine
from registers.noun import Noun
from registers.place import Area, Site

_AREA, _SITE = "backtest", "recording"
_KINDS = {Family.FIRE: DeviceKind.FIRE, Family.ELECTRIC: DeviceKind.ELECTRIC, Family.PROCESS: DeviceKind.PROCESS}
_WELDING = frozenset({"current_a", "voltage_v"})
_TICK_MS = 1000
"""The live service ticks once a second; a recording as often as its rows allow, and no more."""
_LATEST_MS = 7_258_118_400_000
"""The year 2200: a time beyond it is a mistake."""
_DATE = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?:[ T](.*))?$")
_MILLISECONDS_FROM = 1e11
"""Numbers above this are epoch milliseconds, below it seconds (1e11 s is the year 5138)."""


class Channel(NamedTuple):
    """One column of the file: what it measures, and of which device."""

    column: str
    device: DevicePath
    measurand: str


class Recording(NamedTuple):
    """The file's readings: `rows` of (epoch ms, one value or None a channel), ascending; `reordered` rows were not in order."""

    channels: tuple[Channel, ...]
    rows: list[tuple[int, tuple[float | None, ...]]]
    reordered: int
    skipped: int
    """Cells that were not empty and not a finite number."""

    @property
    def readings(self) -> int:
        """How many values there are."""
        return sum(value is not None for _, values in self.rows for value in values)


def given_name(path: str) -> str:
    """Return a device path as the user wrote it: a name alone where no area and site were given."""
    return path.removeprefix(f"{_AREA}/{_SITE}/")


def parse_mapping(text: str) -> Channel:
    """Return the channel written `COLUMN=DEVICE:MEASURAND`; DEVICE is a name or area/site/device."""
    column, equals, rest = text.partition("=")
    device, colon, measurand = rest.rpartition(":")
    if not (column and equals and device and colon):
        raise InputError(f"--map {text!r} is not COLUMN=DEVICE:MEASURAND, e.g. --map ch4=kitchen:ch4_lel")
    if measurand not in measurands.BY_NAME:
        raise InputError(f"--map {text!r}: no measurand '{measurand}' (known: {', '.join(measurands.BY_NAME)})")
    path = DevicePath.parse(device) if "/" in device else DevicePath.of(_AREA, _SITE, device)
    return Channel(column, path, measurand)


def read_time(text: str) -> int:
    """Return epoch ms of an ISO 8601 time (without offset: UTC) or of a number (epoch seconds or milliseconds)."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        moment_ms = _calendar_ms(text)
    else:
        moment_ms = round(number if number > _MILLISECONDS_FROM else number * 1000) if math.isfinite(number) else -1
    if not 0 <= moment_ms < _LATEST_MS:
        raise InputError(f"{text[:40]!r} is no time between 1970 and 2200")
    return moment_ms


def _calendar_ms(text: str) -> int:
    """Return epoch ms of a date and time as ISO 8601 or a spreadsheet writes it (2024/1/5 8:30)."""
    date = _DATE.match(text)
    if date is not None:
        year, month, day, clock = date.groups(default="")
        hour, colon, rest = clock.partition(":")
        clock = f"{int(hour):02}{colon}{rest}" if hour.isdecimal() else clock
        text = f"{year}-{int(month):02}-{int(day):02}" + (f"T{clock}" if clock else "")
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text[:40]!r} is no time (ISO 8601, or epoch seconds or milliseconds)") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp() * 1000)


def read_recordings(files: Sequence[Path], time_column: str, mapping: Sequence[str]) -> Recording:
    """Return the files as one recording, in order of time; `{file}` in a mapping stands for each file's name without ending.

    Raises InputError naming the missing column, the line with an unreadable time, or the channel that is mapped twice.
    """
    if not mapping:
        raise InputError("say at least one --map COLUMN=DEVICE:MEASURAND")
    parts = [read_recording(file, time_column, _channels(mapping, file)) for file in files]
    channels = tuple(dict.fromkeys(channel for part in parts for channel in part.channels))
    _refuse_doubles(channels)
    rows = [row for part in parts for row in _widened(part, channels)]
    reordered = sum(part.reordered for part in parts)
    return Recording(channels, sorted(rows, key=lambda row: row[0]), reordered, sum(part.skipped for part in parts))


def _channels(mapping: Sequence[str], file: Path) -> list[Channel]:
    return [parse_mapping(text.replace("{file}", re.sub(r"[^A-Za-z0-9_-]", "-", file.stem)[:64])) for text in mapping]


def _refuse_doubles(channels: Sequence[Channel]) -> None:
    for (device, measurand), n in Counter((c.device, c.measurand) for c in channels).items():
        if n > 1:
            raise InputError(f"two columns are mapped to {given_name(str(device))}:{measurand}")


def _widened(part: Recording, channels: Sequence[Channel]) -> Iterator[tuple[int, tuple[float | None, ...]]]:
    if part.channels == tuple(channels):
        yield from part.rows
        return
    places = [part.channels.index(channel) if channel in part.channels else None for channel in channels]
    for moment, values in part.rows:
        yield moment, tuple(None if place is None else values[place] for place in places)


def read_recording(file: Path, time_column: str, channels: Sequence[Channel]) -> Recording:
    """Return one file's recording; raises InputError as `read_recordings` does."""
    rows, skipped = [], 0
    try:
        with file.open(encoding=_encoding(file), newline="") as lines:
            reader = csv.reader(lines)
            header = next(reader, None)
            if header is None:
                raise InputError(f"{file} is empty")
            places = [_place(header, name, file) for name in (time_column, *(c.column for c in channels))]
            for number, row in enumerate(reader, start=2):
                if len(row) > len(header):
                    raise InputError(f"{file}, line {number}: {len(row)} columns, but the header has {len(header)}")
                if row:
                    moment, values, bad = _row(row, places, number, file)
                    rows.append((moment, values))
                    skipped += bad
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read {file}: {error}") from error
    if not rows:
        raise InputError(f"{file} has no rows")
    for i, channel in enumerate(channels):
        if all(values[i] is None for _, values in rows):
            raise InputError(f"{file}: column '{channel.column}' holds no number")
    reordered = sum(b[0] < a[0] for a, b in itertools.pairwise(rows))
    rows.sort(key=lambda row: row[0])
    return Recording(tuple(channels), rows, reordered, skipped)


def _encoding(file: Path) -> str:
    """Return UTF-8, or what Chinese spreadsheets write when the file is not UTF-8."""
    with file.open(encoding="utf-8") as lines:
        try:
            for _ in lines:
                pass
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8-sig"


def _place(header: list[str], name: str, file: Path) -> int:
    if header.count(name) > 1:
        raise InputError(f"{file} has {header.count(name)} columns '{name}'")
    try:
        return header.index(name)
    except ValueError:
        raise InputError(f"{file} has no column '{name}' (columns: {', '.join(header)})") from None


def _row(row: list[str], places: list[int], number: int, file: Path) -> tuple[int, tuple[float | None, ...], int]:
    try:
        moment = read_time(row[places[0]])
        cells = [row[place].strip() for place in places[1:]]
    except InputError as error:
        raise InputError(f"{file}, line {number}: {error}") from None
    except IndexError:
        raise InputError(f"{file}, line {number}: only {len(row)} columns") from None
    values = tuple(_number(cell) for cell in cells)
    bad = sum(
        value is None and cell.lower() not in ("", "na", "nan", "null")
        for value, cell in zip(values, cells, strict=True)
    )
    return moment, values, bad


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def registers(recording: Recording) -> list[RegisterChange]:
    """Return the registers that make the recording's devices known, with the recording's own sampling interval."""
    paths = sorted({channel.device for channel in recording.channels})
    areas = [Area(code=code, name=code) for code in sorted({path.area for path in paths})]
    sites = [Site(code=site, name=site, area=area) for area, site in sorted({(path.area, path.site) for path in paths})]
    entries: list[Noun] = [*areas, *sites]
    for path in paths:
        entries += _device(path, [c.measurand for c in recording.channels if c.device == path], _interval_s(recording))
    return [RegisterChange(i, entry.noun, entry.key, entry.projection()) for i, entry in enumerate(entries, start=1)]


def _device(path: DevicePath, names: list[str], interval_s: int) -> list[Noun]:
    if _WELDING & set(names):
        return [WeldingMachine(code=path.device, chip=path.device, interval_s=interval_s)]
    family = measurands.BY_NAME[names[0]].family
    model = DeviceModel(
        code=f"model-{path.device}"[:64],
        name="recorded",
        kind=_KINDS.get(family, DeviceKind.GAS),
        measurand=names[0],
        interval_s=interval_s,
    )
    return [model, Device(code=path.device, site=path.site, model=model.code)]


def _interval_s(recording: Recording) -> int:
    steps = [b[0] - a[0] for a, b in itertools.pairwise(recording.rows) if b[0] > a[0]]
    return max(1, min(604_800, round(median(steps) / 1000))) if steps else 60


def records(recording: Recording) -> Iterator[Record]:
    """Yield the journal records: start, registers, then for each moment a tick and the devices' messages, then a last tick."""
    first = recording.rows[0][0]
    yield Record(first, START, b"")
    yield Record(first, REGISTER, msgspec.json.encode(registers(recording)))
    topics = [(f"safety/v1/{path}/telemetry", columns) for path, columns in _columns(recording).items()]
    ticked = 0
    for moment, values in recording.rows:
        if moment - ticked >= _TICK_MS:
            ticked = moment
            yield Record(moment, TICK, b"")
        for topic, columns in topics:
            named = {recording.channels[i].measurand: values[i] for i in columns if values[i] is not None}
            if named:
                yield Record(moment, topic, msgspec.json.encode({"ts": moment, "v": named}))
    yield Record(recording.rows[-1][0] + 1, TICK, b"")


def _columns(recording: Recording) -> dict[DevicePath, list[int]]:
    """Return which channels each device has, in order of first appearance."""
    devices: dict[DevicePath, list[int]] = {}
    for i, channel in enumerate(recording.channels):
        devices.setdefault(channel.device, []).append(i)
    return devices
