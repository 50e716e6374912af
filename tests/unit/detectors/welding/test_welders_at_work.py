"""The simulator's welders, whose physics was written apart from the rules, are seen for what they do."""

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from registers.machine import Process
from simulators.incidents import Welding
from simulators.welder import WeldingMachine

if TYPE_CHECKING:
    from tests.unit.detectors.welding.conftest import Workshop

LASTS_S = 900.0
FIRST_ARC_S = 6.0
"""Five seconds after power.on, and a second of striking."""
INTERVAL_S = 2.0

every_machine = pytest.mark.parametrize(
    ("process", "measures"), [(p, m) for p in (Process.MMA, Process.TIG, Process.MAG) for m in ("secondary", "mains")]
)


def _session(shop: "Workshop", process: Process, measures: str, **incident: Any) -> list[tuple[float, str]]:
    """Play one simulated session of several electrodes; return (second, what was found)."""
    shop.machine(process=process, measures=measures)
    begun_ms = shop.now_ms
    machine = WeldingMachine("a/s/m1", process, measures, INTERVAL_S)
    weld = Welding(device=machine.path, at_s=0.0, lasts_s=LASTS_S, **incident)
    found = []
    for saying in machine.session(weld, 0.0, Random("a seed")):
        said = shop.wait(saying.at_s - (shop.now_ms - begun_ms) / 1000)
        if saying.kind == "telemetry":
            said += shop.read("m1", [saying.body])
        elif saying.kind == "event":
            said += shop.say(saying.body["type"], **saying.body["data"])
        found += [(saying.at_s, words) for words in said]
    return found


@every_machine
def test_a_lawful_session_is_quiet(shop: "Workshop", process: Process, measures: str) -> None:
    """Scans, strikes, electrodes and pauses of a welder in order raise nothing, whatever is measured."""
    assert _session(shop, process, measures, credential="C-1", permit="DH-1") == []


@every_machine
def test_a_session_without_a_scan_is_one_alarm(shop: "Workshop", process: Process, measures: str) -> None:
    """From within a few seconds of the first arc to the loss of power, over all electrodes and pauses: one W102."""
    (raised_s, raised), (cleared_s, cleared) = _session(shop, process, measures)
    assert (raised, cleared) == ("W102 raise", "W102 clear")
    assert FIRST_ARC_S - 1 <= raised_s <= FIRST_ARC_S + 2 * INTERVAL_S
    assert cleared_s == LASTS_S


@pytest.mark.parametrize("measures", ["secondary", "mains"])
def test_a_session_that_never_strikes_is_no_arc(shop: "Workshop", measures: str) -> None:
    """Open circuit for a quarter of an hour is not welding."""
    shop.machine(measures=measures)
    machine = WeldingMachine("a/s/m1", measures=measures)
    rng = Random("a seed")
    said = []
    for _ in range(450):
        said += shop.wait(2) + shop.read("m1", [machine.sample(None, 120.0, rng)])
    assert said == []
