"""The promise every detector keeps, and the world it sees.

A detector is a pure function of the segments it was given, in order: how the journal is cut into segments, when snapshots
are taken and how often the process restarts must not change one byte of its findings. `tests/contract` runs that promise
on each of them.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import Marks
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.geo import Place
from domain.readings import Float64, Int16, Int32, Int64, Segment
from domain.slots import SlotTable
from registers.device import Device, DeviceModel
from registers.machine import Machine
from registers.view import RegisterView

_SHARED = (DeviceModel.noun, Machine.noun)


@dataclass(frozen=True, slots=True)
class World:
    """What detectors may look at: which paths have which slots, and the registers as of this record."""

    slots: SlotTable = field(default_factory=SlotTable)
    view: RegisterView = field(default_factory=RegisterView)
    _marks: Marks = field(default_factory=Marks, repr=False, compare=False)

    def among(self, slots: Int32, chosen: Collection[int]) -> NDArray[np.bool_]:
        """Return the mask of rows (a slot each) whose slot is one of the chosen: the few that need a closer look."""
        return self._marks.among(slots, chosen, len(self.slots))

    def touched(self, changes: Iterable[RegisterChange]) -> list[int] | None:
        """Return the slots of the devices that changed; None when it may be any, because a model or a machine did."""
        slots: list[int] = []
        for change in changes:
            if change.noun in _SHARED:
                return None
            if change.noun == Device.noun:
                slots += self.slots.named(change.key)
        return slots

    def snapshot(self) -> dict[str, Any]:
        """Return slots and registers as plain values."""
        return {"slots": list(self.slots.paths()), "view": self.view.snapshot()}

    def restore(self, state: dict[str, Any]) -> None:
        """Become what `snapshot` gave; only on a fresh world."""
        for path in state["slots"]:
            self.slots.take(path)
        self.view.restore(state["view"])


class Transition(NamedTuple):
    """A state that rules across signals care about, e.g. (`arc`, True) of a machine, at a record; `place` if it is known."""

    offset: int
    slot: int
    state: str
    on: bool
    at_ms: int
    place: Place | None = None


class Scores(NamedTuple):
    """A statistical rule's score of every reading it judged: four arrays of shape (n,), in journal order."""

    rule: str
    slot: Int32
    measurand: Int16
    event_ms: Int64
    score: Float64


@dataclass(frozen=True, slots=True)
class Output:
    """What one call gives: findings and transitions, each in journal order; scores only from statistical rules."""

    findings: list[Finding] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    scores: Scores | None = None


class Detector(Protocol):
    """One algorithm watching all devices at once.

    Within a segment: first `observe` (readings, contacts, signals), then, if the segment ends with a control record,
    `started`, `changed` or `tick` with that record's offset and time. Arrays are indexed by slot and grow on demand:
    memory is bounded by the number of slots. Retained readings and signals (Quality.RETAINED) never raise.
    """

    rules: tuple[str, ...]

    def observe(self, segment: Segment, world: World) -> Output:
        """Take in everything of the segment but its control."""
        ...

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        """Time went on to `now_ms`."""
        ...

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        """Learn that the service was not listening before `now_ms`: silence until now proves nothing."""
        ...

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        """`world.view` now includes `changes`."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """Return all state as msgpack-able values and NumPy arrays; must not share memory with the detector."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Become the state that `snapshot` gave."""
        ...


class Correlator(Protocol):
    """A rule across signals: fed by what detectors found, in journal order, never by readings."""

    rules: tuple[str, ...]

    def correlate(self, findings: list[Finding], transitions: list[Transition], world: World) -> list[Finding]:
        """Return what follows from this segment's findings and transitions."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """As Detector.snapshot."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """As Detector.restore."""
        ...
