"""Events are repeated until their receipts come, and only events."""

from simulators.device import OFFLINE, TimedMessage
from simulators.receipts import Unconfirmed

STEM = "safety/v1/a/s/d"


def event(seq: int, stem: str = STEM) -> TimedMessage:
    return TimedMessage(0, f"{stem}/event", b'{"ts":1,"seq":%d,"boot":7,"type":"power.on","data":{}}' % seq)


def test_an_event_is_due_again_until_its_receipt_comes() -> None:
    """Not at once, then again; after the receipt never more."""
    unconfirmed = Unconfirmed()
    unconfirmed.add(event(1), 0.0)
    assert unconfirmed.due(4.9) == []
    assert unconfirmed.due(5.0) == [event(1)]
    unconfirmed.confirm(f"{STEM}/receipt", b'{"boot":7,"seq":1}')
    assert unconfirmed.due(1000.0) == []


def test_pauses_grow_and_the_device_gives_up() -> None:
    """Each pause is twice the last, up to a minute, and there are ten repeats."""
    unconfirmed = Unconfirmed()
    unconfirmed.add(event(1), 0.0)
    times = [second for second in range(3600) if unconfirmed.due(float(second))]
    assert times[:4] == [5, 15, 35, 75]
    assert len(times) == 10
    assert unconfirmed.events == {}


def test_a_receipt_confirms_only_its_own_event() -> None:
    """Another boot, another seq, another device, or rubbish confirm nothing."""
    unconfirmed = Unconfirmed()
    unconfirmed.add(event(1), 0.0)
    for topic, payload in (
        (f"{STEM}/receipt", b'{"boot":8,"seq":1}'),
        (f"{STEM}/receipt", b'{"boot":7,"seq":2}'),
        ("safety/v1/a/s/other/receipt", b'{"boot":7,"seq":1}'),
        (f"{STEM}/receipt", b"rubbish"),
        ("elsewhere", b'{"boot":7,"seq":1}'),
    ):
        unconfirmed.confirm(topic, payload)
    assert len(unconfirmed.events) == 1


def test_telemetry_needs_no_receipt() -> None:
    """Only events are remembered."""
    unconfirmed = Unconfirmed()
    unconfirmed.add(TimedMessage(0, f"{STEM}/telemetry", b"anything"), 0.0)
    assert unconfirmed.events == {}


def test_a_device_without_power_forgets_its_events() -> None:
    """The will of a device drops its own unconfirmed events and nobody else's."""
    unconfirmed = Unconfirmed()
    unconfirmed.add(event(1), 0.0)
    unconfirmed.add(event(1, "safety/v1/a/s/other"), 0.0)
    unconfirmed.add(TimedMessage(0, f"{STEM}/status", OFFLINE, retain=True, will=True), 1.0)
    assert [path for path, _ in unconfirmed.events] == ["a/s/other"]
