"""D101 of groups: a site or an area that falls silent as a whole is one alarm, and one device that fails is not a group."""

from collections.abc import Callable
from typing import Any

import pytest

from detectors.parameters import Parameters
from detectors.presence import Silence
from domain.findings import Severity
from registers.device import Device, DeviceKind, DeviceModel
from registers.place import Area, Site

EAST, WEST = "a/e/-", "a/w/-"


class Street:
    """Ten detectors at two sites, which report every 10 s (offset by their number) unless cut off; a tick every second."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.cut: set[str] = set()
        places = [Site(code=code, name=code, area="a") for code in ("e", "w")]
        model = DeviceModel(code="M", name="型", kind=DeviceKind.GAS, interval_s=10)
        devices = [Device(code=f"{site.code}{i}", site=site.code, model="M") for site in places for i in range(5)]
        self.paths = [f"a/{device.site}/{device.code}" for device in devices]
        stage.register(Area(code="a", name="甲"), *places, model, *devices)

    def run(self, seconds: int) -> list[tuple[str, str]]:
        """Return what was found, as (device, action)."""
        before = len(self.stage.found)
        for _ in range(seconds):
            self.stage.wait(1)
            second = self.stage.now_ms // 1000
            for i, path in enumerate(self.paths):
                if (second + i) % 10 == 0 and path not in self.cut:
                    self.stage.read(path, ch4_lel=0.0)
            self.stage.tick()
        return [(finding.device, str(finding.action)) for finding in self.stage.found[before:]]

    def site(self, code: str) -> set[str]:
        return {path for path in self.paths if path.startswith(f"a/{code}/")}


@pytest.fixture
def street(stage: Callable[..., Any]) -> Street:
    made = Street(stage(Silence(Parameters())))
    made.run(30)
    return made


def test_one_device_that_fails_is_missed_by_itself(street: Street) -> None:
    """Its neighbours speak on, so it is not held back: two and a half intervals, and no more."""
    street.cut = {"a/e/e1"}
    assert street.run(24) == []
    assert street.run(12) == [("a/e/e1", "raise")]


def test_a_site_without_power_is_one_alarm(street: Street) -> None:
    """No device of it raises one; the evidence says how many there are."""
    street.cut = street.site("e")
    assert street.run(120) == [(EAST, "raise")]
    assert street.stage.found[-1].evidence == {"reason": "together", "members": 5, "silent": 5}


def test_all_back_is_one_clear(street: Street) -> None:
    """And nothing else, though they come back one after another."""
    street.cut = street.site("e")
    street.run(60)
    street.cut = set()
    assert street.run(60) == [(EAST, "clear")]


def test_those_that_do_not_come_back_are_missed_by_themselves(street: Street) -> None:
    """Once the site is back they have as long as any silence may last."""
    street.cut = street.site("e")
    street.run(60)
    street.cut = {"a/e/e3"}
    assert street.run(90) == [(EAST, "clear"), ("a/e/e3", "raise")]


def test_a_whole_area_is_one_alarm(street: Street) -> None:
    """Of several sites, and grave: a street without any watch."""
    street.cut = set(street.paths)
    assert street.run(120) == [("a/-/-", "raise")]
    assert street.stage.found[-1].severity == Severity.HIGH


def test_a_sites_alarm_goes_on_in_its_areas(street: Street) -> None:
    """When the other site goes too, the one alarm takes the place of the other."""
    street.cut = street.site("e")
    street.run(60)
    street.cut = set(street.paths)
    assert street.run(60) == [(EAST, "clear"), ("a/-/-", "raise")]
    assert street.stage.found[-2].evidence == {"reason": "in_group", "group": "a/-/-"}


def test_an_earlier_failure_goes_on_in_its_group(street: Street) -> None:
    """The device missed before the outage is part of it now."""
    street.cut = {"a/w/w1"}
    street.run(40)
    street.cut = street.site("w")
    assert street.run(40) == [("a/w/w1", "clear"), (WEST, "raise")]


def test_wills_of_a_whole_site_are_one_alarm(street: Street) -> None:
    """A gateway that dies has its wills published one after another, within a second."""
    street.cut = street.site("w")
    for path in sorted(street.cut):
        street.stage.say("status.offline", path)
    assert street.run(60) == [(WEST, "raise")]


def test_one_will_is_told_as_soon_as_the_others_are_heard(street: Street) -> None:
    """In a group a will waits for a few words of the neighbours."""
    street.cut = {"a/e/e1"}
    street.stage.say("status.offline", "a/e/e1")
    assert street.run(10) == [("a/e/e1", "raise")]
    assert street.stage.found[-1].evidence["reason"] == "will"


def test_half_a_site_is_no_group(street: Street) -> None:
    """Two of five are two alarms."""
    street.cut = {"a/e/e1", "a/e/e2"}
    assert sorted(street.run(60)) == [("a/e/e1", "raise"), ("a/e/e2", "raise")]


def test_a_restored_watch_knows_what_is_out(street: Street) -> None:
    """A restart during an outage tells nothing again, and its end once."""
    street.cut = street.site("e")
    street.run(60)
    restored = Silence(Parameters())
    restored.restore(street.stage.detector.snapshot())
    street.stage.detector = restored
    street.stage.start()
    assert street.run(60) == []
    street.cut = set()
    assert street.run(60) == [(EAST, "clear")]


def test_a_will_in_the_second_in_which_its_site_comes_back_is_forgotten(street: Street) -> None:
    """The site's outage is over for all: who has its time again and is heard in it is missed no more."""
    street.cut = street.site("e") - {"a/e/e4"}
    assert (EAST, "raise") in street.run(60)
    stage = street.stage
    assert stage.say("status.offline", "a/e/e4") == []
    assert [said for path in ("a/e/e0", "a/e/e1") for said in stage.read(path, ch4_lel=0.0)] == ["D101 clear"]
    stage.read("a/e/e4", ch4_lel=0.0)
    street.cut = set()
    assert street.run(60) == []


def test_who_was_never_silent_ends_no_outage(street: Street) -> None:
    """A device joins a site that is out: what a live neighbour says, be it a reading or of its power, ends it no sooner."""
    street.cut = street.site("e") - {"a/e/e4"}
    street.run(60)
    street.stage.register(Device(code="e9", site="e", model="M"))
    assert street.stage.read("a/e/e4", ch4_lel=0.0) == []
    assert street.stage.say("power.on", "a/e/e4") == []
