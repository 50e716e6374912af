"""A place where unit tests tell one detector things, a record at a time, and hear what it found."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.base import Detector, World
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import INDEX
from domain.readings import UNNUMBERED, Contacts, Quality, Readings, Segment, Signal
from registers.device import Device, DeviceKind, DeviceModel
from registers.machine import Machine
from registers.noun import Noun
from registers.place import Area, RiskClass, Site

MINUTE_MS = 60_000


class Stage:
    """Each call is one journal record at `now_ms`; it returns the findings as `RULE action` and keeps them in `found`."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.world = World()
        self.now_ms = 1_763_430_000_000
        self.found: list[Finding] = []
        self._offset = 0
        self._change_id = 0

    def wait(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)

    def read(
        self,
        device: str = "g1",
        *,
        late: bool = False,
        retained: bool = False,
        behind_s: float = 0.0,
        **values: float,
    ) -> list[str]:
        """One telemetry message, e.g. `read(ch4_lel=30.0)`; late means ten minutes old, `behind_s` a clock known to be so."""
        age_ms = 10 * MINUTE_MS if late else int(behind_s * 1000)
        quality = int((Quality.LATE if late else Quality(0)) | (Quality.RETAINED if retained else Quality(0)))
        n, slot = len(values), self._slot(device)
        readings = Readings(
            np.full(n, self._offset),
            np.full(n, slot, np.int32),
            np.array([INDEX[name] for name in values], np.int16),
            np.array(list(values.values())),
            np.full(n, self.now_ms - age_ms),
            np.full(n, self.now_ms),
            np.full(n, quality, np.uint8),
        )
        return self._observe(readings=readings, contacts=self._contact(slot, retained=retained))

    def say(
        self, kind: str, device: str = "g1", *, late: bool = False, retained: bool = False, **data: Any
    ) -> list[str]:
        """One event message, e.g. `say("alarm.high", measurand="ch4_lel")`."""
        quality = int((Quality.LATE if late else Quality(0)) | (Quality.RETAINED if retained else Quality(0)))
        slot = self._slot(device)
        event_ms = self.now_ms - (10 * MINUTE_MS if late else 0)
        signal = Signal(self._offset, slot, kind, data, event_ms, self.now_ms, quality)
        if kind == "status.offline":  # the broker's word, not the device's: no contact
            return self._observe(signals=(signal,))
        return self._observe(signals=(signal,), contacts=self._contact(slot, retained=retained))

    def count(
        self, seq: int, boot: int = 1, device: str = "g1", *, skew_s: float = 0.0, age_s: float = 0.0
    ) -> list[str]:
        """One message with nothing but its numbers, by a clock `skew_s` ahead, `age_s` old."""
        contact = self._contact(self._slot(device), retained=False)
        numbers = {"boot": np.array([boot]), "seq": np.array([seq]), "skew_ms": np.array([int(skew_s * 1000)])}
        event_ms = np.array([self.now_ms - int(age_s * 1000)])
        return self._observe(contacts=replace(contact, event_ms=event_ms, **numbers))

    def tick(self) -> list[str]:
        return self._keep(self.detector.tick(self._next(), self.now_ms, self.world).findings)

    def start(self) -> list[str]:
        return self._keep(self.detector.started(self._next(), self.now_ms, self.world).findings)

    def register(self, *entries: Noun) -> list[str]:
        return self._change([(entry.noun, entry.key, entry.projection()) for entry in entries])

    def withdraw(self, entry: Noun) -> list[str]:
        return self._change([(entry.noun, entry.key, None)])

    def _change(self, rows: list[tuple[str, str, dict[str, Any] | None]]) -> list[str]:
        changes = []
        for row in rows:
            self._change_id += 1
            changes.append(RegisterChange(self._change_id, *row))
        applied = self.world.view.apply(changes)
        return self._keep(self.detector.changed(self._next(), self.now_ms, applied, self.world).findings)

    def _slot(self, device: str) -> int:
        return self.world.slots.take(device if "/" in device else f"a/s/{device}")

    def _contact(self, slot: int, *, retained: bool) -> Contacts:
        at, none = np.array([self.now_ms]), np.array([UNNUMBERED])
        return Contacts(
            np.array([self._offset]), np.array([slot], np.int32), at, np.array([retained]), at, at - at, none, none
        )

    def _observe(self, **parts: Any) -> list[str]:
        offset = self._next()
        return self._keep(self.detector.observe(Segment(offset, offset + 1, **parts), self.world).findings)

    def _next(self) -> int:
        self._offset += 1
        return self._offset - 1

    def _keep(self, findings: list[Finding]) -> list[str]:
        self.found += findings
        return [f"{finding.rule} {finding.action}" for finding in findings]


@pytest.fixture
def stage() -> Callable[[Detector], Stage]:
    """Return a function that puts a detector on an empty stage."""
    return Stage


@pytest.fixture
def entries() -> dict[str, Any]:
    """Return register entries: area a, high-risk site s, site t, a 60-second gas model M and devices of it, machine m1."""
    return {
        "area": Area(code="a", name="甲"),
        "site": Site(code="s", name="厂", area="a", risk=RiskClass.MAJOR),
        "shop": Site(code="t", name="店", area="a"),
        "model": DeviceModel(code="M", name="型", kind=DeviceKind.GAS, measurand="ch4_lel"),
        "device": Device(code="g1", site="s", model="M"),
        "quiet_device": Device(code="g2", site="t", model="M"),
        "machine": Machine(code="W1", chip="m1", interval_s=60),
    }
