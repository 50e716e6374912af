"""F105: shielded points and lost power, named together, until the last is back."""

from typing import TYPE_CHECKING

import pytest

from detectors.firecover import FireCover
from registers.device import Device, DeviceKind, DeviceModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from detectors.base import Detector
    from tests.unit.detectors.conftest import Stage


@pytest.fixture
def watch(stage: "Callable[[Detector], Stage]") -> "Stage":
    watch = stage(FireCover())
    watch.register(DeviceModel(code="F", name="型", kind=DeviceKind.FIRE), Device(code="f1", site="s", model="F"))
    return watch


def test_a_shielded_point_is_a_gap_until_it_is_back(watch: "Stage") -> None:
    """The alarm names the point; a repeat is no news."""
    assert watch.say("shield", "f1", point="smoke") == ["F105 raise"]
    assert watch.found[0].evidence == {"gaps": ["shielded_smoke"]}
    assert watch.say("shield", "f1", point="smoke") == []
    assert watch.say("shield.clear", "f1", point="smoke") == ["F105 clear"]


def test_several_gaps_are_one_alarm(watch: "Stage") -> None:
    """Lost mains joins a shielded point; the alarm ends with the last."""
    watch.say("shield", "f1", point="heat")
    assert watch.say("fault", "f1", code="mains_lost") == ["F105 change"]
    assert watch.found[-1].evidence == {"gaps": ["mains_lost", "shielded_heat"]}
    assert watch.say("shield.clear", "f1") == ["F105 change"]
    assert watch.say("fault.clear", "f1") == ["F105 clear"]


def test_a_point_nobody_names_is_shielded_too(watch: "Stage") -> None:
    """What is misspelt still is out of service, and a clear without a name ends it."""
    assert watch.say("shield", "f1", point="somke") == ["F105 raise"]
    assert watch.say("shield.clear", "f1") == ["F105 clear"]


def test_other_faults_and_other_devices_are_no_gap(watch: "Stage") -> None:
    """A gas detector without mains, or a fire detector with a dirty chamber, is D103 alone."""
    assert watch.say("fault", "f1", code="sensor_open") + watch.say("fault", "f1") == []
    assert watch.say("fault", "g1", code="mains_lost") == []


def test_late_news_raise_late_and_take_back_nothing_live(watch: "Stage") -> None:
    """A late clear says nothing of now."""
    assert watch.say("shield", "f1", late=True, point="smoke") == ["F105 raise"]
    assert watch.found[-1].late
    assert watch.say("shield", "f1", point="smoke") == ["F105 change"]
    assert watch.say("shield.clear", "f1", late=True, point="smoke") == []


def test_what_was_retained_is_nobodys_gap(watch: "Stage") -> None:
    """A stored message is history."""
    assert watch.say("shield", "f1", retained=True, point="smoke") == []
