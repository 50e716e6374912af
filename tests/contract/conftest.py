"""A small district that says random but realistic things, cut into segments in any way: the detectors' contract runs on it."""

import datetime as dt
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from detectors.base import Correlator, Detector, World
from detectors.build import build_detectors, build_engine
from detectors.engine import Engine
from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import INDEX
from domain.readings import UNNUMBERED, Contacts, Quality, Readings, Segment, Signal
from domain.records import SERVICE
from registers.ban import Ban
from registers.device import Device, DeviceKind, DeviceModel
from registers.machine import Machine
from registers.noun import Noun
from registers.permit import Permit, PermitLevel
from registers.person import Certificate, CertificateState, Family, Welder
from registers.place import Area, Enterprise, RiskClass, Site
from registers.stop_order import StopOrder

START_MS = 1_763_430_000_000
_DAY = dt.date(2025, 11, 18)
_ONE_DAY = dt.timedelta(days=1)
EAGER = {
    "G105": {"k": 1.0, "h": 3.0, "warmup_min": 5.0, "off_min": 3.0},
    "A101": {"k": 1.0, "h": 3.0, "warmup_min": 5.0, "off_min": 3.0},
    "W111": {"watch_min": 20.0},
    "W114": {"hours": 8.0, "work_h": 2.0},
    "D101": {"group_min": 3.0},
    "D106": {"mute_min": 5.0, "shield_min": 5.0},
    "D104": {
        "frozen_min": 1.0,
        "noise_min": 0.0,
        "noise_ratio": 2.0,
        "zero_h": 0.1,
        "span_share": 0.9,
        "span_days": 0.01,
    },
    "D107": {"window_min": 5.0},
    "P102": {"quarters": 1.0, "score": 2.0},
    "S103": {"dp_s": 5.0, "discharge_min": 1.0, "fan_s": 20.0},
}
"""Makes the rules that take their time speak within a short stream."""


class Row(NamedTuple):
    """One reading of one message."""

    measurand: str
    value: float
    late_ms: int = 0
    quality: int = 0


@dataclass(frozen=True)
class Told:
    """One journal record: what a device told (rows or a signal), or a control of ours."""

    at_ms: int
    path: str | None = None
    rows: tuple[Row, ...] = ()
    signal: tuple[str, dict[str, Any]] | None = None
    quality: int = 0
    skew_ms: int = 0
    number: tuple[int, int] = (UNNUMBERED, UNNUMBERED)
    control: str | None = None
    changes: tuple[RegisterChange, ...] = ()


class District:
    """Writes a journal of `length` records from a seed: leaks, welding, faults, silence, strangers, restarts, changes."""

    gas = ("a/s/g1", "a/s/g2", "a/s/o1", "b/t/g1", "a/s/x1")

    def __init__(self, seed: int, length: int) -> None:
        self._random = random.Random(seed)
        self._now = START_MS
        self._change_id = 0
        self._level = dict.fromkeys(self.gas, 1.0)
        self._seq = dict.fromkeys(self.gas, 0)
        self._commands = 0
        self._warmth = 22.0
        self._smouldered = 0
        self._load = 4.0
        self._story: list[Callable[[District], Told]] = []
        self.records = [self._registered(*_register())]
        while len(self.records) < length:
            self._now += self._random.choice((0, 1_000, 5_000, 20_000, 20_000, 90_000))
            in_story = self._story and self._random.random() < _STORY
            self.records.append((self._story.pop(0) if in_story else self._random.choice(_KINDS))(self))

    def _registered(self, *entries: Noun) -> Told:
        return self._changed(*((entry.noun, entry.key, entry.projection()) for entry in entries))

    def _changed(self, *rows: tuple[str, str, dict[str, Any] | None]) -> Told:
        changes = []
        for row in rows:
            self._change_id += 1
            changes.append(RegisterChange(self._change_id, *row))
        return Told(self._now, control="changed", changes=tuple(changes))

    def _quality(self) -> tuple[int, int]:
        roll = self._random.random()
        if roll < 0.05:
            return int(Quality.LATE), 600_000
        return (int(Quality.RETAINED), 0) if roll < 0.08 else (0, 0)

    def measure(self) -> Told:
        path = self._random.choice(self.gas)
        rows = tuple(self._sample(path) for _ in range(self._random.choice((1, 1, 1, 3))))
        if self._random.random() < 0.1:
            rows += (Row("battery_pct", self._random.choice((12.0, 22.0, 80.0))),)
        skew_ms = self._random.choice((0, 0, 0, 3_600_000)) if path.endswith("g2") else 0
        return Told(self._now, path, rows, skew_ms=skew_ms, number=self._number(path))

    def _number(self, path: str) -> tuple[int, int]:
        """Count up, mostly; messages are lost, and a second device of the same name counts for itself."""
        if self._random.random() < 0.1:
            return 2, self._now // 1000
        self._seq[path] += self._random.choice((1, 1, 1, 1, 1, 1, 1, 12))
        return 1, self._seq[path]

    def _sample(self, path: str) -> Row:
        quality, age = self._quality()
        if path.endswith("o1"):
            return Row("o2_vol", round(self._random.choice((20.9, 20.9, 19.4, 19.6, 23.6)), 2), age, quality)
        step = self._random.choice((-0.3, -0.1, 0.0, 0.1, 0.1, 0.3, 8.0, -8.0))
        self._level[path] = min(60.0, max(0.0, self._level[path] + step))
        name = self._random.choice(("ch4_lel", "ch4_lel", "co_ppm", "valve"))
        scale = {"ch4_lel": 1.0, "co_ppm": 4.0, "valve": 1 / 60}[name]
        return Row(name, round(self._level[path] * scale, 1), age, quality)

    def weld(self) -> Told:
        amps, volts = self._random.choice(((0.5, 70.0), (120.0, 25.0), (121.0, 24.5), (250.0, 3.0)))
        amps += round(self._random.random(), 2)
        rows = (Row("current_a", amps), Row("voltage_v", volts))
        return Told(self._now, self._random.choice(("a/s/m1", "a/s/x1")), rows)

    def shift(self) -> Told:
        """Begin a job at the machine whose steps come in order, between other records, each of them now and then left out."""
        if self._story:
            return self.tick()
        self._story = [partial(District.step, step=step) for step in _SHIFT if self._random.random() < _KEPT]
        return self.tick()

    def step(self, step: str) -> Told:
        match step:
            case "weld":
                rows = (Row("current_a", 120.0 + round(self._random.random(), 2)), Row("voltage_v", 25.0))
                return Told(self._now, "a/s/m1", rows)
            case "move":
                lat, lon = self._random.choice(_PLACES)
                return Told(self._now, "a/s/m1", (Row("lat", lat), Row("lon", lon)))
            case "meter":
                self._load = 14.0 - self._load  # an arc's load comes and goes
                return Told(self._now, "a/s/e1", (Row("power_kw", self._load),))
            case "lapse":
                entry = self._random.choice(_worse_certificates())
                return self._changed((entry.noun, entry.key, entry.projection()))
            case "hours":
                self._now += self._random.choice((0, 0, 20, 60, 540)) * 60_000
                return self.tick()
            case _:
                return Told(self._now, "a/s/m1", signal=(step, self._random.choice(_SHIFT_DATA.get(step, ({},)))))

    def speak(self) -> Told:
        path = self._random.choice((*self.gas, "a/s/m1", "a/s/f1"))
        return Told(self._now, path, signal=self._random.choice(_SAYINGS), quality=self._quality()[0])

    def smoulder(self) -> Told:
        """Let a multi-sensor detector report a room that warms and cools by steps; after a calm, ammonia seeps in for a while."""
        self._warmth = min(80.0, max(20.0, self._warmth + self._random.choice((-5.0, -0.5, 0.5, 5.0, 5.0))))
        quality, age = self._quality()
        smoke = self._random.choice((0.0, 0.01, 0.06, 0.09))
        self._smouldered += 1
        seep = 8.0 if self._smouldered % _CALM_AND_SEEP >= _CALM else 1.0 + self._smouldered % 3 / 10
        values = {"smoke_dbm": smoke, "temp_c": self._warmth, "nh3_ppm": seep}
        rows = tuple(Row(name, value, age, quality) for name, value in values.items())
        return Told(self._now, "a/s/f1", rows)

    def blaze(self) -> Told:
        kind = self._random.choice(("fire.alarm", "fire.clear", "fire.clear"))
        point = self._random.choice(("smoke", "heat", "manual"))
        path = self._random.choice(("a/s/f1", "a/s/f1", "b/t/f2"))
        return Told(self._now, path, signal=(kind, {"point": point}), quality=self._quality()[0])

    def order(self) -> Told:
        self._commands += 1
        told = {"id": str(self._commands), "type": "lock", "by": "rule:X101", "expires": self._now + 30_000}
        return Told(self._now, "a/s/m1", signal=("command", told))

    def answer(self) -> Told:
        reply = {"id": str(self._commands), "ok": self._random.random() < 0.7, "state": None}
        return Told(self._now, "a/s/m1", signal=("reply", reply))

    def plant(self) -> Told:
        """One transmitter of an industrial quantity, now and then where it should not be."""
        name, measurands = self._random.choice(_PLANT)
        rows = tuple(Row(m, self._random.choice(values)) for m, values in measurands.items())
        return Told(self._now, f"a/t/{name}", rows)

    def hampered(self) -> Told:
        """Let the service say what hampers itself."""
        troubles = self._random.choice(({}, {"broker": {"away_s": 61}}, {"disk": {"free_mib": 900}, "broker": {}}))
        return Told(self._now, "emberwatch/service/self", signal=(SERVICE, troubles))

    def tick(self) -> Told:
        return Told(self._now, control="tick")

    def start(self) -> Told:
        return Told(self._now, control="started")

    def edit(self) -> Told:
        entry = self._random.choice((*_register(), *_worse_certificates()))
        row = self._random.choice((entry.projection(), entry.projection(), None))
        return self._changed((entry.noun, entry.key, row))


_CALM, _CALM_AND_SEEP = 25, 40
"""Reports of the multi-sensor detector without any gas, and with those that follow with some."""
_STORY = 0.3
_KEPT = 0.8
_PLACES = ((33.7, 113.3), (33.7, 113.3), (33.71, 113.3))
_SHIFT = (
    "power.on guardian.in gas_test scan.in move weld weld lapse weld guardian.out weld reply move weld hours weld tamper"
    " tamper.clear scan.out weld watch.done hours power.on status.offline" + 8 * " meter" + " power.off"
).split()
_SHIFT_DATA: dict[str, tuple[dict[str, Any], ...]] = {
    "scan.in": ({"credential": "C-1", "permit": "P-1"}, {"credential": "C-1", "lat": 33.71, "lon": 113.3}),
    "guardian.in": ({"person": "G-1"}, {"person": "C-1"}),
    "gas_test": ({"measurand": "ch4_lel", "value": 0.0}, {"measurand": "ch4_lel", "value": 12.0}, {}),
    "reply": ({"id": "1", "ok": True, "state": "locked"}, {"id": "1", "ok": True, "state": "unlocked"}),
}
_KINDS: tuple[Callable[[District], Told], ...] = (
    *(District.measure,) * 10,
    *(District.weld,) * 5,
    *(District.smoulder,) * 4,
    *(District.blaze,) * 3,
    *(District.speak,) * 4,
    *(District.plant,) * 4,
    *(District.tick,) * 6,
    *(District.shift,) * 2,
    District.order,
    District.answer,
    District.hampered,
    District.start,
    District.edit,
)
_PLANT: tuple[tuple[str, dict[str, tuple[float, ...]]], ...] = (
    ("p1", {"power_kw": (2.0, 30.0, 90.0), "residual_ma": (20.0, 20.0, 400.0)}),
    ("l1", {"level_pct": (50.0, 50.0, 8.0, 3.0, 88.0, 95.0)}),
    ("d1", {"hopper_temp_c": (45.0, 50.0, 62.0, 75.0), "dp_pa": (900.0, 300.0, 1800.0)}),
    ("d1", {"dp_pa": (900.0, 300.0, 1800.0), "fan": (1.0, 1.0, 0.0), "running": (1.0, 0.0)}),
)
_SAYINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("alarm.low", {"measurand": "ch4_lel", "value": 26.0}),
    ("alarm.high", {"measurand": "o2_vol"}),
    ("alarm.high", {}),
    ("alarm.clear", {"measurand": "ch4_lel"}),
    ("alarm.clear", {}),
    ("fire.alarm", {"point": "smoke"}),
    ("fire.alarm", {"point": "heat"}),
    ("fire.clear", {"point": "smoke"}),
    ("fire.clear", {"point": "heat"}),
    ("fire.prealarm", {}),
    ("shield", {"point": "smoke"}),
    ("shield.clear", {"point": "smoke"}),
    ("fault", {"code": "sensor_open"}),
    ("fault", {"code": "valve_not_reached"}),
    ("fault", {"code": "mains_lost"}),
    ("fault.clear", {"code": "sensor_open"}),
    ("fault.clear", {}),
    ("power.on", {}),
    ("power.off", {}),
    ("scan.in", {"credential": "C-1", "permit": "P-1"}),
    ("scan.in", {"credential": "C-unknown"}),
    ("scan.out", {"credential": "C-1"}),
    ("status.offline", {}),
    ("status.online", {}),
    ("mute", {}),
    ("shield", {"point": "smoke"}),
    ("shield.clear", {}),
    ("tamper", {}),
    ("tamper.clear", {}),
    ("selftest", {"ok": True}),
    ("fault", {"code": "battery_low"}),
    ("fault", {"code": "discharge"}),
    ("selftest", {"ok": False}),
    ("fault", {"code": "end_of_life"}),
)


def _register() -> tuple[Noun, ...]:
    local = dt.timezone(dt.timedelta(hours=8))
    opens = dt.datetime.combine(_DAY, dt.time(8), local)
    return (
        Area(code="a", name="甲"),
        Site(code="s", name="厂", area="a", risk=RiskClass.MAJOR),
        Enterprise(code="e", name="户", industry="工贸", safe_kw=80.0),
        Site(code="t", name="店", area="a", enterprise="e"),
        StopOrder(code="O", enterprise="e", starts_at=opens, ends_at=opens + dt.timedelta(hours=60), base_kw=10.0),
        DeviceModel(code="P", name="表", kind=DeviceKind.ELECTRIC, measurand="power_kw", interval_s=600),
        DeviceModel(code="L", name="罐", kind=DeviceKind.PROCESS, measurand="level_pct", low=10.0, high_high=90.0),
        DeviceModel(code="DD", name="尘", kind=DeviceKind.PROCESS, measurand="dp_pa", interval_s=600),
        Device(code="p1", site="t", model="P"),
        Device(code="l1", site="t", model="L", low_low=5.0, high=85.0),
        Device(code="d1", site="t", model="DD"),
        DeviceModel(
            code="M", name="型", kind=DeviceKind.GAS, measurand="ch4_lel", level1=20.0, level2=40.0, full_scale=58.0
        ),
        DeviceModel(code="E", name="型", kind=DeviceKind.ELECTRIC, interval_s=300),
        Device(code="e1", site="s", model="E"),
        DeviceModel(code="N", name="型", kind=DeviceKind.FIRE, interval_s=300),
        Device(code="g1", site="s", model="M"),
        Device(code="g2", site="s", model="M", level1=10.0),
        Device(
            code="o1", site="s", model="N", installed_on=_DAY - 1460 * _ONE_DAY, calibration_due=_DAY + 9 * _ONE_DAY
        ),
        Device(code="f1", site="s", model="N"),
        Machine(code="W1", chip="m1"),
        Welder(code="w", name="-", credential="C-1"),
        Certificate(
            code="c",
            welder="w",
            number="-",
            family=Family.EMERGENCY,
            category="焊接与热切割作业",
            item="熔化焊接与热切割作业",
            issued_on=_DAY - 100 * _ONE_DAY,
            valid_until=_DAY + 100 * _ONE_DAY,
            state=CertificateState.VALID,
        ),
        Ban(code="B", reason="营业", site="s", from_h=11.0, to_h=13.0),
        Permit(
            code="P-1",
            site="s",
            level=PermitLevel.SECOND,
            starts_at=opens,
            ends_at=opens + dt.timedelta(hours=60),
            welders=("w",),
            guardian="G-1",
            lat=33.7,
            lon=113.3,
            radius_m=100.0,
        ),
    )


def _worse_certificates() -> tuple[Noun, ...]:
    """Return the welder's certificate as it may become: suspended, or for another kind of welding."""
    (sound,) = (entry for entry in _register() if isinstance(entry, Certificate))
    replace = msgspec.structs.replace
    soon = _DAY + dt.timedelta(days=10)
    return (
        replace(sound, state=CertificateState.SUSPENDED),
        replace(sound, item="压力焊作业"),
        replace(sound, valid_until=soon),
    )


def segment_of(records: Sequence[Told], first: int, end: int, world: World) -> Segment:
    """Return records `[first, end)` decoded; arrays are read-only, so that a detector that writes on its input fails."""
    readings: list[tuple[Any, ...]] = []
    contacts: list[tuple[Any, ...]] = []
    signals = []
    for offset in range(first, end):
        told = records[offset]
        if told.path is None:
            continue
        slot = world.slots.take(told.path)
        retained = any((row.quality | told.quality) & Quality.RETAINED for row in (*told.rows, Row("", 0.0)))
        if told.signal is None or told.signal[0] not in (
            "status.offline",
            "command",
            SERVICE,
        ):  # no words of the device
            contacts.append((offset, slot, told.at_ms, retained, told.at_ms, told.skew_ms, *told.number))
        for row in told.rows:
            event_ms = told.at_ms - row.late_ms
            readings.append((offset, slot, INDEX[row.measurand], row.value, event_ms, told.at_ms, row.quality))
        if told.signal is not None:
            signals.append(Signal(offset, slot, *told.signal, told.at_ms, told.at_ms, told.quality))
    last = records[end - 1]
    times: dict[str, Any] = {f"{last.control}_ms": last.at_ms} if last.control is not None else {}
    return Segment(
        first,
        end,
        Readings(*_columns(readings, Readings.empty())),
        Contacts(*_columns(contacts, Contacts.empty())),
        tuple(signals),
        changes=last.changes,
        **times,
    )


def _columns(rows: list[tuple[Any, ...]], like: Any) -> list[Any]:
    columns = []
    for i, name in enumerate(like.__slots__):
        column = np.array([row[i] for row in rows], getattr(like, name).dtype)
        column.flags.writeable = False
        columns.append(column)
    return columns


def pieces(records: Sequence[Told], cuts: frozenset[int]) -> list[tuple[int, int]]:
    """Return `[first, end)` ranges: cut before every offset in `cuts` and after every control record."""
    ends = sorted({*(c for c in cuts if 0 < c < len(records)), *_controls(records), len(records)})
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _controls(records: Sequence[Told]) -> list[int]:
    return [i + 1 for i, told in enumerate(records) if told.control is not None]


class Outcome(NamedTuple):
    """Everything an engine said: findings, and scores as plain rows."""

    findings: list[Finding]
    scores: list[tuple[Any, ...]]


def play(
    make: Callable[[], Engine], records: Sequence[Told], cuts: frozenset[int], restarts: frozenset[int] = frozenset()
) -> Outcome:
    """Return what an engine says; before each piece that begins in `restarts` it is replaced by its restored snapshot."""
    engine, outcome = make(), Outcome([], [])
    for first, end in pieces(records, cuts | restarts):
        if first in restarts:
            state, engine = thawed(frozen(engine.snapshot())), make()
            engine.restore(state)
        outcome.findings.extend(engine.process(segment_of(records, first, end, engine.world)))
        for scores in engine.scores:
            columns = (scores.slot, scores.measurand, scores.event_ms, scores.score)
            outcome.scores.extend((scores.rule, *row) for row in zip(*(c.tolist() for c in columns), strict=True))
    outcome.scores.sort(key=itemgetter(0))  # of each rule in journal order; between rules there is none
    return outcome


def frozen(state: dict[str, Any]) -> bytes:
    """Return a snapshot as msgpack bytes: plain values and arrays only, nothing pickled."""
    return msgspec.msgpack.encode(state, enc_hook=_array_out)


def thawed(data: bytes) -> dict[str, Any]:
    """Return the snapshot that `frozen` wrote, its arrays read-only as a memory map would be."""
    state: dict[str, Any] = _arrays_in(msgspec.msgpack.decode(data))
    return state


def _array_out(value: object) -> Any:
    if not isinstance(value, np.ndarray):
        raise NotImplementedError(type(value))
    return {"dtype": value.dtype.str, "shape": value.shape, "bytes": value.tobytes()}


def _arrays_in(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"dtype", "shape", "bytes"}:
        return np.frombuffer(value["bytes"], value["dtype"]).reshape(value["shape"])
    if isinstance(value, dict):
        return {key: _arrays_in(item) for key, item in value.items()}
    return [_arrays_in(item) for item in value] if isinstance(value, list) else value


Maker = Callable[[], Engine]


def makers() -> dict[str, Maker]:
    """Return what the contract runs on: the whole engine, and each detector of build.py alone (new ones join by themselves)."""
    everything: dict[str, Maker] = {"everything": lambda: build_engine(World(), EAGER)}
    for i, detector in enumerate(build_detectors(Parameters())):
        everything[type(detector).__name__] = lambda i=i: _alone(i)  # type: ignore[misc]
    return everything


def _alone(i: int) -> Engine:
    detectors: list[Detector] = [build_detectors(Parameters(EAGER))[i]]
    correlators: list[Correlator] = []
    return Engine(World(), detectors, correlators)


@pytest.fixture(params=list(makers()))
def maker(request: pytest.FixtureRequest) -> Maker:
    """Return a function that makes a fresh engine under test."""
    return makers()[request.param]


class Bench(NamedTuple):
    """The helpers of this file, for tests (test folders are not packages)."""

    journal: Callable[[int, int], list[Told]]
    play: Callable[..., Outcome]
    pieces: Callable[..., list[tuple[int, int]]]
    segment_of: Callable[..., Segment]
    frozen: Callable[..., bytes]


@pytest.fixture(scope="session")
def bench() -> Bench:
    """Return the helpers of this file."""
    return Bench(lambda seed, length: District(seed, length).records, play, pieces, segment_of, frozen)
