"""W103-W105: does a welder hold a certificate that is valid on the day and covers the process; W115: and for how long yet.

What a certificate covers is a table with its basis. It lists only what a text says, so a certificate of an unknown item
covers nothing.
"""

import datetime as dt
from typing import Any, NamedTuple

from detectors.welding.verdict import Verdict, verdict
from domain.findings import Severity
from registers.machine import Process
from registers.person import Certificate, Family


class Scope(NamedTuple):
    """The operation items (操作项目) of one family that cover some processes, with the basis of saying so."""

    family: Family
    items: frozenset[str]
    processes: frozenset[Process]
    basis: str


_FUSION = frozenset({Process.MMA, Process.TIG, Process.MAG, Process.GAS})

# Items are written without spaces and without the ending 作业, which certificates add or leave out.
SCOPES: tuple[Scope, ...] = (
    Scope(
        Family.EMERGENCY,
        frozenset({"熔化焊接与热切割"}),
        _FUSION,
        "特种作业目录 焊接与热切割作业：熔化焊接与热切割作业（气焊气割、焊条电弧焊与碳弧气刨、埋弧焊、气体保护焊等）",
    ),
    Scope(
        Family.EMERGENCY,
        frozenset({"压力焊"}),
        frozenset({Process.RESISTANCE}),
        "特种作业目录 焊接与热切割作业：压力焊作业（未核实）",
    ),
    Scope(
        Family.EMERGENCY,
        frozenset({"钎焊"}),
        frozenset(),
        "特种作业目录 焊接与热切割作业：钎焊作业，不含电弧焊与压力焊（未核实）",
    ),
    Scope(
        Family.CONSTRUCTION,
        frozenset({"建筑焊工", "建筑焊工(含焊接、切割)", "建筑电焊工", "建筑焊割"}),
        _FUSION,
        "建筑施工特种作业：建筑焊工（未核实）",
    ),
    Scope(
        Family.SPECIAL_EQUIPMENT,
        frozenset({"金属焊接操作"}),
        _FUSION,
        "特种设备作业人员 特种设备焊接作业：金属焊接操作（未核实）",
    ),
)


RANK = {None: 0, "pending": 1, "review_overdue": 2, "expired": 3, "not_yet": 4, "suspended": 5, "revoked": 6}
"""How far a certificate is from being in order, nearest first."""


def covers(certificate: Certificate, process: Process) -> bool:
    """Tell whether the certificate's item, or else its category, is listed for the process."""
    names = {_plain(certificate.item), _plain(certificate.category)}
    return any(
        scope.family is certificate.family and process in scope.processes and names & scope.items for scope in SCOPES
    )


def _plain(name: str) -> str:
    return "".join(name.split()).replace("（", "(").replace("）", ")").removesuffix("作业")


def judge(certificates: list[Certificate], process: Process, day: dt.date) -> Verdict | None:
    """Return what is wrong with the best of a welder's certificates for this work on this day; None: one is in order.

    Best is the nearest to being in order: of the right scope first, then not lapsed, then merely waiting for 核验.
    """
    if not certificates:
        return verdict("W103", {"reason": "no_certificate"})
    best = min(certificates, key=lambda c: (not covers(c, process), RANK[c.lapses(day)], c.code))
    lapse = best.lapses(day)
    if not covers(best, process):
        facts = _facts(best) | {"process": str(process)} | ({"lapsed": lapse} if lapse else {})
        return verdict("W105", {"reason": "not_covered"} | facts)
    if lapse is None:
        return None
    severity = Severity.MEDIUM if lapse == "pending" else None
    return verdict("W104", {"reason": lapse} | _facts(best), severity)


def judge_ahead(certificates: list[Certificate], process: Process, day: dt.date, days: int) -> Verdict | None:
    """Return W115 when the work is covered on this day, but no longer so many days later unless something is done."""
    covering = [c for c in certificates if covers(c, process)]
    if judge(covering, process, day) is not None:
        return None
    later = judge(covering, process, day + dt.timedelta(days))
    if later is None or later.rule != "W104":
        return None
    due = {"expired": "expires", "review_overdue": "review_due"}[later.evidence["reason"]]
    return verdict("W115", later.evidence | {"reason": due})


def _facts(certificate: Certificate) -> dict[str, Any]:
    """Return what evidence shows of a certificate: its code in our register, never its number."""
    review = certificate.review_due
    return {
        "certificate": certificate.code,
        "family": str(certificate.family),
        "category": certificate.category,
        "item": certificate.item,
        "valid_until": certificate.valid_until.isoformat(),
        "review_due": None if review is None else review.isoformat(),
    }
