"""W109: somebody who does not weld himself must watch over hot work for as long as the arc burns (GB 30871-2022 5.2.1).

A guardian is there from `guardian.in` until `guardian.out`, or until the check-in is too old to be believed.
"""

from typing import Any

from detectors.welding.session import HIDDEN, Session, code_of
from detectors.welding.verdict import Verdict, verdict
from detectors.welding.work import Work
from domain.findings import Severity
from domain.readings import Quality, Signal
from registers.permit import Permit
from registers.view import RegisterView

_KEPT = 4
"""Check-ins remembered a machine: a change of guardians overlaps."""


class Guardians:
    """Check-ins by machine slot, at most four a slot."""

    def __init__(self, hold_h: float) -> None:
        self._hold_ms = hold_h * 3_600_000
        self._of: dict[int, list[Session]] = {}

    def take(self, signal: Signal) -> None:
        """Take in `guardian.in` or `guardian.out`; who leaves without a name is everybody."""
        person = signal.data.get("person")
        arrives = signal.type == "guardian.in"
        name = code_of(person) if person is not None or arrives else None
        kept = [self._left(span, name, signal) for span in self._of.get(signal.slot, [])]
        if arrives:
            kept.append(Session(name or HIDDEN, None, signal.offset, signal.event_ms))
        if kept:
            self._of[signal.slot] = kept[-_KEPT:]

    def _left(self, span: Session, name: str | None, signal: Signal) -> Session:
        overtaken = signal.quality & Quality.LATE and signal.event_ms < span.since_ms
        if span.until_offset is not None or overtaken or name not in (None, span.credential):
            return span
        return span._replace(until_offset=signal.offset, until_ms=signal.event_ms)

    def judge(self, work: Work, permits: list[Permit], view: RegisterView) -> Verdict | None:
        """Return why nobody fit to watch is there; `permits` are those that allow the work."""
        welder = view.welder(work.session.credential) if work.session else None
        himself = {welder.code, welder.credential} if welder else set()
        there = {span.credential for span in self._of.get(work.slot, []) if self._covers(span, work)}
        named = {permit.guardian for permit in permits if permit.guardian is not None}
        asked: dict[str, Any] = {"guardian": min(named)} if named else {}
        if not there:
            return verdict("W109", {"reason": "guardian_absent"} | asked)
        if there <= himself:
            return verdict("W109", {"reason": "guardian_is_welder"} | asked)
        if named and not there & (named | {HIDDEN}):
            return verdict("W109", {"reason": "other_guardian"} | asked, Severity.MEDIUM)
        return None

    def _covers(self, span: Session, work: Work) -> bool:
        return span.covers(work.offset, work.late_ms) and work.at_ms - span.since_ms <= self._hold_ms

    def snapshot(self) -> list[list[Any]]:
        return [[slot, *span] for slot, kept in self._of.items() for span in kept]

    def restore(self, rows: list[list[Any]]) -> None:
        self._of = {}
        for slot, *span in rows:
            self._of.setdefault(slot, []).append(Session(*span))
