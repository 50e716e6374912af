"""G108: a valve that should be closed says so in time, or somebody is told."""

from collections.abc import Callable
from typing import Any

import pytest

from detectors.parameters import Parameters
from detectors.valves import Valves


@pytest.fixture
def valve(stage: Callable[..., Any]) -> Any:
    """Return an empty stage with the detector on it."""
    return stage(Valves(Parameters()))


def _command(valve: Any, kind: str = "valve.close") -> list[str]:
    said: list[str] = valve.say("command", id="1", type=kind, by="rule:G101", expires=valve.now_ms + 60_000)
    return said


def _wait(valve: Any, seconds: int) -> list[str]:
    said: list[str] = []
    for _ in range(seconds):
        valve.wait(1)
        said += valve.tick()
    return said


def test_a_valve_that_closes_in_time_is_no_alarm(valve: Any) -> None:
    """Told to close, closed after twenty seconds."""
    valve.read(valve=0.0)
    _command(valve)
    assert _wait(valve, 20) == []
    assert valve.read(valve=1.0) == []
    assert _wait(valve, 60) == []


def test_a_valve_that_stays_open_after_a_command_is_an_alarm_until_it_closes(valve: Any) -> None:
    """Raised once after thirty seconds; cleared by the valve's own word, with the time it took."""
    valve.read(valve=0.0)
    _command(valve)
    assert _wait(valve, 90) == ["G108 raise"]
    assert valve.found[0].evidence == {"reason": "commanded_closed", "waited_s": 30, "heard_open": True}
    assert valve.read(valve=0.0) == []
    assert valve.read(valve=1.0) == ["G108 clear"]
    assert valve.found[1].evidence["took_s"] == 90


def test_a_valve_of_which_nobody_hears_is_an_alarm_too(valve: Any) -> None:
    """Silence is no confirmation."""
    _command(valve)
    assert _wait(valve, 31) == ["G108 raise"]
    assert not valve.found[0].evidence["heard_open"]


def test_a_high_alarm_of_a_device_with_an_open_valve_expects_it_closed(valve: Any) -> None:
    """GB 50028 10.8.4: first the alarm, then the valve."""
    valve.read(valve=0.0)
    valve.say("alarm.high", measurand="ch4_lel")
    assert _wait(valve, 31) == ["G108 raise"]
    assert valve.found[0].evidence["reason"] == "expected_closed"


def test_a_high_alarm_of_a_device_without_a_valve_expects_nothing(valve: Any) -> None:
    """Who never spoke of a valve has none."""
    valve.say("alarm.high", measurand="ch4_lel")
    assert _wait(valve, 60) == []


def test_a_closed_valve_needs_no_time(valve: Any) -> None:
    """What is closed already cannot be late."""
    valve.read(valve=1.0)
    _command(valve)
    assert _wait(valve, 60) == []


def test_the_devices_own_fault_needs_no_waiting(valve: Any) -> None:
    """`valve_not_reached` raises at once and ends with the fault, or with a closed valve."""
    assert valve.say("fault", code="valve_not_reached") == ["G108 raise"]
    assert valve.say("fault.clear", code="valve_not_reached") == ["G108 clear"]
    valve.say("fault", code="valve_not_reached")
    assert valve.read(valve=1.0) == ["G108 clear"]


@pytest.mark.parametrize(("kind", "data"), [("fault", {"code": "sensor_open"}), ("command", {"type": "mute"})])
def test_other_faults_and_commands_do_not_matter(valve: Any, kind: str, data: dict[str, str]) -> None:
    """Only the valve's."""
    valve.read(valve=0.0)
    valve.say(kind, **data)
    assert _wait(valve, 60) == []


def test_our_own_restart_gives_the_valve_its_time_again(valve: Any) -> None:
    """What closed while we did not listen says so in its next report."""
    _command(valve)
    valve.wait(300)
    valve.start()
    assert _wait(valve, 10) == []
    assert valve.read(valve=1.0) == []
    assert _wait(valve, 60) == []


@pytest.mark.parametrize("kind", [{"late": True}, {"retained": True}])
def test_old_words_neither_order_nor_confirm(valve: Any, kind: dict[str, bool]) -> None:
    """A stored `closed` may be yesterday's."""
    _command(valve)
    valve.read(**kind, valve=1.0)
    assert _wait(valve, 31) == ["G108 raise"]


def test_a_withdrawn_device_leaves_no_alarm_behind(valve: Any, entries: dict[str, Any]) -> None:
    """Its alarm and the order end with it."""
    valve.register(entries["area"], entries["site"], entries["model"], entries["device"])
    _command(valve)
    _wait(valve, 31)
    assert valve.withdraw(entries["device"]) == ["G108 clear"]
    assert _wait(valve, 60) == []
