"""D102 and D103: who speaks without being known, and who says that it is broken."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from detectors.faults import Faults
from detectors.strangers import Strangers


@pytest.fixture
def door(stage: Callable[..., Any], entries: dict[str, Any]) -> Any:
    """Return a stage with the registers filled and D102 watching."""
    made = stage(Strangers())
    made.register(*entries.values())
    return made


@pytest.fixture
def ward(stage: Callable[..., Any]) -> Any:
    """Return a stage with D103 watching."""
    return stage(Faults())


def test_an_unregistered_device_is_reported_once(door: Any) -> None:
    """The first message raises, later ones do not."""
    assert [door.read("x9", ch4_lel=1.0) for _ in range(3)] == [["D102 raise"], [], []]
    assert door.found[0].evidence == {"reason": "unregistered"}


def test_registered_devices_and_machine_chips_are_known(door: Any) -> None:
    """A device at its own site, and a machine's chip at any site, are no strangers."""
    said = [door.read("g1", ch4_lel=1.0), door.read("a/t/g2", ch4_lel=1.0), door.say("power.on", "a/t/m1")]
    assert said == [[], [], []]


def test_a_device_at_the_wrong_place_says_where_it_belongs(door: Any) -> None:
    """Registered elsewhere is not unregistered."""
    assert door.read("a/t/g1", ch4_lel=1.0) == ["D102 raise"]
    assert door.found[0].evidence == {"reason": "registered_elsewhere", "registered_at": "a/s"}


def test_registering_the_device_ends_it(door: Any, entries: dict[str, Any]) -> None:
    """The alarm clears with the register change itself."""
    door.read("x9", ch4_lel=1.0)
    assert door.register(msgspec.structs.replace(entries["device"], code="x9")) == ["D102 clear"]


def test_withdrawing_a_device_makes_it_a_stranger(door: Any, entries: dict[str, Any]) -> None:
    """A known device that is withdrawn is reported at its next message."""
    assert door.read("g1", ch4_lel=1.0) == []
    door.withdraw(entries["device"])
    assert door.read("g1", ch4_lel=1.0) == ["D102 raise"]


def test_a_stored_message_makes_no_stranger(door: Any) -> None:
    """Retained messages of devices long gone are not reported."""
    assert door.say("status.offline", "old", retained=True) == []


def test_a_fault_raises_and_its_clear_clears(ward: Any) -> None:
    """The codes are the evidence."""
    assert ward.say("fault", code="sensor_open") == ["D103 raise"]
    assert ward.say("fault.clear", code="sensor_open") == ["D103 clear"]
    assert ward.found[0].evidence == {"codes": ["sensor_open"]}


def test_several_faults_are_one_alarm(ward: Any) -> None:
    """A second code changes the alarm; the last one's clear clears it; a repeat says nothing."""
    said = [ward.say("fault", code=code) for code in ("heater", "mains_lost", "heater")]
    said += [ward.say("fault.clear", code=code) for code in ("heater", "mains_lost")]
    assert said == [["D103 raise"], ["D103 change"], [], ["D103 change"], ["D103 clear"]]


def test_a_clear_without_a_code_clears_all(ward: Any) -> None:
    """A device that only says that it is well again is believed."""
    ward.say("fault", code="heater")
    ward.say("fault")
    assert ward.say("fault.clear") == ["D103 clear"]


def test_late_news_cannot_take_back_a_live_fault(ward: Any) -> None:
    """A late fault raises marked late; a late clear does not end a live one."""
    assert ward.say("fault", code="heater", late=True) == ["D103 raise"]
    assert ward.found[0].late
    ward.say("fault", code="heater")
    assert ward.say("fault.clear", code="heater", late=True) == []
    assert ward.say("fault.clear", code="heater") == ["D103 clear"]


def test_a_babbling_device_does_not_fill_memory(ward: Any) -> None:
    """At most sixteen codes of one device are kept, each cut short."""
    for i in range(100):
        ward.say("fault", code=f"{i}-" + "x" * 500)
    codes = ward.found[-1].evidence["codes"]
    assert len(codes) == 16
    assert max(map(len, codes)) == 32


def test_retained_faults_are_history(ward: Any) -> None:
    """A stored fault raises nothing."""
    assert ward.say("fault", code="heater", retained=True) == []
