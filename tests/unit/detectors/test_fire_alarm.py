"""F101: one alarm per device, held by its points, suppressed by nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import World
from detectors.fire import FireAlarm
from domain.findings import Finding, Severity
from domain.readings import Quality, Segment, Signal


class Detector:
    """A smoke detector's alarm, fed one event at a time."""

    def __init__(self) -> None:
        self.world = World()
        self.world.slots.take("a/s/f1")
        self.world.slots.take("a/s/f2")
        self.rule = FireAlarm()
        self.at_ms = 10_000_000
        self.found: list[Finding] = []

    def say(self, kind: str, point: object = None, *, slot: int = 0, quality: int = 0, age_s: int = 0) -> list[str]:
        self.at_ms += 1000
        data: dict[str, Any] = {} if point is None else {"point": point}
        event_ms = self.at_ms - 1000 * age_s
        signal = Signal(self.at_ms // 1000, slot, kind, data, event_ms, self.at_ms, quality)
        found = self.rule.observe(Segment(signal.offset, signal.offset + 1, signals=(signal,)), self.world).findings
        self.found += found
        return [f"{finding.action} {'+'.join(finding.evidence['points'])}" for finding in found]


@pytest.fixture
def smoke() -> Detector:
    return Detector()


@pytest.mark.parametrize("point", ["smoke", "heat", "flame", "co", "manual"])
def test_the_alarm_of_any_point_is_critical_at_once(smoke: Detector, point: str) -> None:
    """No delay, no second opinion: one point's bit is severity 1."""
    assert smoke.say("fire.alarm", point) == [f"raise {point}"]
    assert smoke.found[-1].severity is Severity.CRITICAL


@pytest.mark.parametrize("point", [None, "somke", 7, ["smoke"]])
def test_a_misspelt_alarm_is_an_alarm(smoke: Detector, point: object) -> None:
    """A point that is missing or unknown still burns, and its own clear ends it."""
    assert smoke.say("fire.alarm", point) == ["raise other"]
    assert smoke.say("fire.clear", point) == ["clear other"]


def test_points_of_one_device_make_one_alarm(smoke: Detector) -> None:
    """A second point changes the alarm; it clears when the last point is clear."""
    assert smoke.say("fire.alarm", "smoke") == ["raise smoke"]
    assert smoke.say("fire.alarm", "heat") == ["change heat+smoke"]
    assert smoke.say("fire.clear", "smoke") == ["change heat"]
    assert smoke.say("fire.clear", "heat") == ["clear heat"]


def test_repetition_is_not_news(smoke: Detector) -> None:
    """Devices repeat their alarm until they see a receipt; a clear of what is clear says nothing either."""
    smoke.say("fire.alarm", "smoke")
    assert smoke.say("fire.alarm", "smoke") == []
    assert smoke.say("fire.clear", "heat") == []


def test_devices_do_not_share_alarms(smoke: Detector) -> None:
    """The clear of one device does not end the alarm of another."""
    smoke.say("fire.alarm", "smoke")
    assert smoke.say("fire.clear", "smoke", slot=1) == []
    assert smoke.say("fire.alarm", "smoke", slot=1) == ["raise smoke"]


@pytest.mark.parametrize("kind", ["mute", "shield", "tamper", "selftest", "fault", "status.offline"])
def test_nothing_on_site_suppresses_an_alarm(smoke: Detector, kind: str) -> None:
    """A muted, shielded, opened or silent detector alarms, and its standing alarm stays."""
    smoke.say(kind)
    assert smoke.say("fire.alarm", "smoke") == ["raise smoke"]
    assert smoke.say(kind, "smoke") == []


def test_retained_messages_neither_raise_nor_clear(smoke: Detector) -> None:
    """What the broker kept from some other day is not said now."""
    assert smoke.say("fire.alarm", "smoke", quality=Quality.RETAINED) == []
    smoke.say("fire.alarm", "smoke")
    assert smoke.say("fire.clear", "smoke", quality=Quality.RETAINED) == []


def test_a_late_alarm_is_raised_and_marked(smoke: Detector) -> None:
    """迟报 is told, does not claim to be current, and becomes current with the first live repetition."""
    assert smoke.say("fire.alarm", "smoke", quality=Quality.LATE, age_s=600) == ["raise smoke"]
    assert smoke.say("fire.alarm", "smoke") == ["change smoke"]
    assert [finding.late for finding in smoke.found] == [True, False]
    assert smoke.say("fire.alarm", "smoke", quality=Quality.LATE, age_s=600) == []


def test_a_late_clear_does_not_end_a_newer_alarm(smoke: Detector) -> None:
    """A clear that was delayed on the way and is older than the alarm by the device's own clock is overtaken."""
    smoke.say("fire.alarm", "smoke")
    assert smoke.say("fire.clear", "smoke", quality=Quality.LATE, age_s=600) == []
    assert smoke.say("fire.clear", "smoke") == ["clear smoke"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fire.alarm", "fire.clear", "mute"]),
            st.sampled_from(["smoke", "heat", "manual", None]),
            st.integers(0, 1),
            st.sampled_from([0, int(Quality.LATE), int(Quality.RETAINED)]),
        ),
        max_size=40,
    )
)
def test_a_restored_detector_goes_on_as_before(events: list[tuple[str, str | None, int, int]]) -> None:
    """A snapshot at any event changes nothing, and every device's findings read raise, changes, clear."""
    whole, parts = Detector(), Detector()
    for kind, point, slot, quality in events:
        whole.say(kind, point, slot=slot, quality=quality)
        restored = FireAlarm()
        restored.restore(parts.rule.snapshot())
        parts.rule = restored
        parts.say(kind, point, slot=slot, quality=quality)
    assert parts.found == whole.found
    standing: set[str] = set()
    for finding in whole.found:
        assert (finding.device in standing) == (finding.action != "raise")
        (standing.discard if finding.action == "clear" else standing.add)(finding.device)
