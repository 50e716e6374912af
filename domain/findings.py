"""What detectors find: the only thing they say to the rest of the house."""

from enum import IntEnum, StrEnum
from typing import Any

import msgspec


class Severity(IntEnum):
    """1 紧急 critical, 2 重要 high, 3 一般 medium, 4 提示 notice: smaller is graver."""

    CRITICAL = 1
    HIGH = 2
    MEDIUM = 3
    NOTICE = 4


class Action(StrEnum):
    """A finding raises, changes (severity or evidence of an active one) or clears."""

    RAISE = "raise"
    CHANGE = "change"
    CLEAR = "clear"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of one rule about one device at one journal record.

    `offset`: the record that decided; `device`: `area/site/device`; `at_ms`: our time of that record; `event_ms`: the
    device's time; `late`: the reading was old on arrival (迟报); `evidence`: JSON-able facts that decided (readings with
    units, set points with basis, register facts), keys in English, free of personal data. Must be deterministic.
    """

    offset: int
    rule: str
    device: str
    action: Action
    severity: Severity
    at_ms: int
    event_ms: int
    late: bool = False
    evidence: dict[str, Any] = {}


_ENCODER = msgspec.json.Encoder(order="deterministic")


def to_json_lines(findings: list[Finding]) -> bytes:
    """Return the findings one JSON object a line, keys sorted: equal findings give equal bytes."""
    return b"".join(_ENCODER.encode(finding) + b"\n" for finding in findings)
