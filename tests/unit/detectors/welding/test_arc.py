"""When an arc begins and ends: pauses, silence, stuck sensors, supply currents, retained and late data."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import World
from detectors.welding.arc import Arcs
from detectors.welding.envelope import Envelopes
from domain.measurands import INDEX
from domain.readings import Quality, Readings, Segment

if TYPE_CHECKING:
    from tests.unit.detectors.welding.conftest import Workshop

ARC = ["W102 raise"]
OVER = ["W102 clear"]


def test_an_arc_begins_with_its_first_reading(shop: "Workshop") -> None:
    """One reading inside the envelope is enough: with a reading a minute there is no time to wait for a second."""
    assert shop.idle() == []
    assert shop.weld() == ARC


def test_pauses_between_electrodes_belong_to_one_job(shop: "Workshop") -> None:
    """Sixty seconds without an arc, with readings and ticks in between, end nothing."""
    shop.weld()
    said = []
    for _ in range(3):
        for _ in range(6):
            said += shop.wait(10) + shop.idle()
        said += shop.weld()
    assert said == []


def test_an_arc_ends_by_the_tick_when_its_machine_falls_silent(shop: "Workshop") -> None:
    """Ninety seconds after the last arcing reading, and not before, the arc is over."""
    shop.weld()
    assert shop.wait(89) == []
    assert shop.wait(1) == OVER


def test_an_arc_ends_by_its_machines_own_next_reading(shop: "Workshop") -> None:
    """The off-delay needs no tick: an idle reading after it ends the arc too."""
    shop.weld()
    shop.now_ms += 90_000
    assert shop.idle() == OVER


def test_a_weaker_current_keeps_an_arc_but_one_reading_begins_none(shop: "Workshop") -> None:
    """A reading of seventeen amperes is too little to begin an arc and enough to keep one (hysteresis)."""
    assert shop.weld(amps=17.0) == []
    shop.weld()
    shop.wait(80)
    shop.weld(amps=17.0)
    assert shop.wait(80) == []


def test_who_stays_just_below_the_threshold_is_found_in_ten_seconds(shop: "Workshop") -> None:
    """Nothing but an arc draws seventeen amperes at arc voltage for so long; idling in between begins it anew."""
    said = []
    for second, volts in enumerate([24.0, 24.1, 70.0, *(24.0 + 0.1 * i for i in range(11))]):
        said += [(second, word) for word in shop.weld(amps=17.0, volts=volts)]
        shop.now_ms += 1000
    assert said == [(13, *ARC)]


def test_loss_of_power_ends_an_arc_at_once(shop: "Workshop") -> None:
    """No off-delay is owed to a machine that says it has no power."""
    shop.weld()
    assert shop.say("power.off") == OVER


def test_a_current_without_its_voltage_proves_nothing(shop: "Workshop") -> None:
    """Never a bare current threshold: two hundred amperes alone are no arc."""
    assert shop.weld(amps=200.0, volts=None) == []


def test_current_and_voltage_pair_within_one_sample_of_an_array(shop: "Workshop") -> None:
    """Samples of one message are not mixed: a current of one and a voltage of the other make no arc."""
    idle_then_off = [{"current_a": 0.0, "voltage_v": 25.0}, {"voltage_v": 70.0, "current_a": 120.0}]
    assert shop.read("m1", idle_then_off) == []
    assert shop.read("m1", [{"current_a": 120.0}, {"voltage_v": 25.0}]) == []
    assert shop.read("m1", [{"voltage_v": 70.0, "current_a": 0.0}, {"voltage_v": 25.0, "current_a": 120.0}]) == ARC


def test_samples_without_their_own_time_pair_side_by_side(shop: "Workshop") -> None:
    """In an array whose samples carry no time, neighbours still belong together."""
    samples = [{"current_a": 0.5, "voltage_v": 70.0}, {"current_a": 0.4, "voltage_v": 71.0}]
    assert shop.read("m1", samples, step_s=0) == []
    assert shop.read("m1", [*samples, {"current_a": 110.0, "voltage_v": 24.0}], step_s=0) == ARC


def test_a_pair_repeated_to_the_last_digit_is_a_stuck_sensor(shop: "Workshop") -> None:
    """After twenty identical readings the values count as frozen, and the arc they seemed to be ends."""
    said = []
    for _ in range(40):
        said += shop.weld(amps=120.3, volts=25.1) + shop.wait(10)
    assert said == [*ARC, *OVER]


def test_a_sensor_that_comes_unstuck_is_believed_again(shop: "Workshop") -> None:
    """A frozen value is forgotten with the first different one."""
    for _ in range(40):
        shop.weld(amps=120.3, volts=25.1)
        shop.wait(10)
    assert shop.weld(amps=118.9, volts=25.4) == ARC


def test_retained_readings_are_nobodys_arc(shop: "Workshop") -> None:
    """What the broker kept is not happening now."""
    assert shop.read("m1", [{"current_a": 120.0, "voltage_v": 25.0}], quality=Quality.RETAINED) == []


def test_late_readings_make_a_late_alarm(shop: "Workshop") -> None:
    """An arc of ten minutes ago is told, marked late; the first live reading makes it current."""
    shop.wait(600)
    assert shop.weld(late_s=600) == ARC
    assert shop.found[-1].late
    assert shop.weld(amps=121.0) == ["W102 change"]
    assert not shop.found[-1].late


def test_late_readings_do_not_prolong_a_live_arc(shop: "Workshop") -> None:
    """Old data say nothing about whether the arc still burns."""
    shop.weld()
    shop.wait(60)
    assert shop.weld(late_s=600) == []
    assert shop.wait(30) == OVER


def test_our_own_absence_ends_no_arc(shop: "Workshop") -> None:
    """After a restart the off-delay begins anew: the silence before was ours."""
    shop.weld()
    shop.now_ms += 600_000
    assert shop.restart() == []
    assert shop.wait(80) == []
    assert shop.wait(10) == OVER


MAINS_TRUTH = [
    ("idle", [0.8, 0.9, 0.8], False),
    ("welding", [0.8, 28.0, 27.0], True),
    ("inrush only", [0.8, 35.0, 0.9], False),
    ("a fan at three times a low idle", [0.3, 1.8, 1.9], False),
    ("below three times a high idle", [1.9, 5.0, 5.1], False),
    ("small inverter", [0.4, 6.0, 6.2], True),
    ("switched off", [0.0, 0.0, 0.0], False),
]


@pytest.mark.parametrize(("what", "amps", "burns"), MAINS_TRUTH)
def test_supply_current_is_judged_against_the_machines_own_idle(
    shop: "Workshop",
    what: str,
    amps: list[float],
    burns: bool,  # noqa: FBT001  a column of the table
) -> None:
    """On above three times idle and 4 A for a second; anything less is idle, inrush or a fan."""
    shop.machine(measures="mains")
    said = []
    for value in amps:
        said += shop.weld(amps=value, volts=None) + shop.wait(2)
    assert said == (ARC if burns else []), what


def test_a_supply_current_arc_ends_below_twice_idle(shop: "Workshop") -> None:
    """Between twice idle and the threshold the arc holds; below it the off-delay runs."""
    shop.machine(measures="mains")
    for value in (1.5, 20.0, 20.5):
        shop.weld(amps=value, volts=None)
        shop.wait(2)
    shop.wait(80)
    assert shop.weld(amps=3.6, volts=None) == []
    assert shop.wait(80) == []
    shop.weld(amps=2.4, volts=None)
    assert shop.wait(10) == OVER


def test_supply_current_evidence_names_what_was_measured(shop: "Workshop") -> None:
    """An inspector must not take the supply's current for the arc's."""
    shop.machine(measures="mains")
    for value in (0.8, 28.04, 27.0):
        shop.weld(amps=value, volts=None)
        shop.wait(2)
    evidence = shop.found[-1].evidence
    assert evidence["supply_current_a"] == 27.0
    assert "voltage_v" not in evidence


@given(st.lists(st.tuples(st.floats(0, 14.9), st.floats(0, 120)) | st.tuples(st.floats(0, 500), st.floats(45.1, 120))))
def test_no_sequence_of_moments_outside_the_envelope_is_an_arc(moments: list[tuple[float, float]]) -> None:
    """Whatever idles, leaks or runs at open circuit never becomes an arc, however long."""
    world = World()
    world.slots.take("a/s/m1")
    envelopes = Envelopes(arc_a=20.0, off_delay_s=90.0)
    envelopes.refresh(world)
    arcs = Arcs(envelopes, frozen_readings=20)
    for sample in arcs.samples(Segment(0, len(moments), _readings(moments)), world):
        arcs.take(sample)
    assert not arcs.burning


def _readings(moments: list[tuple[float, float]]) -> Readings:
    n = len(moments)
    offset = np.repeat(np.arange(n, dtype=np.int64), 2)
    measurand = np.tile(np.array([INDEX["current_a"], INDEX["voltage_v"]], np.int16), n)
    value = np.array(moments, np.float64).reshape(-1)
    times = 1000 * offset
    return Readings(offset, np.zeros(2 * n, np.int32), measurand, value, times, times, np.zeros(2 * n, np.uint8))
