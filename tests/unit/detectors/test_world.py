"""What a register change concerns is found without looking at every device."""

import msgspec
import numpy as np
import pytest

from detectors.base import World
from domain.changes import RegisterChange
from domain.slots import SlotTable
from registers.device import Device, DeviceKind, DeviceModel
from registers.machine import Machine
from registers.noun import Noun
from registers.place import Site

DEVICE = Device(code="g1", site="s", model="M")


def _change(entry: Noun) -> RegisterChange:
    return RegisterChange(1, entry.noun, entry.key, msgspec.to_builtins(entry))


def test_a_device_concerns_every_place_it_speaks_from() -> None:
    """A name that speaks from a wrong place too is judged anew there as well."""
    world = World(SlotTable(["a/s/g1", "a/s/g2", "b/t/g1"]))
    assert world.touched([_change(DEVICE)]) == [0, 2]
    assert world.touched([_change(Site(code="s", name="s", area="a"))]) == []


@pytest.mark.parametrize("entry", [DeviceModel(code="M", name="M", kind=DeviceKind.GAS), Machine(code="W", chip="m1")])
def test_a_model_or_a_machine_may_concern_any(entry: Noun) -> None:
    """Who is of a model, or what chip a machine had, is asked of all."""
    assert World(SlotTable(["a/s/g1"])).touched([_change(DEVICE), _change(entry)]) is None


def test_rows_among_few_slots_are_marked_and_nothing_stays_marked() -> None:
    """Two questions in a row do not mix."""
    world = World(SlotTable([f"a/s/g{i}" for i in range(5)]))
    slots = np.array([0, 3, 3, 4], np.int32)
    assert world.among(slots, [3]).tolist() == [False, True, True, False]
    assert world.among(slots, {0, 2}).tolist() == [True, False, False, False]
    assert not world.among(slots, []).any()
