"""A district of three inspectors in a real ledger and register, and a hand that raises alarms."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from domain.findings import Action, Finding, Severity
from ledger.books import Decided
from ledger.hazard import Grade
from ledger.policy import RulePolicy
from registers.device import Device, DeviceKind, DeviceModel
from registers.inspector import Inspector
from registers.place import Area, Site
from storage.sql.engine import METADATA, open_engine
from storage.sql.ledger import SqlLedger
from storage.sql.registers import SqlRegisters

NOON = 1_772_337_600_000
"""2026-03-01 12:00 in China."""


@pytest.fixture
def noon() -> int:
    return NOON


@pytest.fixture
def inspectors() -> dict[str, Inspector]:
    """Return one for gas in weidong with two channels, one for everything in xingao, and one for welding anywhere."""
    rows = [
        Inspector(code="gas", name="张某一", phone="13800000001", areas=("weidong",), kinds=(DeviceKind.GAS,)),
        Inspector(code="all", name="李某二", phone="13800000002", areas=("xingao",), channels=("sms", "file")),
        Inspector(code="weld", name="王某三", kinds=(DeviceKind.WELDING,), channels=("sms",)),
    ]
    return {row.code: row for row in rows}


@pytest.fixture
def policies() -> dict[str, RulePolicy]:
    return {
        "G102": RulePolicy("G102", "可燃气体低报", None, "GB/T 50493-2019"),
        "W101": RulePolicy("W101", "未入平台焊机作业", Grade.MAJOR_CANDIDATE, "实施方案 13"),
    }


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path}/emberwatch.db")
    METADATA.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def registers(engine: sa.Engine, inspectors: dict[str, Inspector]) -> SqlRegisters:
    registers = SqlRegisters(engine)
    registers.put([Area(code="weidong", name="卫东街道"), Area(code="xingao", name="新高街道")], "test")
    registers.put([Site(code="hotpot", name="某火锅店", area="weidong")], "test")
    registers.put([DeviceModel(code="m1", name="某型", kind=DeviceKind.GAS)], "test")
    registers.put([Device(code="kitchen-1", site="hotpot", model="m1", name="后厨 1 号探测器")], "test")
    registers.put(list(inspectors.values()), "test")
    return registers


@pytest.fixture
def ledger(engine: sa.Engine, policies: dict[str, RulePolicy]) -> SqlLedger:
    return SqlLedger(engine, policies)


@pytest.fixture
def found(ledger: SqlLedger) -> Callable[..., None]:
    """Return a hand that commits one finding (a G102 raise in the hotpot restaurant) with any field replaced."""
    base = Finding(
        offset=0,
        rule="G102",
        device="weidong/hotpot/kitchen-1",
        action=Action.RAISE,
        severity=Severity.HIGH,
        at_ms=NOON,
        event_ms=NOON,
        evidence={"measurand": "ch4_lel", "value": 27.5, "unit": "%LEL", "set_point": 25.0},
    )

    def hand(**fields: Any) -> None:
        offset = ledger.books.committed().offset
        finding = msgspec.structs.replace(base, offset=offset, **fields)
        ledger.books.commit(Decided(offset + 1, finding.at_ms, [finding]))

    return hand
