"""Makers of findings, policies and drafts, and the ids of a page's open alarms."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from domain.findings import Action, Finding, Severity
from ledger.hazard import Channel, Grade, HazardDraft
from ledger.policy import RulePolicy

NOON = 1_772_337_600_000
"""2026-03-01 12:00 in China."""
_FINDING = Finding(
    offset=0,
    rule="G101",
    device="weidong/hotpot/kitchen-1",
    action=Action.RAISE,
    severity=Severity.CRITICAL,
    at_ms=NOON,
    event_ms=NOON - 100,
    evidence={"measurand": "ch4_lel", "value": 55.0, "unit": "%LEL", "set_point": 50.0},
)
_DRAFT = HazardDraft(
    grade=Grade.GENERAL,
    channel=Channel.INSPECTION,
    title="灭火器过期",
    description="后厨灭火器过期",
    basis="GB 50444-2008",
    area="weidong",
    site="hotpot",
)


@pytest.fixture
def noon() -> int:
    return NOON


@pytest.fixture
def finding() -> Callable[..., Finding]:
    """Return a maker of findings: a G101 raise with any field replaced."""
    return lambda **fields: msgspec.structs.replace(_FINDING, **fields)


@pytest.fixture
def draft() -> Callable[..., HazardDraft]:
    """Return a maker of drafts with any field replaced."""
    return lambda **fields: msgspec.structs.replace(_DRAFT, **fields)


@pytest.fixture
def policies() -> Mapping[str, RulePolicy]:
    """Return a rule that opens general hazards, one that opens candidates, and one that opens none."""
    rows: tuple[Any, ...] = (
        ("G101", "可燃气体高报", Grade.GENERAL, "GB/T 50493-2019", False),
        ("W104", "证书失效", Grade.MAJOR_CANDIDATE, "令10号 3(2)", True),
        ("G102", "可燃气体低报", None, "GB/T 50493-2019", True),
    )
    return {row[0]: RulePolicy(*row) for row in rows}
