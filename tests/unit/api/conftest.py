"""A small district on real SQL adapters behind the whole application, with a clock that tests turn."""

import datetime as dt
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter

from api import accounts
from api.app import create_app
from api.services import Check, LiveStatus, Services
from detectors.catalogue import policies
from domain.findings import Action, Finding, Severity
from domain.measurands import INDEX
from domain.readings import Readings
from ledger.books import DeadLetter, Decided
from registers.account import Role
from registers.device import Device, DeviceKind, DeviceModel
from registers.inspector import Inspector
from registers.machine import Machine
from registers.person import Certificate, CertificateState, Family, Welder
from registers.place import Area, Enterprise, RiskClass, Site
from registers.resident_id import check_digit
from storage.memory_history import MemoryHistory
from storage.sql.accounts import SqlAccounts
from storage.sql.engine import METADATA, open_engine
from storage.sql.ledger import SqlLedger
from storage.sql.registers import SqlRegisters

NOW_MS = 1_763_900_000_000
GAS = "beidu/canteen-1/gas-001"
RESIDENT = "41040219800101123" + check_digit("41040219800101123")
PERSONAL = ("王大锤", "李建国", "赵巡检", "13800001234", "13900005678", "13700009012", RESIDENT)
"""Every personal value of the fixtures: none may appear in any response."""

ENTRIES = (
    Area(code="beidu", name="北渡街道"),
    Enterprise(code="e-1", name="示例餐饮公司", industry="餐饮", contact="李建国", phone="13900005678"),
    Site(
        code="canteen-1",
        name="一号食堂",
        area="beidu",
        enterprise="e-1",
        risk=RiskClass.MAJOR,
        lat=33.74,
        lon=113.3,
    ),
    Site(code="workshop-2", name="二号车间", area="beidu"),
    DeviceModel(
        code="gt-100", name="点型可燃气体探测器", kind=DeviceKind.GAS, measurand="ch4_lel", level1=20, level2=40
    ),
    Device(code="gas-001", site="canteen-1", model="gt-100", name="灶台上方"),
    Device(code="gas-002", site="workshop-2", model="gt-100", level1=10),
    Machine(code="HJ-1", chip="chip-1", enterprise="e-1"),
    Welder(code="w-1", name="王大锤", credential="C-1", id_number=RESIDENT, phone="13800001234"),
    Certificate(
        code="c-1",
        welder="w-1",
        number=f"T{RESIDENT}",
        family=Family.EMERGENCY,
        category="焊接与热切割作业",
        item="熔化焊接与热切割作业",
        issued_on=dt.date(2024, 1, 1),
        valid_until=dt.date(2029, 12, 31),
        state=CertificateState.VALID,
    ),
    Inspector(code="i-1", name="赵巡检", phone="13700009012"),
)


def _never(error: BaseException) -> None:
    raise AssertionError from error


@dataclass
class House:
    """The application and what stands behind it. `now_ms` is the clock; `online` the devices heard."""

    services: Services
    ledger: SqlLedger
    history: MemoryHistory
    app: FastAPI
    now_ms: int = NOW_MS
    online: dict[str, bool] = field(default_factory=lambda: {GAS: True, "beidu/canteen-1/stray-9": True})
    ready: bool = True
    _offset: int = 0

    def find(self, rule: str, *, device: str = GAS, action: Action = Action.RAISE, severity: int = 2) -> None:
        """Commit one finding."""
        self._offset += 1
        finding = Finding(
            offset=self._offset,
            rule=rule,
            device=device,
            action=action,
            severity=Severity(severity),
            at_ms=self.now_ms,
            event_ms=self.now_ms,
            evidence={"measurand": "ch4_lel", "value": 27.0, "unit": "%LEL"},
        )
        self.ledger.books.commit(Decided(end_offset=self._offset + 1, now_ms=self.now_ms, findings=[finding]))

    def bury(self, payload: bytes) -> int:
        """Commit one dead letter; return its offset."""
        self._offset += 1
        letter = DeadLetter(
            offset=self._offset, received_ms=self.now_ms, topic="safety/v1/x", payload=payload, reason="json"
        )
        self.ledger.books.commit(Decided(end_offset=self._offset + 1, now_ms=self.now_ms, dead_letters=[letter]))
        return self._offset

    def measure(self, values: list[float], *, step_ms: int = 1000) -> None:
        """Write readings of ch4_lel of the gas detector, the last one now."""
        n = len(values)
        times = self.now_ms - step_ms * np.arange(n - 1, -1, -1, dtype=np.int64)
        start = self.history.offset()
        readings = Readings(
            offset=np.arange(start, start + n, dtype=np.int64),
            slot=np.zeros(n, np.int32),
            measurand=np.full(n, INDEX["ch4_lel"], np.int16),
            value=np.array(values, np.float64),
            event_ms=times,
            received_ms=times,
            quality=np.zeros(n, np.uint8),
        )
        self.history.write(readings, [GAS], start + n)

    def rebuilt(self, **changes: object) -> FastAPI:
        """Return an application on the same services with some of them changed."""
        self.services = replace(self.services, **changes)  # type: ignore[arg-type]
        self.app = create_app(self.services)
        return self.app


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords in tests are worth nothing."""
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the database once: two sites, two detectors, a machine, a welder and an inspector."""
    path = tmp_path_factory.mktemp("district") / "emberwatch.db"
    engine = open_engine(f"sqlite:///{path}")
    METADATA.create_all(engine)
    SqlRegisters(engine).put(ENTRIES, "test")
    engine.dispose()
    return path


@pytest.fixture
def house(tmp_path: Path, district: Path) -> Iterator[House]:
    """Yield the application on a fresh copy of the district."""
    engine = open_engine(f"sqlite:///{shutil.copy(district, tmp_path)}")
    ledger, registers, history = SqlLedger(engine, policies()), SqlRegisters(engine), MemoryHistory()
    registry = CollectorRegistry()
    Counter("emberwatch_received", "records", registry=registry).inc(3)
    services = Services(
        registers=registers,
        alarms=ledger.alarms,
        hazards=ledger.hazards,
        feed=ledger.feed,
        outbox=ledger.outbox,
        dead_letters=ledger.dead_letters,
        history=history,
        accounts=SqlAccounts(engine),
        status=lambda: LiveStatus(version="0.1.0", started_at_ms=NOW_MS, now_ms=made.now_ms, registered=2, online=1),
        ready=lambda: [Check(name="broker", ok=made.ready, detail="127.0.0.1:1883")],
        online=lambda: made.online,
        registry=registry,
        failed=_never,
        clock_ms=lambda: made.now_ms,
        static=tmp_path / "static",
    )
    made = House(services, ledger, history, create_app(services))
    yield made
    engine.dispose()


Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def visit(house: House) -> Visit:
    """Open a client: `visit()` is nobody, `visit(Role.VIEWER)` carries a token of that role."""

    @asynccontextmanager
    async def opened(
        role: Role | None = None, *, address: str = "10.0.0.9", scheme: str = "http"
    ) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(house.app, raise_app_exceptions=False, client=(address, 40000))
        headers = {}
        if role is not None:
            taken = {token.name for token in house.services.accounts.tokens()}
            name = f"{role}-{len(taken)}"
            secret = accounts.issue_token(house.services.accounts, name, role, house.now_ms)
            headers["Authorization"] = f"Bearer {secret}"
        async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://house", headers=headers) as client:
            yield client

    return opened


@pytest.fixture
def personal() -> tuple[str, ...]:
    """Every personal value of the fixtures."""
    return PERSONAL
