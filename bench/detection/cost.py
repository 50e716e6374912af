"""What each detector costs: CPU microseconds a reading, each for itself and the whole catalogue, on 10,000 mixed devices.

    python -m bench.detection.cost [--devices 10000] [--rounds 20] [--json] [--picture cost.html]

Every device reports once a round, in one segment with a tick at its end, as in a live service that catches up or has much to
do. One in 200 passes its limits halfway, so that the costly paths run too. Measured after as many warm-up rounds of five minutes,
when models have their daily shapes. `us_a_reading` divides by all readings of the round, whoever they concern; `us_a_rule`
divides that by the detector's rules.
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from bench.detection import telling
from detectors.base import Detector, Output, World
from detectors.build import build_correlators, build_detectors
from detectors.engine import Engine
from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.readings import Segment
from domain.records import REGISTER, START, TICK, Record, RecordBatch
from emberwatch.pipeline import Machine
from registers.device import Device, DeviceKind, DeviceModel
from registers.machine import Machine as WeldingMachine
from registers.noun import Noun
from registers.place import Area, Enterprise, Site

_START_MS = 1_767_578_400_000
"""2026-01-05, a Monday, 10:00 by local time."""
_PERIOD_MS = 300_000
_PER_SITE = 50
_ALARMING = 200


class Make(NamedTuple):
    """A kind of device: how many in a hundred, and what it measures as (measurand, at rest, noise, in alarm)."""

    name: str
    share: int
    kind: DeviceKind
    channels: tuple[tuple[str, float, float, float], ...]


MAKES = (
    Make("gas", 50, DeviceKind.GAS, (("ch4_lel", 1.0, 0.2, 60.0),)),
    Make("co", 10, DeviceKind.GAS, (("co_ppm", 2.0, 0.3, 90.0),)),
    Make("fire", 20, DeviceKind.FIRE, (("smoke_dbm", 0.0, 0.002, 0.3), ("temp_c", 22.0, 0.2, 70.0))),
    Make("meter", 8, DeviceKind.ELECTRIC, (("power_kw", 40.0, 2.0, 200.0),)),
    Make("residual", 3, DeviceKind.ELECTRIC, (("residual_ma", 30.0, 2.0, 500.0),)),
    Make("tank", 3, DeviceKind.PROCESS, (("level_pct", 60.0, 0.3, 95.0),)),
    Make("hopper", 3, DeviceKind.PROCESS, (("hopper_temp_c", 45.0, 0.2, 80.0),)),
    Make("welder", 3, DeviceKind.WELDING, (("current_a", 0.3, 0.1, 120.0), ("voltage_v", 70.0, 0.5, 25.0))),
)
_MIX = tuple(make for make in MAKES for _ in range(make.share))


class Timed:
    """A detector that counts the CPU time (ns) it spends in what it is asked for most."""

    def __init__(self, detector: Detector) -> None:
        self.rules = detector.rules
        self.name = type(detector).__name__
        self.observe_ns = self.tick_ns = 0
        self._detector = detector
        self.started, self.changed = detector.started, detector.changed
        self.snapshot, self.restore = detector.snapshot, detector.restore

    def observe(self, segment: Segment, world: World) -> Output:
        begun = time.process_time_ns()
        output = self._detector.observe(segment, world)
        self.observe_ns += time.process_time_ns() - begun
        return output

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        begun = time.process_time_ns()
        output = self._detector.tick(offset, now_ms, world)
        self.tick_ns += time.process_time_ns() - begun
        return output


class Town:
    """`devices` of all makes, mixed evenly, in sites of fifty."""

    def __init__(self, devices: int) -> None:
        self.devices = [(f"c{i:06}", f"s{i // _PER_SITE:05}", _MIX[(i * 37) % len(_MIX)]) for i in range(devices)]

    def registers(self) -> Iterator[Noun]:
        """Yield the entries in an order in which each finds what it refers to."""
        yield Area(code="cost", name="cost")
        yield Enterprise(code="works", name="works", industry="工贸", safe_kw=1e6)
        for site in dict.fromkeys(site for _, site, _ in self.devices):
            yield Site(code=site, name=site, area="cost", enterprise="works")
        for make in MAKES:
            measurand = make.channels[0][0]
            yield DeviceModel(code=make.name, name=make.name, kind=make.kind, measurand=measurand, interval_s=300)
        for code, site, make in self.devices:
            if make.kind is DeviceKind.WELDING:
                yield WeldingMachine(code=f"m-{code}", chip=code)
            else:
                yield Device(code=code, site=site, model=make.name)

    def round(self, number: int, *, alarming: bool, rng: random.Random) -> Iterator[Record]:
        """Yield one message of each device, then a tick."""
        now = _START_MS + number * _PERIOD_MS
        for i, (code, site, make) in enumerate(self.devices):
            hot = alarming and i % _ALARMING == 0
            values = {n: round(rng.gauss(high if hot else rest, noise), 3) for n, rest, noise, high in make.channels}
            payload = msgspec.json.encode({"ts": now, "seq": number, "boot": 1, "v": values})
            yield Record(now, f"safety/v1/cost/{site}/{code}/telemetry", payload)
        yield Record(now + 1, TICK, b"")


class Cost(NamedTuple):
    """What was measured: readings, CPU ns of decoding and of the whole engine, and the detectors with their own."""

    readings: int
    decode_ns: int
    engine_ns: int
    detectors: list[Timed]


def run(devices: int, rounds: int, progress: Callable[[int], None] = lambda _round: None) -> Cost:
    """Return what `rounds` rounds cost after as many of warm-up."""
    town, rng, parameters = Town(devices), random.Random(1), Parameters()
    timed = [Timed(detector) for detector in build_detectors(parameters)]
    machine = Machine(lambda world: Engine(world, list(timed), build_correlators(parameters)))
    entries = enumerate(town.registers(), 1)
    changes = [RegisterChange(i, entry.noun, entry.key, entry.projection()) for i, entry in entries]
    first = [Record(_START_MS, START, b""), Record(_START_MS, REGISTER, msgspec.json.encode(changes))]
    offset, _, decode_ns, engine_ns = _play(machine, 0, first)
    readings = 0
    for number in range(2 * rounds):
        if number == rounds:
            readings = decode_ns = engine_ns = 0
            for detector in timed:
                detector.observe_ns = detector.tick_ns = 0
        records = list(town.round(number, alarming=rounds <= number < rounds + rounds // 2, rng=rng))
        offset, n, decode, engine = _play(machine, offset, records)
        readings, decode_ns, engine_ns = readings + n, decode_ns + decode, engine_ns + engine
        progress(number)
    return Cost(readings, decode_ns, engine_ns, timed)


def _play(machine: Machine, offset: int, records: list[Record]) -> tuple[int, int, int, int]:
    """Return the next offset, how many readings there were, and the CPU ns of decoding and of the engine."""
    readings = decode_ns = engine_ns = 0
    begun = time.process_time_ns()
    for decoded in machine.decoder.decode(RecordBatch(offset, records)):
        decoded_at = time.process_time_ns()
        machine.engine.process(decoded.segment)
        ended = time.process_time_ns()
        decode_ns, engine_ns, begun = decode_ns + decoded_at - begun, engine_ns + ended - decoded_at, ended
        readings += len(decoded.segment.readings)
    return offset + len(records), readings, decode_ns, engine_ns


def rows(cost: Cost) -> list[dict[str, Any]]:
    """Return one row a detector, dearest first, then the whole."""
    us = 1e-3 / max(cost.readings, 1)
    dearest = sorted(cost.detectors, key=lambda detector: -detector.observe_ns - detector.tick_ns)
    made: list[dict[str, Any]] = [
        {
            "detector": detector.name,
            "rules": " ".join(detector.rules)
            if len(detector.rules) < 4
            else f"{detector.rules[0]}…{detector.rules[-1]}",
            "us_a_reading": round(us * (detector.observe_ns + detector.tick_ns), 4),
            "us_a_rule": round(us * (detector.observe_ns + detector.tick_ns) / len(detector.rules), 4),
            "of_it_ticks": round(us * detector.tick_ns, 4),
        }
        for detector in dearest
    ]
    own = sum(detector.observe_ns + detector.tick_ns for detector in cost.detectors)
    rules = sum(len(detector.rules) for detector in cost.detectors)
    whole: list[tuple[str, str | int, int]] = [
        ("the rest of the engine", "", cost.engine_ns - own),
        ("whole catalogue", rules, cost.engine_ns),
        ("decoding, for comparison", "", cost.decode_ns),
    ]
    return made + [{"detector": name, "rules": n, "us_a_reading": round(us * ns, 4)} for name, n, ns in whole]


def main() -> None:
    parser = telling.parser(__doc__ or "")
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    cost = run(given.devices, given.rounds)
    found = rows(cost)
    if given.picture:
        values = [(row["detector"], row["us_a_reading"]) for row in found]
        drawing = telling.bars("CPU microseconds a reading", values)
        given.picture.write_text(telling.page("Cost of detection", [drawing, telling.table("All", found)]), "utf-8")
    result = {"devices": given.devices, "rounds": given.rounds, "readings": cost.readings, "rows": found}
    telling.tell(result, [found], as_json=given.json)


if __name__ == "__main__":
    main()
