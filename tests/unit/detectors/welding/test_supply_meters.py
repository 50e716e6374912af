"""W113 at the meter: a silent module, and an arc's load that comes and goes where it should be dark."""

from typing import TYPE_CHECKING, Any

import pytest

from detectors.parameters import Parameters
from detectors.welding.meters import SupplyMeters
from registers.device import Device, DeviceKind, DeviceModel
from registers.machine import Machine
from registers.place import Area, Enterprise, Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from detectors.base import Detector
    from tests.unit.detectors.conftest import Stage

DARK_KW, ARC_KW = 40.0, 46.0


@pytest.fixture
def unit(stage: "Callable[[Detector], Stage]") -> "Stage":
    """Return a unit with a powered machine m1 and a meter e1 at site s, and a meter e2 at another site of its owner."""
    unit = stage(SupplyMeters(Parameters()))
    unit.register(
        Area(code="a", name="甲"),
        Enterprise(code="E", name="厂", industry="机械"),
        Site(code="s", name="一车间", area="a", enterprise="E"),
        Site(code="t", name="二车间", area="a", enterprise="E"),
        Site(code="u", name="别家", area="a"),
        DeviceModel(code="M", name="电表", kind=DeviceKind.ELECTRIC),
        DeviceModel(code="G", name="气", kind=DeviceKind.GAS),
        *(Device(code=code, site=site, model="M") for code, site in (("e1", "s"), ("e2", "t"), ("e3", "u"))),
        Device(code="g1", site="s", model="G"),
        Machine(code="W1", chip="m1", enterprise="E", interval_s=60),
    )
    assert unit.say("power.on", "m1") == []
    return unit


def bursts(unit: "Stage", count: int, device: str = "e1", measurand: str = "power_kw", scale: float = 1.0) -> list[str]:
    """Let an arc's load come for 60 s and go for 30 s, `count` times, after a dark minute."""

    def read(kw: float) -> list[str]:
        values: dict[str, Any] = {measurand: kw * scale}
        return unit.read(device, **values)

    said = read(DARK_KW)
    for _ in range(count):
        for kw, seconds in ((ARC_KW, 30), (ARC_KW + 0.4, 30), (DARK_KW + 0.3, 30)):
            unit.wait(seconds)
            said += read(kw)
    return said


def test_three_bursts_while_the_module_is_silent_are_w113(unit: "Stage") -> None:
    """The alarm is the meter's, and says whose silence it is, how often and how far the load rose."""
    unit.say("status.offline", "m1")
    assert bursts(unit, 2) == []
    assert bursts(unit, 1) == ["W113 raise"]
    finding = unit.found[-1]
    assert finding.device == "a/s/e1"
    assert finding.evidence == {
        "reason": "meter_shows_arc",
        "silent_machines": ["W1"],
        "bursts": 3,
        "rise_kw": 6.0,
        "idle_kw": 40.0,
    }


def test_a_module_that_speaks_is_believed(unit: "Stage") -> None:
    """The same load under a machine that reports is its own arc, judged by the other rules."""
    assert bursts(unit, 5) == []


def test_a_machine_switched_off_is_not_silent(unit: "Stage") -> None:
    """After power.off the will says nothing, and the load is somebody else's."""
    unit.say("power.off", "m1")
    unit.say("status.offline", "m1")
    assert bursts(unit, 5) == []


def test_silence_without_a_will_counts_after_its_intervals(unit: "Stage") -> None:
    """Two and a half intervals without a word, as for D101; our own absence is no silence."""
    unit.wait(140)
    unit.start()
    unit.wait(140)
    assert unit.tick() + bursts(unit, 1) == []
    unit.wait(30)
    unit.tick()
    assert bursts(unit, 3) == ["W113 raise"]


def test_the_module_that_comes_back_ends_it(unit: "Stage") -> None:
    """Any word of it will do."""
    unit.say("status.offline", "m1")
    bursts(unit, 3)
    assert unit.read("m1", current_a=0.5) == ["W113 clear"]
    assert unit.found[-1].evidence == {"reason": "machine_heard"}


def test_a_meter_gone_quiet_ends_it(unit: "Stage") -> None:
    """A quarter of an hour without a burst."""
    unit.say("status.offline", "m1")
    bursts(unit, 3)
    unit.wait(16 * 60)
    assert unit.tick() == ["W113 clear"]
    assert unit.found[-1].evidence == {"reason": "meter_quiet"}


def test_the_owners_other_meters_count_and_other_owners_do_not(unit: "Stage") -> None:
    """The unit is the site where the machine spoke last, or the enterprise that owns it."""
    unit.say("status.offline", "m1")
    assert bursts(unit, 3, "a/u/e3") + bursts(unit, 3, "a/s/g1") == []
    assert bursts(unit, 3, "a/t/e2") == ["W113 raise"]


def test_a_current_clamp_is_a_meter_too(unit: "Stage") -> None:
    """Amperes at 220 V."""
    unit.say("status.offline", "m1")
    assert bursts(unit, 3, measurand="current_a", scale=1 / 0.22) == ["W113 raise"]


def test_small_loads_are_no_arc(unit: "Stage") -> None:
    """A drill of a kilowatt comes and goes unnoticed."""
    unit.say("status.offline", "m1")
    assert bursts(unit, 5, scale=0.2) == []


def test_state_comes_back_from_a_snapshot(unit: "Stage") -> None:
    """Two bursts before a restart and one after are three."""
    unit.say("status.offline", "m1")
    bursts(unit, 2)
    state = unit.detector.snapshot()
    unit.detector = SupplyMeters(Parameters())
    unit.detector.restore(state)
    assert bursts(unit, 1) == ["W113 raise"]
