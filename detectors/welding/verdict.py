"""What the welding rules say of one machine at one moment: which rule is broken, how gravely, on what facts."""

import datetime as dt
from typing import Any, NamedTuple

from detectors.catalogue import CATALOGUE
from domain.findings import Severity
from registers.local_time import LOCAL


class Verdict(NamedTuple):
    """One broken rule. `evidence`: JSON-able facts of registers and scans, without personal data or electrical values.

    Two equal verdicts are the same news: nobody need be told twice.
    """

    rule: str
    severity: Severity
    evidence: dict[str, Any]


def verdict(rule: str, evidence: dict[str, Any], severity: Severity | None = None) -> Verdict:
    """Return the verdict, of the rule's own severity unless the reason has another."""
    return Verdict(rule, CATALOGUE[rule].severity if severity is None else severity, evidence)


def local(epoch_ms: int) -> str:
    """Return a time as evidence tells it."""
    return dt.datetime.fromtimestamp(epoch_ms / 1000, LOCAL).isoformat(timespec="seconds")
