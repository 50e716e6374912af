"""Hazards (事故隐患): what one is, and the port of the ledger they live in. The lifecycle table is in `lifecycle.py`."""

from enum import StrEnum
from typing import Any, Protocol

import msgspec

from domain.findings import Severity


class HazardState(StrEnum):
    """线索→核实→登记定级→交办→签收→整改→申请复查→复查→部门审核→销号, with archive for a refuted clue."""

    CLUE = "clue"
    VERIFIED = "verified"
    REGISTERED = "registered"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    RECTIFYING = "rectifying"
    REVIEW_REQUESTED = "review_requested"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    CLOSED = "closed"
    ARCHIVED = "archived"


class HazardStep(StrEnum):
    """What people may do to a hazard; `lifecycle.HAZARD` says when."""

    VERIFY = "verify"
    REFUTE = "refute"
    REGISTER = "register"
    ASSIGN = "assign"
    ACCEPT = "accept"
    DECLINE = "decline"
    REASSIGN = "reassign"
    EXTEND = "extend"
    START = "start"
    REQUEST_REVIEW = "request_review"
    PASS_REVIEW = "pass_review"  # noqa: S105  to pass is a verb here
    RETURN_TO_RECTIFY = "return_to_rectify"
    APPROVE = "approve"
    CLOSE = "close"
    REOPEN = "reopen"
    NOTE = "note"


OPEN = "open"
"""Event of the first row of every hazard's chain; its data holds the draft."""
ALARM = "alarm"
"""Event the books write when another alarm joins an open hazard."""


class Grade(StrEnum):
    """一般 or 重大; a rule can only make a candidate of the second: a person decides."""

    GENERAL = "general"
    MAJOR_CANDIDATE = "major_candidate"
    MAJOR = "major"


class Channel(StrEnum):
    """Where a hazard came from."""

    MONITORING = "monitoring"
    ENTERPRISE = "enterprise"
    INSPECTION = "inspection"
    PUBLIC = "public"


class Hazard(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the ledger. `id` is its number, e.g. `ZH-2026-000123`; times epoch ms; `due_ms` the rectification deadline."""

    id: str
    state: HazardState
    grade: Grade
    channel: Channel
    title: str
    description: str
    basis: str
    area: str
    site: str
    device: str | None = None
    rule: str | None = None
    severity: Severity | None = None
    opened_at_ms: int
    changed_at_ms: int
    due_ms: int | None = None
    assignee: str | None = None
    alarms: tuple[int, ...] = ()
    reopened: int = 0


class HazardEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a hazard's chain; append-only. `hash` covers every field of this row and `previous` (hex SHA-256).

    `sequence` counts over the whole ledger without gaps, so a removed row is noticed. `by`: `rule:…`, `user:…`.
    """

    sequence: int
    hazard: str
    at_ms: int
    event: str
    before: HazardState | None
    after: HazardState
    by: str
    basis: str
    note: str = ""
    data: dict[str, Any] = {}
    previous: str
    hash: str


class HazardDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to open a hazard by hand or from an alarm."""

    grade: Grade
    channel: Channel
    title: str
    description: str
    basis: str
    area: str
    site: str
    device: str | None = None
    rule: str | None = None
    severity: Severity | None = None
    due_ms: int | None = None


class HazardFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to list; empty fields do not filter. `after` pages (a hazard id, newest first)."""

    open_only: bool = True
    states: tuple[HazardState, ...] = ()
    grades: tuple[Grade, ...] = ()
    area: str | None = None
    site: str | None = None
    after: str | None = None
    limit: int = 100


class Tampering(msgspec.Struct, frozen=True, kw_only=True):
    """One place where the chain does not hold, and what is wrong in a sentence.

    `sequence`: the row, None where the hazard itself differs from its rows; `hazard`: where known.
    """

    sequence: int | None
    hazard: str | None
    problem: str


class HazardBook(Protocol):
    """The ledger. Every change is one transaction: hazard row, chained event, outbox and feed rows. Nothing is ever deleted.

    Methods raise NotFoundError, IllegalTransitionError (nothing changed), RefusedError, InputError, EngineError.
    """

    def hazards(self, wanted: HazardFilter) -> list[Hazard]:
        """Return matching hazards, newest first."""
        ...

    def hazard(self, hazard_id: str) -> Hazard:
        """Return one hazard."""
        ...

    def hazard_events(self, hazard_id: str) -> list[HazardEvent]:
        """Return its chain, oldest first."""
        ...

    def open_hazard(self, draft: HazardDraft, *, by: str, at_ms: int) -> Hazard:
        """Open a hazard in state `clue`."""
        ...

    def act_on_hazard(
        self,
        hazard_id: str,
        event: str,
        *,
        by: str,
        at_ms: int,
        basis: str,
        note: str = "",
        data: dict[str, Any] | None = None,
    ) -> Hazard:
        """Take one step of `lifecycle.HAZARD`; `close` is refused while an alarm of the hazard is active.

        `data` may carry `grade` (register), `assignee` and `due_ms` (assign).
        """
        ...

    def open_hazard_counts(self) -> dict[str, int]:
        """Return state → how many hazards are in it (closed and archived left out)."""
        ...

    def verify_chain(self) -> list[Tampering]:
        """Return every place where a row was edited, removed, inserted or reordered, or a hazard differs from its chain."""
        ...
