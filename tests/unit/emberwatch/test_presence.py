"""Presence: the online rate on the screen."""

import numpy as np
import pytest

from detectors.base import World
from domain.changes import RegisterChange
from domain.readings import Contacts
from emberwatch.presence import Presence
from registers.device import Device, DeviceKind, DeviceModel
from registers.place import Area, Site

MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture
def world() -> World:
    entries = (
        Area(code="a", name="a"),
        Site(code="s", name="s", area="a"),
        DeviceModel(code="m", name="m", kind=DeviceKind.GAS, interval_s=60),
        Device(code="d", site="s", model="m"),
        Device(code="never", site="s", model="m"),
    )
    made = World()
    made.view.apply(RegisterChange(i, e.noun, e.key, e.projection()) for i, e in enumerate(entries, start=1))
    made.slots.take("a/s/d")
    made.slots.take("a/s/stranger")
    return made


def contact(slot: int, at_ms: int, *, retained: bool = False) -> Contacts:
    at, zero = np.array([at_ms]), np.array([0])
    return Contacts(zero, np.array([slot], np.int32), at, np.array([retained]), at, zero, zero, zero)


def test_a_device_is_online_for_two_and_a_half_intervals(world: World) -> None:
    """Two missed messages are no reason to call it silent."""
    presence = Presence()
    presence.take(contact(0, MINUTE))
    assert presence.online(world, MINUTE + 150_000)["a/s/d"]
    assert not presence.online(world, MINUTE + 150_001)["a/s/d"]


def test_registered_online_and_unknown_are_counted(world: World) -> None:
    """A device never heard is registered and not online; a stranger is neither."""
    presence = Presence()
    presence.take(contact(0, MINUTE))
    presence.take(contact(1, MINUTE))
    assert presence.count(world, MINUTE) == (2, 1, 1)


def test_a_retained_message_is_not_speech(world: World) -> None:
    """The broker stored it; nobody knows when."""
    presence = Presence()
    presence.take(contact(0, 9 * MINUTE, retained=True))
    assert presence.count(world, 9 * MINUTE).online == 0


def test_an_older_contact_does_not_turn_time_back(world: World) -> None:
    """Replays come in any order."""
    presence = Presence()
    presence.take(contact(0, 2 * MINUTE))
    presence.take(contact(0, MINUTE))
    assert presence.heard_ms(0) == 2 * MINUTE


def test_many_slots_are_no_trouble(world: World) -> None:
    """The array grows."""
    presence = Presence()
    presence.take(contact(50_000, MINUTE))
    assert presence.heard_ms(50_000) == MINUTE
    assert presence.heard_ms(49_999) == 0
    assert presence.heard_ms(10**9) == 0


def test_registers_that_change_are_seen_at_once(world: World) -> None:
    """A stranger becomes a device, a device gets another interval, and a new slot is known, whatever was kept before."""
    presence = Presence()
    presence.take(contact(1, HOUR))
    assert presence.count(world, HOUR) == (2, 0, 1)
    for number, entry in enumerate(
        (
            DeviceModel(code="slow", name="slow", kind=DeviceKind.GAS, interval_s=600),
            Device(code="stranger", site="s", model="slow"),
        ),
        start=world.view.last_id + 1,
    ):
        world.view.apply([RegisterChange(number, entry.noun, entry.key, entry.projection())])
    assert presence.count(world, HOUR + 1_500_000) == (3, 1, 0)
    presence.take(contact(world.slots.take("a/s/late"), HOUR))
    assert presence.count(world, HOUR) == (3, 1, 1)


def test_registers_are_asked_once_not_at_every_look(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 100,000 devices a look would cost a second."""
    presence = Presence()
    before = presence.count(world, MINUTE), presence.online(world, MINUTE)
    monkeypatch.setattr(world.view, "device", pytest.fail)
    assert (presence.count(world, MINUTE), presence.online(world, MINUTE)) == before


def test_a_registered_name_from_elsewhere_is_a_stranger(world: World) -> None:
    """Never more online than registered."""
    world.slots.take("a/elsewhere/d")
    presence = Presence()
    presence.take(contact(0, MINUTE))
    presence.take(contact(2, MINUTE))
    assert presence.count(world, MINUTE) == (2, 1, 1)


def test_the_service_itself_is_no_device(world: World) -> None:
    """It speaks of itself in the journal, and would be listed as a device of no register that is never heard."""
    world.slots.take("emberwatch/service/self")
    world.slots.take("emberwatch/services/real")
    assert set(Presence().online(world, MINUTE)) == {"a/s/d", "a/s/stranger", "emberwatch/services/real"}
