"""Scenarios: which devices there are, what happens to them and when, and what must come of it (the ground truth).

A scenario is a small TOML file with a seed. `generate` is pure: the same scenario, seed and start give the same bytes, so
tests and back-tests need no broker; `simulators.sending.run` sends the same messages over MQTT.
"""

import csv
import datetime as dt
import heapq
import tomllib
from collections.abc import Iterable, Iterator
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Annotated, NamedTuple, TextIO

import msgspec

from domain.errors import InputError
from domain.places import DevicePath
from registers.machine import Process
from simulators.device import Behaviour, Clock, Saying, TimedMessage, Voice
from simulators.districts import district_devices
from simulators.faults import Line, with_faults
from simulators.fleet import Fleet
from simulators.incidents import AnyIncident, Clone, Incident, Mark, Silence, Timetable, active, of_kind
from simulators.welder import ARCS, WeldingMachine

_ENDLESS_S = 86_400.0
_DOUBLE_BOOTS, _DOUBLE_S = 1000, 0.4
"""How often a device's double was started before, and how long after the device it speaks."""
_HERE = files("simulators").joinpath("scenarios")


class MachineSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[machine]]`: a welding machine; machines have no fixed place, so its path says where it works in this scenario."""

    path: str
    process: Process = Process.MMA
    measures: str = "secondary"
    interval_s: Annotated[float, msgspec.Meta(gt=0)] = 1.0

    def behaviour(self) -> Behaviour:
        """Return the machine; raise InputError for a process without an electric arc."""
        if self.process not in ARCS:
            raise InputError(f"{self.path}: a machine for '{self.process}' has no electric arc to simulate")
        return WeldingMachine(self.path, self.process, self.measures, self.interval_s)


class ScenarioFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of a scenario file. `devices`: codes from the demo district's register, or `["*"]` for all in service.

    `duration_s`: how long it lasts; without it, it never ends.
    """

    title: str
    seed: int = 1
    duration_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    devices: tuple[str, ...] = ()
    machine: tuple[MachineSpec, ...] = ()
    fleet: Fleet | None = None
    incident: tuple[AnyIncident, ...] = ()


class Scenario(NamedTuple):
    """A scenario ready to play: device behaviours by path, and their incidents by path."""

    name: str
    title: str
    seed: int
    duration_s: float | None
    devices: dict[str, Behaviour]
    incidents: dict[str, list[Incident]]

    def breaking(self) -> list[str]:
        """Return the paths of devices whose MQTT will must be able to fire: each needs a connection of its own."""
        return [
            p for p, incidents in self.incidents.items() if any(isinstance(i, Silence) and i.will for i in incidents)
        ]


class TruthRow(NamedTuple):
    """From `start_ms` to `end_ms` something happens at `device` for which `rule` must raise an alarm."""

    start_ms: int
    end_ms: int
    rule: str
    device: str
    note: str


def scenario_names() -> list[str]:
    """Return the names of the scenarios that come with the project."""
    return sorted(entry.name.removesuffix(".toml") for entry in _HERE.iterdir() if entry.name.endswith(".toml"))


def load_scenario(name_or_path: str | Path, *, seed: int | None = None) -> Scenario:
    """Return a scenario of ours by name, or one from a file; raise InputError saying what is wrong with it."""
    name, text = _read(name_or_path)
    try:
        spec = msgspec.convert(tomllib.loads(text), ScenarioFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InputError(f"scenario {name}: {error}") from error
    try:
        return build(name, spec if seed is None else msgspec.structs.replace(spec, seed=seed))
    except InputError as error:
        raise InputError(f"scenario {name}: {error}") from error


def _read(name_or_path: str | Path) -> tuple[str, str]:
    if str(name_or_path) in scenario_names():
        return str(name_or_path), _HERE.joinpath(f"{name_or_path}.toml").read_text("utf-8")
    path = Path(name_or_path)
    try:
        return path.stem, path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(scenario_names())
        raise InputError(f"no scenario '{name_or_path}' (known: {known}; or a path to a TOML file)") from error


def build(name: str, spec: ScenarioFile) -> Scenario:
    """Return the scenario of a file's content; raise InputError when it names a device that it does not have."""
    behaviours = district_devices(spec.devices) + [machine.behaviour() for machine in spec.machine]
    if spec.fleet is not None:
        behaviours += spec.fleet.detectors()
    devices = {str(DevicePath.parse(behaviour.path)): behaviour for behaviour in behaviours}
    by_code = {path.rpartition("/")[2]: path for path in devices}
    incidents: dict[str, list[Incident]] = {}
    for incident in spec.incident:
        path = by_code.get(incident.device, incident.device)
        if path not in devices and not isinstance(incident, Mark):
            raise InputError(f"an incident names the device '{incident.device}', which is not in the scenario")
        incidents.setdefault(path, []).append(incident)
    return Scenario(name, spec.title, spec.seed, spec.duration_s, devices, incidents)


def generate(
    scenario: Scenario, start_ms: int, *, speed: float = 1.0, seconds: float | None = None
) -> Iterator[TimedMessage]:
    """Yield every message in order of time, from `start_ms` on; deterministic.

    `speed` plays the scenario faster: devices' clocks stay right and everything happens sooner. `seconds` (of the scenario)
    cuts it short; without it, a scenario without duration never ends.
    """
    clock = _clock(start_ms, speed)
    end_s = seconds if seconds is not None else scenario.duration_s
    streams = [_messages(scenario, path, clock) for path in scenario.devices]
    merged = heapq.merge(*streams, key=lambda message: message.at_ms)
    return merged if end_s is None else takewhile(lambda message: message.at_ms < clock(end_s), merged)


def _messages(scenario: Scenario, path: str, clock: Clock) -> Iterator[TimedMessage]:
    incidents, seed = scenario.incidents.get(path, []), f"{scenario.seed}/{path}"
    said = with_faults(scenario.devices[path].sayings(incidents, seed), incidents, seed + "/worn")
    messages = _spoken(said, path, clock, incidents)
    return Line(incidents, clock, seed + "/line").deliver(messages) if incidents else (m for _, m in messages)


def _spoken(
    said: Iterable[Saying], path: str, clock: Clock, incidents: list[Incident]
) -> Iterator[tuple[float, TimedMessage]]:
    """Yield each saying as the device's message, and what its double says, if it has one."""
    voice, double = Voice(path, clock, incidents), Voice(path, clock, incidents, _DOUBLE_BOOTS)
    clones = Timetable(of_kind(Clone, incidents))
    for saying in said:
        yield saying.at_s, voice.encode(saying)
        if saying.kind == "telemetry" and any(active(Clone, clones.near(saying.at_s), saying.at_s)):
            echo = saying._replace(at_s=saying.at_s + _DOUBLE_S)
            yield echo.at_s, double.encode(echo)


def _clock(start_ms: int, speed: float) -> Clock:
    return lambda at_s: start_ms + round(at_s * 1000 / speed)


def truth(scenario: Scenario, start_ms: int, *, speed: float = 1.0, seconds: float | None = None) -> list[TruthRow]:
    """Return what must be found, in order of time; of an endless scenario, that of `seconds` (default: a day)."""
    end_s = next(limit for limit in (seconds, scenario.duration_s, _ENDLESS_S) if limit is not None)
    clock = _clock(start_ms, speed)
    rows = [
        TruthRow(clock(start_s), clock(min(end_s, start_s + incident.lasts_s)), rule, path, incident.note)
        for path, incidents in scenario.incidents.items()
        for incident in incidents
        for start_s in takewhile(lambda at_s: at_s < end_s, incident.starts())
        for rule in incident.expect
    ]
    return sorted(rows)


def write_truth(rows: Iterable[TruthRow], file: TextIO) -> None:
    """Write the rows as CSV: start_utc, end_utc (ISO 8601), rule, device, note."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["start_utc", "end_utc", "rule", "device", "note"])
    writer.writerows([_iso(row.start_ms), _iso(row.end_ms), row.rule, row.device, row.note] for row in rows)


def _iso(epoch_ms: int) -> str:
    moment = dt.datetime.fromtimestamp(epoch_ms / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds")
