"""Devices that leave: withdrawn from the registers, or taken out of service. Whatever alarm they left standing ends with that.

Judged by the change alone: a device that was never registered, or speaks from a wrong place, is not silenced by an edit.
"""

from collections.abc import Collection, Iterable

from detectors.base import World
from domain.changes import RegisterChange
from domain.findings import Action, Finding
from domain.readings import Signal
from registers.device import Device

WITHDRAWN = "withdrawn"
"""Type of the signal that stands for a device's leave, and the reason of the clear that follows from it."""


def leavers(changes: Collection[RegisterChange]) -> frozenset[str]:
    """Return the codes of devices that, after all these changes, are withdrawn or out of service."""
    if not any(_leaves(change) for change in changes):  # nearly always: asked by every detector of every change
        return frozenset()
    last = {change.key: change for change in changes if change.noun == Device.noun}
    return frozenset(code for code, change in last.items() if _leaves(change))


def _leaves(change: RegisterChange) -> bool:
    if change.noun != Device.noun:
        return False
    return change.row is None or change.row.get("in_service") is False


def leaves(
    slots: Iterable[int], offset: int, now_ms: int, changes: Collection[RegisterChange], world: World
) -> list[Signal]:
    """Return, for those of the slots whose device leaves, a signal that says so."""
    gone = leavers(changes)
    mine = sorted(slot for slot in slots if world.slots.place(slot).device in gone) if gone else []
    return [Signal(offset, slot, WITHDRAWN, {}, now_ms, now_ms, 0) for slot in mine]


def left(changes: Collection[RegisterChange], world: World) -> list[int]:
    """Return every slot of the devices that leave."""
    return [slot for code in sorted(leavers(changes)) for slot in world.slots.named(code)]


def withdrawn(finding: Finding) -> bool:
    """Tell whether an alarm ended because its device left."""
    return finding.action is Action.CLEAR and finding.evidence.get("reason") == WITHDRAWN
