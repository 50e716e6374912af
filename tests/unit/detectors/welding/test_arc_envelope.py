"""What current and voltage say, as a table of moments whose truth is known."""

import numpy as np
import pytest

from detectors.base import World
from detectors.welding.envelope import HOLD, MAINS, NO_MACHINE, OUT, SECONDARY, STRIKE, Envelopes
from domain.changes import RegisterChange
from registers.machine import Machine, Process

TRUTH = [
    # process, what happens, A, V, level
    (Process.MMA, "idle at open circuit", 0.5, 70.0, OUT),
    (Process.MMA, "idle with a leaky sensor", 25.0, 70.0, OUT),
    (Process.MMA, "electrode sticks", 180.0, 3.0, OUT),
    (Process.MMA, "strike", 150.0, 9.0, OUT),
    (Process.MMA, "arc on the load line", 120.0, 24.8, STRIKE),
    (Process.MMA, "long arc", 100.0, 34.0, STRIKE),
    (Process.MMA, "thin electrode", 45.0, 21.8, STRIKE),
    (Process.MMA, "carbon arc gouging", 400.0, 40.0, STRIKE),
    (Process.MMA, "dying arc", 17.0, 30.0, HOLD),
    (Process.MMA, "off", 0.0, 0.0, OUT),
    (Process.TIG, "thin sheet, below an electrode's short circuit", 60.0, 11.0, STRIKE),
    (Process.TIG, "arc on the load line", 150.0, 16.0, STRIKE),
    (Process.TIG, "touch start", 40.0, 2.0, OUT),
    (Process.TIG, "idle at open circuit", 0.0, 85.0, OUT),
    (Process.MAG, "arc on the load line", 200.0, 24.0, STRIKE),
    (Process.MAG, "CO2, upper shop rule", 300.0, 33.0, STRIKE),
    (Process.MAG, "idle, low open-circuit voltage", 2.0, 38.0, OUT),
    (Process.MAG, "wire stubs", 250.0, 6.0, OUT),
    (Process.RESISTANCE, "spot weld", 8000.0, 5.0, STRIKE),
    (Process.RESISTANCE, "waiting", 0.0, 9.0, OUT),
    (Process.GAS, "arc of a set said to be gas", 120.0, 24.8, STRIKE),
    (None, "unknown machine, electrode", 120.0, 24.8, STRIKE),
    (None, "unknown machine, TIG", 60.0, 11.0, STRIKE),
    (None, "unknown machine, open circuit", 1.0, 75.0, OUT),
    (None, "unknown electricity meter", 30.0, 228.0, OUT),
]


def _world(*changes: RegisterChange) -> World:
    world = World()
    world.slots.take("a/s/m1")
    world.view.apply(changes)
    return world


def _machine(**fields: object) -> RegisterChange:
    machine = Machine(code="M-1", chip="m1")
    return RegisterChange(1, "machine", "M-1", machine.projection() | fields)


def _envelopes(world: World) -> Envelopes:
    envelopes = Envelopes(arc_a=20.0, off_delay_s=90.0)
    envelopes.refresh(world)
    return envelopes


@pytest.mark.parametrize(("process", "what", "amps", "volts", "level"), TRUTH)
def test_current_and_voltage_together_tell_an_arc(
    process: Process | None, what: str, amps: float, volts: float, level: int
) -> None:
    """Each moment of the table is read as what it is, by the load line of the machine's process."""
    world = _world(_machine(process=process.value)) if process else _world()
    levels = _envelopes(world).levels(np.zeros(1, np.int32), np.array([amps]), np.array([volts]))
    assert levels.tolist() == [level], what


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (SECONDARY, [_machine()]),
        (MAINS, [_machine(measures="mains")]),
        (SECONDARY, []),
        (
            NO_MACHINE,
            [
                RegisterChange(1, "model", "gx", {"code": "gx", "name": "gx", "kind": "gas"}),
                RegisterChange(2, "device", "m1", {"code": "m1", "site": "s", "model": "gx"}),
            ],
        ),
        (
            SECONDARY,
            [
                RegisterChange(1, "model", "wx", {"code": "wx", "name": "wx", "kind": "welding"}),
                RegisterChange(2, "device", "m1", {"code": "m1", "site": "s", "model": "wx"}),
            ],
        ),
    ],
)
def test_only_a_device_registered_as_something_else_is_no_machine(kind: int, changes: list[RegisterChange]) -> None:
    """A device nobody knows may weld; a registered gas detector does not, whatever current it reports."""
    assert _envelopes(_world(*changes)).kind.tolist() == [kind]


def test_a_machine_that_reports_rarely_is_given_longer() -> None:
    """Patience is the off-delay, or one and a half of the machine's own reporting intervals if that is more."""
    assert _envelopes(_world(_machine(interval_s=10))).patience_ms.tolist() == [90_000]
    assert _envelopes(_world(_machine(interval_s=300))).patience_ms.tolist() == [450_000]


def test_registers_are_read_anew_only_when_machines_or_devices_change() -> None:
    """A change of a permit touches no envelope; a change of a machine does."""
    world = _world()
    envelopes = _envelopes(world)
    change = _machine(measures="mains")
    world.view.apply([change])
    envelopes.forget([RegisterChange(2, "permit", "DH-1")], world)
    envelopes.refresh(world)
    assert envelopes.kind.tolist() == [SECONDARY]
    envelopes.forget([change], world)
    envelopes.refresh(world)
    assert envelopes.kind.tolist() == [MAINS]
