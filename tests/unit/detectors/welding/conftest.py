"""A workshop with one registered machine, welder, certificate and permit, driven record by record on a Wednesday morning."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from detectors.base import World
from detectors.cross import hot_work_in_gas
from detectors.engine import Engine
from detectors.parameters import Parameters
from detectors.welding.detector import Welding
from domain.changes import RegisterChange
from domain.measurands import INDEX
from domain.readings import Quality, Readings, Segment, Signal
from registers.machine import Machine, Process
from registers.noun import Noun
from registers.permit import Permit, PermitLevel
from registers.person import Certificate, CertificateState, Family, Welder
from registers.view import LOCAL

if TYPE_CHECKING:
    from domain.findings import Finding

LIVE = Quality(0)
WEDNESDAY = dt.datetime(2026, 11, 18, 10, 0, tzinfo=LOCAL)


class Workshop:
    """Each call is one journal record; what was found is returned as words (`W102 raise`) and kept in `found`."""

    def __init__(self) -> None:
        self.engine = fresh_engine()
        self.now_ms = int(WEDNESDAY.timestamp() * 1000)
        self.records: list[Segment] = []
        self.found: list[Finding] = []
        self._changes = 0

    @property
    def world(self) -> World:
        return self.engine.world

    def slot(self, device: str) -> int:
        return self.world.slots.take(f"a/s/{device}")

    def register(self, *entries: Noun) -> list[str]:
        """Put entries into the registers."""
        return self._change(*((entry.noun, entry.key, entry.projection()) for entry in entries))

    def machine(self, **fields: Any) -> list[str]:
        """Register machine M-1 with chip m1, changed in these fields; the same for the other nouns below."""
        return self.register(Machine(**({"code": "M-1", "chip": "m1", "process": Process.MMA} | fields)))

    def welder(self, **fields: Any) -> list[str]:
        usual = {"code": "w1", "name": "张某一", "credential": "C-1", "id_number": "11010519491231002X"}
        return self.register(Welder(**(usual | fields)))

    def certificate(self, **fields: Any) -> list[str]:
        usual: dict[str, Any] = {
            "code": "cert1",
            "welder": "w1",
            "number": "T11010519491231002X",
            "family": Family.EMERGENCY,
            "category": "焊接与热切割作业",
            "item": "熔化焊接与热切割作业",
            "issued_on": dt.date(2023, 1, 1),
            "valid_until": dt.date(2028, 12, 31),
            "state": CertificateState.VALID,
        }
        return self.register(Certificate(**(usual | fields)))

    def permit(self, **fields: Any) -> list[str]:
        usual: dict[str, Any] = {
            "code": "DH-1",
            "site": "s",
            "level": PermitLevel.FIRST,
            "starts_at": WEDNESDAY - dt.timedelta(hours=2),
            "ends_at": WEDNESDAY + dt.timedelta(hours=6),
        }
        return self.register(Permit(**(usual | fields)))

    def prepare(self, device: str = "m1") -> list[str]:
        """Let the guardian check in and the air be tested."""
        return self.say("guardian.in", device, person="G-1") + self.say(
            "gas_test", device, measurand="ch4_lel", value=0.0, by="G-1"
        )

    def withdraw(self, noun: str, key: str) -> list[str]:
        return self._change((noun, key, None))

    def weld(self, device: str = "m1", amps: float = 120.0, volts: float | None = 25.0, late_s: int = 0) -> list[str]:
        """Send one reading of current and, unless None, voltage; `late_s`: how old it is."""
        values = {"current_a": amps} | ({} if volts is None else {"voltage_v": volts})
        return self.read(device, [values], quality=Quality.LATE if late_s else LIVE, late_s=late_s)

    def idle(self, device: str = "m1") -> list[str]:
        return self.weld(device, amps=0.5, volts=70.0)

    def read(
        self,
        device: str,
        samples: list[dict[str, float]],
        quality: Quality = LIVE,
        late_s: int = 0,
        step_s: int = 1,
    ) -> list[str]:
        """Send one message of several samples, `step_s` apart by the device's clock, the last one now."""
        rows = [(INDEX[name], value, i) for i, sample in enumerate(samples) for name, value in sample.items()]
        age = [late_s + (len(samples) - 1 - i) * step_s for _, _, i in rows]
        n = len(rows)
        readings = Readings(
            np.full(n, self.offset, np.int64),
            np.full(n, self.slot(device), np.int32),
            np.array([row[0] for row in rows], np.int16),
            np.array([row[1] for row in rows], np.float64),
            np.array([self.now_ms - 1000 * seconds for seconds in age], np.int64),
            np.full(n, self.now_ms, np.int64),
            np.full(n, int(quality), np.uint8),
        )
        return self._process(Segment(self.offset, self.offset + 1, readings=readings))

    def say(self, kind: str, device: str = "m1", *, quality: Quality = LIVE, late_s: int = 0, **data: Any) -> list[str]:
        """Send one event."""
        event_ms = self.now_ms - 1000 * late_s
        signal = Signal(self.offset, self.slot(device), kind, data, event_ms, self.now_ms, int(quality))
        return self._process(Segment(self.offset, self.offset + 1, signals=(signal,)))

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, and a tick say so."""
        self.now_ms += int(seconds * 1000)
        return self._process(Segment(self.offset, self.offset + 1, tick_ms=self.now_ms))

    def wait_until(self, local: dt.datetime) -> list[str]:
        return self.wait(local.timestamp() - self.now_ms / 1000)

    def local(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.now_ms / 1000, LOCAL)

    def restart(self) -> list[str]:
        return self._process(Segment(self.offset, self.offset + 1, started_ms=self.now_ms))

    @property
    def offset(self) -> int:
        return len(self.records)

    def _change(self, *rows: tuple[str, str, dict[str, Any] | None]) -> list[str]:
        changes = []
        for noun, key, row in rows:
            self._changes += 1
            changes.append(RegisterChange(self._changes, noun, key, row))
        segment = Segment(self.offset, self.offset + 1, changes=tuple(changes), changed_ms=self.now_ms)
        return self._process(segment)

    def _process(self, segment: Segment) -> list[str]:
        self.records.append(segment)
        found = self.engine.process(segment)
        self.found += found
        return [f"{finding.rule} {finding.action}" for finding in found]


def fresh_engine() -> Engine:
    return Engine(World(), [Welding(Parameters())], [hot_work_in_gas(Parameters())])


@pytest.fixture
def empty() -> Workshop:
    """Return a workshop nobody has registered."""
    return Workshop()


@pytest.fixture
def new_shop() -> Callable[[], Workshop]:
    """Return a maker of workshops in which everything is in order, but nobody is scanned in yet."""

    def make() -> Workshop:
        shop = Workshop()
        for put in (shop.machine, shop.welder, shop.certificate, shop.permit):
            put()
        shop.prepare()
        return shop

    return make


@pytest.fixture
def shop(new_shop: Callable[[], Workshop]) -> Workshop:
    """Return one such workshop."""
    return new_shop()


@pytest.fixture
def work(shop: Workshop) -> Workshop:
    """Return the same, with its welder scanned in."""
    shop.say("scan.in", credential="C-1", permit="DH-1")
    return shop
