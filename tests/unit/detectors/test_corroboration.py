"""G107: two sensors of a site within two minutes, in whatever order."""

from itertools import permutations
from typing import Any

import pytest

from detectors.base import World
from detectors.corroboration import Corroboration
from detectors.parameters import Parameters
from domain.findings import Action, Finding, Severity


class Site:
    """Tells a correlator what the gas rules found, one record a call."""

    def __init__(self) -> None:
        self.correlator = Corroboration(Parameters())
        self.found: list[Finding] = []
        self._offset = 0

    def say(self, seconds: float, device: str, rule: str = "G102", action: str = "raise", **more: Any) -> list[str]:
        self._offset += 1
        finding = Finding(
            offset=self._offset,
            rule=rule,
            device=f"a/s/{device}" if "/" not in device else device,
            action=Action(action),
            severity=Severity.HIGH,
            at_ms=int(seconds * 1000),
            event_ms=int(seconds * 1000),
            **{"evidence": {"measurand": "ch4_lel", "value": 26.0, "unit": "%LEL"}} | more,
        )
        found = self.correlator.correlate([finding], [], World())
        self.found += found
        return [f"{f.rule} {f.action} {f.device.rpartition('/')[2]}" for f in found]


@pytest.mark.parametrize("order", list(permutations(["g1", "g2"])))
@pytest.mark.parametrize("rules", [("G102", "G105"), ("G104", "G101"), ("G105", "G105")])
def test_two_sensors_within_two_minutes_confirm_each_other(order: tuple[str, str], rules: tuple[str, str]) -> None:
    """Whichever comes first and whichever rule saw it: the alarm is the second one's and names both."""
    site = Site()
    assert site.say(0, order[0], rules[0]) == []
    assert site.say(110, order[1], rules[1]) == [f"G107 raise {order[1]}"]
    (raised,) = site.found
    assert raised.severity is (Severity.HIGH if "G105" in rules else Severity.CRITICAL)
    assert raised.evidence["apart_s"] == 110
    assert [s["device"] for s in raised.evidence["sensors"]] == ["a/s/g1", "a/s/g2"]
    assert raised.evidence["sensors"][0]["value"] == 26.0


def test_more_than_two_minutes_apart_is_no_confirmation() -> None:
    """Each may have a reason of its own."""
    site = Site()
    site.say(0, "g1")
    assert site.say(121, "g2") == []


def test_a_graver_alarm_of_the_first_renews_the_window() -> None:
    """The first sensor reached level 1 long ago, the second rises as the first reaches level 2."""
    site = Site()
    site.say(0, "g1", "G102")
    site.say(300, "g1", "G101")
    assert site.say(330, "g2") == ["G107 raise g2"]


def test_one_sensor_twice_and_two_sites_are_no_two_sensors() -> None:
    """Two rules of one device, or neighbours, do not confirm."""
    site = Site()
    assert site.say(0, "g1", "G105") + site.say(10, "g1", "G102") + site.say(20, "a/t/g9") == []


def test_what_cleared_before_does_not_confirm() -> None:
    """A spike that is over is no witness."""
    site = Site()
    site.say(0, "g1")
    site.say(30, "g1", action="clear")
    assert site.say(40, "g2") == []


def test_a_third_joins_and_the_alarm_stands_until_one_is_left() -> None:
    """It changes with each that joins; it ends when fewer than two sensors are elevated, and may come again."""
    site = Site()
    site.say(0, "g1")
    site.say(10, "g2")
    assert site.say(500, "g3") == ["G107 change g2"]
    assert site.say(600, "g2", action="clear") == []
    assert site.say(610, "g1", action="clear") == ["G107 clear g2"]
    assert site.found[-1].evidence == {"reason": "one_sensor_left"}
    assert site.say(700, "g1") == []
    assert site.say(710, "g2") == ["G107 raise g2"]


def test_late_alarms_confirm_nothing() -> None:
    """They were raised now and happened some other time."""
    site = Site()
    site.say(0, "g1", late=True)
    assert site.say(10, "g2") == []


def test_quiet_sites_take_no_memory() -> None:
    """When the last alarm is over nothing is kept."""
    site = Site()
    site.say(0, "g1")
    site.say(5, "g2")
    site.say(9, "g1", action="clear")
    site.say(9, "g2", action="clear")
    assert site.correlator.snapshot() == {"scenes": []}


def test_other_rules_are_not_gas() -> None:
    """Fire, welding and devices have their own."""
    site = Site()
    assert site.say(0, "g1", "F101") + site.say(1, "g2", "D103") + site.say(2, "g3", "G103") == []


def test_an_alarm_whose_device_is_withdrawn_goes_over_to_another() -> None:
    """Two sensors are left; when the next one leaves, one is no corroboration."""
    site = Site()
    site.say(0, "g1")
    site.say(10, "g2")
    site.say(20, "g3")
    left: dict[str, Any] = {"action": "clear", "evidence": {"reason": "withdrawn"}}
    assert site.say(30, "g2", **left) == ["G107 clear g2", "G107 raise g1"]
    assert [s["device"] for s in site.found[-1].evidence["sensors"]] == ["a/s/g1", "a/s/g3"]
    assert site.say(40, "g1", **left) == ["G107 clear g1"]


def test_a_device_withdrawn_with_two_alarms_leaves_at_once() -> None:
    """Its first clear takes all its alarms with it: the alarm does not go over to the device that is leaving."""
    site = Site()
    site.say(0, "g1", "G105")
    site.say(5, "g1")
    site.say(8, "g2")
    site.say(10, "g1", "G101")
    site.say(12, "g3")
    left: dict[str, Any] = {"action": "clear", "evidence": {"reason": "withdrawn"}}
    site.say(20, "g2", **left)
    said = [site.say(30, "g1", rule, **left) for rule in ("G101", "G102", "G105")]
    assert said == [["G107 clear g1"], [], []]


def test_two_slow_leaks_become_urgent_when_both_are_more_than_that() -> None:
    """Statistics is a grade less grave than trends and set points at two sensors, and is again when one of these ends."""
    site = Site()
    site.say(0, "g1", "G105")
    site.say(10, "g2", "G105")
    assert site.say(20, "g1", "G104") == []
    assert site.say(25, "g2", "G102") == ["G107 change g2"]
    assert site.say(30, "g1", "G102") == []
    site.say(40, "g1", "G104", "clear")
    assert site.say(50, "g1", "G102", "clear") == ["G107 change g2"]
    assert [int(f.severity) for f in site.found] == [2, 1, 2]
