"""Alarms against what was made to happen: per rule how many were found, how late, and how many alarms were about nothing.

A truth is found when its rule raises, or tells a change, at its site from its start until `PATIENCE_S` after its end (some rules
must wait, D101 longest); what it raises again in that time is counted apart. A truth of which nothing new is told because its
alarm stands already at that device `stood`; else it is missed. Any other alarm is a companion, if at that site and time a case is
played that makes it true as well; `beside`, if a case is played that does not; else false. Cases are more frequent than in life:
only what is false by nuisances alone is told as a rate. A device-year is that of a device the rule watches.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from bench.detection.cases import CASES
from bench.detection.town import CHIPS, MAKES
from detectors.catalogue import CATALOGUE
from domain.findings import Action, Finding, Severity
from registers.device import DeviceKind
from simulators.scenario import TruthRow

PATIENCE_S = 1800.0
_YEAR_DAYS = 365.25
_WATCHES = {"G": {DeviceKind.GAS}, "F": {DeviceKind.FIRE}, "P": {DeviceKind.ELECTRIC}, "S": {DeviceKind.PROCESS}}


class Window(NamedTuple):
    """From when to when a case excuses companions at its site."""

    start_ms: int
    end_ms: int
    case: str


class Score(NamedTuple):
    """What came of the alarms: truths found, missed, and such whose alarm stood; false alarms without and beside a case."""

    delays_s: dict[str, list[float]]
    missed: list[TruthRow]
    stood: list[TruthRow]
    again: dict[str, int]
    false: list[Finding]
    beside: list[Finding]


def site_of(device: str) -> str:
    return device.split("/")[1]


def score(findings: Sequence[Finding], truth: Sequence[TruthRow], played: Sequence[tuple[str, Window]]) -> Score:
    """Return the score of all findings; `played` gives each case's window by site."""
    raised = [finding for finding in findings if finding.action is Action.RAISE]
    by_place: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        by_place[finding.rule, site_of(finding.device)].append(finding)
    delays: dict[str, list[float]] = defaultdict(list)
    again: dict[str, int] = defaultdict(int)
    used: set[int] = set()
    missed: list[TruthRow] = []
    stood: list[TruthRow] = []
    for row in truth:
        here = by_place[row.rule, site_of(row.device)]
        end_ms = row.end_ms + int(PATIENCE_S * 1000)
        hits = [f for f in here if f.action is not Action.CLEAR and row.start_ms <= f.at_ms <= end_ms]
        if hits:
            delays[row.rule].append((hits[0].at_ms - row.start_ms) / 1000)
            again[row.rule] += sum(hit.action is Action.RAISE for hit in hits[1:])
            used.update(id(hit) for hit in hits)
        else:
            (stood if _stands(here, row) else missed).append(row)
    windows: dict[str, list[Window]] = defaultdict(list)
    for site, window in played:
        windows[site].append(window)
    others = [(f, _cases(f, windows[site_of(f.device)])) for f in raised if id(f) not in used]
    false = [f for f, cases in others if not cases]
    beside = [f for f, cases in others if cases and not any(f.rule in CASES[case].companions for case in cases)]
    return Score(delays, missed, stood, again, false, beside)


def _stands(findings: Sequence[Finding], row: TruthRow) -> bool:
    """Tell whether the rule's alarm stood at the truth's device when it began; findings are in order of time."""
    before = [f.action for f in findings if f.device == row.device and f.at_ms < row.start_ms]
    return bool(before) and before[-1] is not Action.CLEAR


def _cases(finding: Finding, windows: Sequence[Window]) -> list[str]:
    return [window.case for window in windows if window.start_ms <= finding.at_ms <= window.end_ms]


def device_years(rule: str, sites: int, days: float) -> float:
    """Return for how many device-years the rule watched: of gas detectors for G, of machines for W and X, of all for D and A."""
    kinds: Collection[DeviceKind] = _WATCHES.get(rule[0], set(DeviceKind))
    each = len(CHIPS) if rule[0] in "WX" else sum(make.each for make in MAKES.values() if make.kind in kinds)
    return sites * each * days / _YEAR_DAYS


def rows(found: Score, truth: Sequence[TruthRow], sites: int, days: float) -> list[dict[str, Any]]:
    """Return one row a built rule that had a truth or raised in vain."""
    truths = Counter(row.rule for row in truth)
    in_vain = {finding.rule for finding in [*found.false, *found.beside]}
    codes = [code for code, rule in CATALOGUE.items() if rule.built and (code in truths or code in in_vain)]
    return [_row(code, found, truths[code], device_years(code, sites, days)) for code in codes]


def _row(code: str, found: Score, truths: int, years: float) -> dict[str, Any]:
    false = sum(finding.rule == code for finding in found.false)
    delays = found.delays_s.get(code, [])
    return {
        "rule": code,
        "severity": int(CATALOGUE[code].severity),
        "truths": truths,
        "found": len(delays),
        "stood": sum(row.rule == code for row in found.stood),
        "recall": round(len(delays) / truths, 3) if truths else None,
        "delay_median_s": round(float(np.median(delays)), 1) if delays else None,
        "delay_p90_s": round(float(np.percentile(delays, 90)), 1) if delays else None,
        "raised_again": found.again.get(code, 0),
        "beside": sum(finding.rule == code for finding in found.beside),
        "false": false,
        "device_years": round(years, 2),
        "false_a_device_year": round(false / years, 3),
    }


def summary(found: Score, truth: Sequence[TruthRow], devices: int, days: float) -> dict[str, Any]:
    """Return what is asked of the whole: nothing that may cost lives is missed, and hardly an urgent alarm is false."""
    urgent, urgent_beside = (_urgent(findings) for findings in (found.false, found.beside))
    life = [row for row in truth if CASES[row.note].life]
    life_missed = [row for row in found.missed if CASES[row.note].life]
    return {
        "devices": devices,
        "days": days,
        "device_years": round(devices * days / _YEAR_DAYS, 1),
        "truths": len(truth),
        "missed": len(found.missed),
        "stood": len(found.stood),
        "life_safety_truths": len(life),
        "life_safety_missed": len(life_missed),
        "false_alarms": len(found.false),
        "false_urgent": urgent,
        "beside_cases": len(found.beside),
        "urgent_beside_cases": urgent_beside,
        "false_urgent_a_day_at_1000_devices": round(urgent / days * 1000 / devices, 3),
    }


def _urgent(findings: Sequence[Finding]) -> int:
    return sum(finding.severity is Severity.CRITICAL for finding in findings)
