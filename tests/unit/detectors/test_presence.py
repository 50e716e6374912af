"""D101: when silence is an alarm, and when it is not."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from detectors.parameters import Parameters
from detectors.presence import Silence
from domain.findings import Severity


@pytest.fixture
def watch(stage: Callable[..., Any], entries: dict[str, Any]) -> Any:
    """Return a stage with two registered devices (interval 60 s: 150 s of silence allowed) and a machine."""
    made = stage(Silence(Parameters()))
    made.register(*entries.values())
    return made


def _after(watch: Any, seconds: float) -> list[str]:
    watch.wait(seconds)
    said: list[str] = watch.tick()
    return said


def _silent(watch: Any) -> list[str]:
    return [finding.device for finding in watch.found if finding.action == "raise"]


def test_two_and_a_half_intervals_of_silence_raise_once(watch: Any) -> None:
    """At the limit nothing, past it one alarm, and no second while it lasts."""
    watch.read("a/t/g2", ch4_lel=0.0)
    watch.read("g1", ch4_lel=0.0)
    assert _after(watch, 150) == []
    assert _after(watch, 1) == ["D101 raise", "D101 raise"]
    assert _after(watch, 1000) == []


def test_silence_at_a_high_risk_site_is_graver(watch: Any) -> None:
    """无监控即违规: severity 2 at a high-risk site, 3 elsewhere."""
    _after(watch, 151)
    assert {f.device: f.severity for f in watch.found} == {"a/s/g1": Severity.HIGH, "a/t/g2": Severity.MEDIUM}


def test_any_message_ends_it(watch: Any) -> None:
    """A fault report is a sign of life as good as a reading; the clear says how long it was quiet."""
    _after(watch, 151)
    assert watch.say("fault", code="heater") == ["D101 clear"]
    assert watch.found[-1].evidence == {"reason": "heard", "silent_s": 151}


def test_a_retained_message_is_no_sign_of_life(watch: Any) -> None:
    """What the broker stored does not say that the device lives."""
    _after(watch, 100)
    watch.read(ch4_lel=0.0, retained=True)
    assert "a/s/g1" not in _silent(watch)
    _after(watch, 51)
    assert "a/s/g1" in _silent(watch)


def test_a_device_never_heard_is_missed_too(watch: Any) -> None:
    """Registration starts the watch; the evidence says that it never spoke."""
    _after(watch, 151)
    assert [f.evidence["ever_heard"] for f in watch.found] == [False, False]


def test_the_will_raises_at_once(watch: Any) -> None:
    """`status.offline` needs no waiting, is not itself a sign of life, and a new message ends it."""
    watch.read(ch4_lel=0.0)
    assert watch.say("status.offline") == ["D101 raise"]
    assert watch.found[-1].evidence["reason"] == "will"
    assert watch.say("status.online") == ["D101 clear"]


def test_our_own_restart_raises_no_storm(watch: Any) -> None:
    """After a start, silence counts from the start."""
    watch.wait(10_000)
    assert watch.start() == []
    assert _after(watch, 150) == []
    assert _after(watch, 1) == ["D101 raise", "D101 raise"]


def test_out_of_service_and_withdrawn_devices_may_be_silent(watch: Any, entries: dict[str, Any]) -> None:
    """Taking a device out of the register or out of service ends its alarm and its watch."""
    _after(watch, 151)
    assert watch.register(msgspec.structs.replace(entries["device"], in_service=False)) == ["D101 clear"]
    assert watch.withdraw(entries["quiet_device"]) == ["D101 clear"]
    assert _after(watch, 10_000) == []


def test_a_moved_device_is_watched_where_it_is_now(watch: Any, entries: dict[str, Any]) -> None:
    """The watch follows the register to the new site."""
    watch.register(msgspec.structs.replace(entries["device"], site="t"))
    _after(watch, 151)
    assert sorted(_silent(watch)) == ["a/t/g1", "a/t/g2"]


def test_a_models_new_interval_holds_for_its_devices(watch: Any, entries: dict[str, Any]) -> None:
    """A model that may be quiet for an hour is given two and a half."""
    watch.register(msgspec.structs.replace(entries["model"], interval_s=3600))
    assert _after(watch, 9000) == []
    assert len(_after(watch, 1)) == 2


def test_a_machine_is_watched_only_while_powered(watch: Any) -> None:
    """A switched-off welding machine is silent by right; one that was on and falls silent is not."""
    watch.say("power.on", "m1")
    watch.say("power.off", "m1")
    _after(watch, 500)
    assert "a/s/m1" not in _silent(watch)
    watch.say("power.on", "m1")
    _after(watch, 151)
    assert "a/s/m1" in _silent(watch)


def test_the_will_of_a_machine_that_is_off_says_nothing(watch: Any) -> None:
    """Switching off cuts the connection too."""
    assert watch.say("status.offline", "m1") == []


def test_a_restored_watch_still_follows_the_register(watch: Any, entries: dict[str, Any]) -> None:
    """After a snapshot and restore, withdrawing a device still ends its alarm."""
    _after(watch, 151)
    restored = Silence(Parameters())
    restored.restore(watch.detector.snapshot())
    watch.detector = restored
    assert watch.withdraw(entries["device"]) == ["D101 clear"]
