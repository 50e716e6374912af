"""A recording as the journal records its devices would have made: registers, ticks, one message a device and moment.

Detectors take the hours as the house's local ones, a recording has its own: its clock is set so that its midnight is ours.
"""

import datetime as dt
from collections.abc import Iterator

import msgspec
import numpy as np

from domain import measurands
from domain.changes import RegisterChange
from domain.measurands import Family
from domain.places import DevicePath
from domain.readings import Float64, Int64
from domain.records import REGISTER, START, TICK, Record
from emberwatch.backtest.recording import Recording
from registers.device import Device, DeviceKind, DeviceModel
from registers.local_time import LOCAL
from registers.machine import Machine as WeldingMachine
from registers.noun import Noun
from registers.place import Area, Site

_KINDS = {Family.FIRE: DeviceKind.FIRE, Family.ELECTRIC: DeviceKind.ELECTRIC, Family.PROCESS: DeviceKind.PROCESS}
_ARC_V, _ARC_A = 120.0, 20.0
"""No welding machine has more volts between its terminals (GB/T 15579.1: 113 V), none welds with less current."""
_MOSTLY = 0.99
"""Sparks that strike an arc are no voltage of the machine's."""
_ROOM_C = 45.0
"""What is usually warmer than this is no room, and its heat no fire."""
_TICK_ROWS = 60
_SHORTEST_MS, _LONGEST_MS = 1_000, 900_000
"""The live service ticks once a second; nothing that waits for a tick is judged finer than by quarter hours of slow readings."""
_CHUNK = 5_000
_FIRST = 20
_DAY_MS = 86_400_000
_WEEK_MS = 7 * _DAY_MS


def pace_ms(recording: Recording) -> int:
    """Return how far apart ticks are: sixty rows, between a second and a quarter of an hour."""
    return min(max(_TICK_ROWS * recording.step_ms, _SHORTEST_MS), _LONGEST_MS)


def lead_ms(recording: Recording) -> int:
    """Return what is added to the times for the detectors: its wall clock becomes the local one, never before 1970."""
    lead = -int((LOCAL.utcoffset(None) or dt.timedelta()).total_seconds() * 1000)
    return lead if recording.times[0] > _WEEK_MS else lead + 52 * _WEEK_MS


def records(recording: Recording, pace: int | None = None) -> Iterator[Record]:
    """Yield start, registers, then the rows' messages between ticks `pace` ms apart (None: `pace_ms`), and a last tick.

    Where the recording is silent for longer than that, ticks come at doubling distances: silence is time that goes on.
    """
    pace, lead = pace or pace_ms(recording), lead_ms(recording)
    before = ticked = int(recording.times[0]) + lead
    yield Record(before, START, b"")
    yield Record(before, REGISTER, msgspec.json.encode(registers(recording)))
    devices = [(f"safety/v1/{path}/telemetry", named) for path, named in _columns(recording).items()]
    encode = msgspec.json.Encoder().encode
    ticked -= pace
    for time, values in _rows(recording):
        moment = time + lead
        if moment - before > pace:
            yield from (Record(ms, TICK, b"") for ms in _meanwhile(before, moment, recording.step_ms))
        before = moment
        if moment - ticked >= pace:
            ticked = moment
            yield Record(moment, TICK, b"")
        for topic, named in devices:
            said = {name: values[i] for i, name in named if values[i] == values[i]}  # not NaN
            if said:
                yield Record(moment, topic, encode({"ts": moment, "v": said}))
    yield Record(before + 1, TICK, b"")


def _rows(recording: Recording) -> Iterator[tuple[int, list[float]]]:
    """Yield moment and values of each row, as Python's numbers only while they are needed."""
    for first in range(0, len(recording.times), _CHUNK):
        part = slice(first, first + _CHUNK)
        yield from zip(recording.times[part].tolist(), recording.values[part].tolist(), strict=True)


def _meanwhile(before: int, until: int, step_ms: int) -> Iterator[int]:
    wait = max(2 * step_ms, _SHORTEST_MS)
    while before + wait < until:
        yield before + wait
        wait *= 2


def registers(recording: Recording) -> list[RegisterChange]:
    """Return the registers that make the recording's devices known, each with its own sampling interval."""
    columns = _columns(recording)
    areas = [Area(code=code, name=code) for code in sorted({path.area for path in columns})]
    sites = [Site(code=site, name=site, area=area) for area, site in sorted({(p.area, p.site) for p in columns})]
    entries: list[Noun] = [*areas, *sites]
    for path in sorted(columns):
        entries += _device(path, columns[path], recording)
    return [RegisterChange(i, entry.noun, entry.key, entry.projection()) for i, entry in enumerate(entries, start=1)]


def _device(path: DevicePath, named: list[tuple[int, str]], recording: Recording) -> list[Noun]:
    names = [name for _, name in named]
    interval_s = _interval_s(recording, [i for i, _ in named])
    if _welds(named, recording):
        return [WeldingMachine(code=path.device, chip=path.device, interval_s=interval_s)]
    model = DeviceModel(
        code=f"model-{path.device}"[:64],
        name="recorded",
        kind=_kind(named, recording),
        measurand=names[0],
        interval_s=interval_s,
    )
    return [model, Device(code=path.device, site=path.site, model=model.code)]


def welders(recording: Recording) -> list[DevicePath]:
    """Return the devices that are welding machines."""
    return [path for path, named in _columns(recording).items() if _welds(named, recording)]


def _welds(named: list[tuple[int, str]], recording: Recording) -> bool:
    """Whether current and voltage are an arc's: low voltage, high current; others are a meter's."""
    columns = {name: np.abs(recording.series(i)[1]) for i, name in named}
    current, voltage = columns.get("current_a"), columns.get("voltage_v")
    if current is None or voltage is None or not (len(current) and len(voltage)):
        return False
    return bool(np.quantile(voltage, _MOSTLY) <= _ARC_V and np.quantile(current, _MOSTLY) >= _ARC_A)


def _kind(named: list[tuple[int, str]], recording: Recording) -> DeviceKind:
    """Return the kind of a device by what it measures first; one that is usually hot watches a process, not a room."""
    column, name = named[0]
    times, readings = recording.series(column)
    if name == "temp_c" and len(times) and not _is_room(times, readings):
        return DeviceKind.PROCESS
    return _KINDS.get(measurands.BY_NAME[name].family, DeviceKind.GAS)


def _is_room(times: Int64, temperatures: Float64) -> bool:
    """Whether it is as warm as a room: of days the usual level tells, of a fire test only how it began."""
    usual = temperatures if times[-1] - times[0] > _DAY_MS else temperatures[:_FIRST]
    return float(np.median(usual)) <= _ROOM_C


def _interval_s(recording: Recording, columns: list[int]) -> int:
    times = recording.times[np.isfinite(recording.values[:, columns]).any(axis=1)]
    steps = np.diff(times)
    usual = float(np.median(steps[steps > 0])) / 1000 if (steps > 0).any() else 60.0
    return max(1, min(604_800, round(usual)))


def _columns(recording: Recording) -> dict[DevicePath, list[tuple[int, str]]]:
    """Return each device's columns and measurands, in order of first appearance."""
    devices: dict[DevicePath, list[tuple[int, str]]] = {}
    for i, channel in enumerate(recording.channels):
        devices.setdefault(channel.device, []).append((i, channel.measurand))
    return devices
