"""The promise of every detector, on random days in a workshop: cuts, restarts and snapshots change not one byte."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.base import World
from detectors.cross import HotWorkInGas
from detectors.engine import Engine
from detectors.gas import GasThresholds
from detectors.parameters import Parameters
from detectors.welding.detector import Welding
from domain.findings import Finding, to_json_lines
from domain.readings import Readings, Segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.detectors.welding.conftest import Workshop

DEVICES = st.sampled_from(["m1", "m2", "stranger"])
AMPS = st.sampled_from([0.5, 3.0, 17.0, 25.0, 120.0, 140.0])
VOLTS = st.sampled_from([None, 5.0, 25.0, 70.0])
EVENTS = st.one_of(
    st.tuples(st.just("weld"), DEVICES, AMPS, VOLTS, st.sampled_from([0, 0, 600])),
    st.tuples(st.just("wait"), st.sampled_from([1, 30, 90, 40_000])),
    st.tuples(
        st.just("say"), DEVICES, st.sampled_from(["scan.in", "scan.out", "power.on", "power.off", "status.offline"])
    ),
    st.tuples(st.just("change"), st.sampled_from(["machine", "certificate", "permit"])),
    st.tuples(st.just("gas"), st.sampled_from([0.0, 30.0, 60.0])),
    st.tuples(st.just("restart")),
)


def _play(shop: "Workshop", event: tuple[Any, ...]) -> None:
    match event:
        case ("weld", device, amps, volts, late_s):
            shop.weld(device, amps, volts, late_s)
        case ("wait", seconds):
            shop.wait(seconds)
        case ("say", device, kind):
            shop.say(kind, device, credential="C-1")
        case ("change", "machine"):
            shop.machine(code="M-2", chip="m2", measures="mains")
        case ("change", "certificate"):
            shop.certificate(state="revoked")
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
    return Engine(world, [GasThresholds(parameters), Welding(parameters)], [HotWorkInGas()])


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


def _findings(engine: Engine, segments: list[Segment], between: "Callable[[], None]" = lambda: None) -> list[Finding]:
    found: list[Finding] = []
    for segment in segments:
        found += engine.process(segment)
        between()
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENTS, max_size=60), st.data())
def test_cuts_snapshots_and_restarts_change_nothing(
    new_shop: "Callable[[], Workshop]",
    events: list[Any],
    data: st.DataObject,
) -> None:
    """One record a segment, as few segments as possible, or a restore at every record: the findings are the same bytes."""
    shop = new_shop()
    for event in events:
        _play(shop, event)
    paths = shop.world.slots.paths()
    truth = to_json_lines(_findings(_engine(paths), shop.records))
    cuts = data.draw(st.sets(st.integers(0, shop.offset)))
    assert to_json_lines(_findings(_engine(paths), _joined(shop.records, cuts))) == truth

    found: list[Finding] = []
    engine = _engine(paths)
    for segment in shop.records:
        found += engine.process(segment)
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(engine.snapshot()))
        engine = _engine(())
        engine.restore(state)
    assert to_json_lines(found) == truth


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENTS, max_size=80))
def test_every_alarm_is_raised_before_it_changes_or_clears(
    new_shop: "Callable[[], Workshop]",
    events: list[Any],
) -> None:
    """For each device and rule the findings read raise, changes, clear, and so on; a quiet hour clears all but power."""
    shop = new_shop()
    for event in events:
        _play(shop, event)
    for device in ("m1", "m2", "stranger"):
        shop.say("power.off", device)
    shop.wait(90)
    standing: set[tuple[str, str]] = set()
    for finding in shop.found:
        key = (finding.device, finding.rule)
        assert (key in standing) == (finding.action != "raise")
        (standing.discard if finding.action == "clear" else standing.add)(key)
    assert not standing
