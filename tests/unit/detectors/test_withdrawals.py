"""A device that is withdrawn or taken out of service leaves no alarm behind that nobody could ever end."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from detectors.ageing import ServiceLife
from detectors.base import Detector
from detectors.battery import Battery
from detectors.commands import Commands
from detectors.faults import Faults
from detectors.fire import FireAlarm
from detectors.firecover import FireCover
from detectors.firegrowth import FireGrowth
from detectors.gas import GasThresholds
from detectors.parameters import Parameters
from detectors.soundness import Soundness
from detectors.tampering import Tampering

COMMAND = {"id": "1", "type": "mute", "by": "user:li", "expires": 2**50}
CASES: dict[str, tuple[Callable[[], Detector], Callable[[Any], Any]]] = {
    "F101": (FireAlarm, lambda s: s.say("fire.alarm", point="smoke")),
    "F103": (lambda: FireGrowth(Parameters()), lambda s: s.say("fire.prealarm")),
    "F104": (lambda: FireGrowth(Parameters()), lambda s: s.read(temp_c=90.0)),
    "F105": (FireCover, lambda s: s.say("shield", point="smoke")),
    "G101": (lambda: GasThresholds(Parameters()), lambda s: s.read(ch4_lel=60.0)),
    "D103": (Faults, lambda s: s.say("fault", code="sensor")),
    "G109": (lambda: GasThresholds(Parameters()), lambda s: s.read(ch4_lel=100.0)),
    "D104": (lambda: Soundness(Parameters()), lambda s: s.say("selftest", ok=False)),
    "D105": (lambda: ServiceLife(Parameters()), lambda s: s.say("fault", code="end_of_life")),
    "D106": (lambda: Tampering(Parameters()), lambda s: s.say("tamper")),
    "D108": (lambda: Battery(Parameters()), lambda s: s.read(battery_pct=1.0)),
    "D109": (Commands, lambda s: s.say("command", **COMMAND) + s.say("reply", id="1", ok=False)),
}


@pytest.fixture(params=sorted(CASES))
def alarmed(request: pytest.FixtureRequest, stage: Callable[..., Any], entries: dict[str, Any]) -> Any:
    """Return a stage on which the registered device g1 is in alarm."""
    make, alarm = CASES[request.param]
    made = stage(make())
    made.register(*entries.values())
    assert f"{request.param} raise" in alarm(made)
    return made


def _raised(stage: Any) -> set[str]:
    return {f"{f.rule} clear" for f in stage.found if f.action == "raise"}


def test_withdrawing_a_device_ends_its_alarms(alarmed: Any, entries: dict[str, Any]) -> None:
    """They clear with the change itself, which is the reason given."""
    assert set(alarmed.withdraw(entries["device"])) == _raised(alarmed)
    assert alarmed.found[-1].evidence["reason"] == "withdrawn"


def test_taking_a_device_out_of_service_ends_its_alarms(alarmed: Any, entries: dict[str, Any]) -> None:
    """Out of service is watched no longer; a second change finds nothing left."""
    resting = msgspec.structs.replace(entries["device"], in_service=False)
    assert set(alarmed.register(resting)) == _raised(alarmed)
    assert alarmed.register(resting) == []


def test_an_edit_or_another_device_ends_nothing(alarmed: Any, entries: dict[str, Any]) -> None:
    """Only the leave of the device itself counts, and what follows it in the same batch."""
    assert alarmed.register(msgspec.structs.replace(entries["device"], name="新名")) == []
    assert alarmed.withdraw(entries["quiet_device"]) == []


def test_a_device_that_returns_is_watched_anew(stage: Callable[..., Any], entries: dict[str, Any]) -> None:
    """What it showed before it left is forgotten with it: the same heat alarms again."""
    made = stage(FireGrowth(Parameters()))
    made.register(*entries.values())
    made.read(temp_c=90.0)
    made.withdraw(entries["device"])
    made.register(entries["device"])
    made.wait(60)
    assert made.read(temp_c=90.0) == ["F104 raise"]
