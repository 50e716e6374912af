"""The promise of every detector, on random days in a workshop: cuts, restarts and snapshots change not one byte."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.base import World
from detectors.cross import hot_work_in_gas
from detectors.engine import Engine
from detectors.gas import GasThresholds
from detectors.parameters import Parameters
from detectors.welding.detector import Welding
from domain.findings import Finding, to_json_lines
from domain.readings import Readings, Segment
from registers.ban import Ban

if TYPE_CHECKING:
    from tests.unit.detectors.welding.conftest import Workshop

DEVICES = ("m1", "m1", "m1", "m2", "stranger")
# A, V: two arcs, one held by hysteresis only, open circuit, strike, supply current alone.
MOMENTS = ((120.0, 25.0), (140.0, 30.0), (17.0, 25.0), (0.5, 70.0), (150.0, 5.0), (28.0, None))
SAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("scan.in", {"credential": "C-1"}), ("scan.in", {"credential": "C-1", "lat": 33.9, "lon": 113.3})),
    *(("scan.out", {"credential": "C-1"}), ("power.on", {}), ("power.off", {}), ("status.offline", {})),
    *(("guardian.in", {"person": "G-1"}), ("guardian.out", {"person": "G-1"}), ("watch.done", {})),
    *(("gas_test", {"measurand": "ch4_lel", "value": 0.0}), ("gas_test", {"measurand": "lel", "value": 30.0})),
    *(("tamper", {}), ("tamper.clear", {}), ("reply", {"state": "locked"}), ("reply", {"state": "unlocked"})),
)
PLACES = ((33.7, 113.3), (33.7005, 113.3), (33.71, 113.3))
KINDS = ("weld", "pass", "wait", "say", "move", "change", "gas", "restart")
SHARES = (0.45, 0.15, 0.12, 0.17, 0.04, 0.03, 0.02, 0.02)


def _day(seed: int, length: int = 150) -> list[tuple[Any, ...]]:
    """Return a random day: much welding, with time passing between records, so that arcs begin, hold and end anywhere."""
    rng = np.random.default_rng(seed)

    def pick(choices: tuple[Any, ...]) -> Any:
        return choices[rng.integers(len(choices))]

    details: dict[str, Callable[[], tuple[Any, ...]]] = {
        "weld": lambda: (pick(DEVICES), pick(MOMENTS), pick((0, 0, 0, 0, 600))),
        "pass": lambda: (pick((1, 30, 60, 90)),),
        "wait": lambda: (pick((1, 30, 30, 90, 40_000)),),
        "say": lambda: (pick(DEVICES), pick(SAYS)),
        "move": lambda: (pick(DEVICES), pick(PLACES)),
        "change": lambda: (pick(("machine", "certificate", "soon", "permit", "ban")),),
        "gas": lambda: (pick((0.0, 30.0, 60.0)),),
        "restart": tuple,
    }
    return [(kind, *details[kind]()) for kind in rng.choice(KINDS, length, p=SHARES).tolist()]


def _play(shop: "Workshop", event: tuple[Any, ...]) -> None:
    match event:
        case ("weld", device, (amps, volts), late_s):
            shop.weld(device, amps, volts, late_s)
        case ("pass", seconds):
            shop.now_ms += 1000 * seconds
        case ("wait", seconds):
            shop.wait(seconds)
        case ("say", device, (kind, data)):
            shop.say(kind, device, **data)
        case ("move", device, (lat, lon)):
            shop.read(device, [{"lat": lat, "lon": lon}])
        case ("change", "machine"):
            shop.machine(code="M-2", chip="m2", measures="mains")
        case ("change", "certificate"):
            shop.certificate(state="revoked")
        case ("change", "soon"):
            shop.certificate(valid_until=shop.local().date())
        case ("change", "ban"):
            shop.register(Ban(code="B", reason="x", site="s", from_h=11, to_h=12))
        case ("change", _):
            shop.permit(state="cancelled")
        case ("gas", lel):
            shop.read("g1", [{"ch4_lel": lel}])
        case _:
            shop.restart()


def _engine(paths: tuple[str, ...]) -> Engine:
    world = World()
    for path in paths:
        world.slots.take(path)
    parameters = Parameters()
    return Engine(world, [GasThresholds(parameters), Welding(parameters)], [hot_work_in_gas(parameters)])


def _joined(records: list[Segment], cuts: set[int]) -> list[Segment]:
    """Return the same records in as few segments as the cuts and the controls allow."""
    segments: list[Segment] = []
    for record in records:
        last = segments[-1] if segments else None
        if last is None or record.first_offset in cuts or _is_control(last):
            segments.append(record)
        else:
            segments[-1] = replace(
                record,
                first_offset=last.first_offset,
                readings=_concatenated(last.readings, record.readings),
                signals=last.signals + record.signals,
            )
    return segments


def _is_control(segment: Segment) -> bool:
    return (segment.tick_ms, segment.started_ms, segment.changed_ms) != (None, None, None)


def _concatenated(a: Readings, b: Readings) -> Readings:
    return Readings(*(np.concatenate([getattr(a, name), getattr(b, name)]) for name in Readings.__slots__))


def _findings(engine: Engine, segments: list[Segment]) -> list[Finding]:
    return [finding for segment in segments for finding in engine.process(segment)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), step=st.integers(1, 40))
def test_cuts_snapshots_and_restarts_change_nothing(new_shop: Callable[[], "Workshop"], seed: int, step: int) -> None:
    """One record a segment, as few segments as possible, or a restore at every record: the findings are the same bytes."""
    shop = new_shop()
    for event in _day(seed):
        _play(shop, event)
    paths = shop.world.slots.paths()
    truth = to_json_lines(_findings(_engine(paths), shop.records))
    cuts = set(range(0, shop.offset, step))
    assert to_json_lines(_findings(_engine(paths), _joined(shop.records, cuts))) == truth
    assert to_json_lines(_findings_with_restores(paths, shop.records)) == truth


def _findings_with_restores(paths: tuple[str, ...], records: list[Segment]) -> list[Finding]:
    engine, found = _engine(paths), []
    for segment in records:
        found += engine.process(segment)
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(engine.snapshot()))
        engine = _engine(())
        engine.restore(state)
    return found


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_every_alarm_is_raised_before_it_changes_or_clears(new_shop: Callable[[], "Workshop"], seed: int) -> None:
    """For each device and rule the findings read raise, changes, clear; without power and gas, all are over in the end."""
    shop = new_shop()
    for event in _day(seed):
        _play(shop, event)
    for device in ("m1", "m2", "stranger"):
        shop.say("power.off", device)
    shop.wait(90)
    for device in ("m1", "m2", "stranger"):
        shop.say("watch.done", device)
        shop.say("tamper.clear", device)
        shop.say("reply", device, state="unlocked")
    shop.certificate(valid_until=dt.date(2040, 1, 1))
    standing: set[tuple[str, str]] = set()
    for finding in shop.found:
        key = (finding.device, finding.rule)
        assert (key in standing) == (finding.action != "raise")
        (standing.discard if finding.action == "clear" else standing.add)(key)
    assert not standing
