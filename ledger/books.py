"""What the pipeline writes, in one transaction, and what follows from it: notices to send and the live feed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import msgspec

from domain.findings import Finding


class Counts(msgspec.Struct, frozen=True):
    """What became of messages of devices; `thinned` were left out at the door. Cumulative or a delta.

    `control` counts our own records, which are no messages of devices.
    """

    decoded: int = 0
    dead: int = 0
    duplicate: int = 0
    control: int = 0
    thinned: int = 0

    @property
    def accounted(self) -> int:
        """How many messages of devices came to an end, one way or another."""
        return self.decoded + self.dead + self.duplicate + self.thinned

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.decoded + other.decoded,
            self.dead + other.dead,
            self.duplicate + other.duplicate,
            self.control + other.control,
            self.thinned + other.thinned,
        )


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record nobody could read, kept whole. `reason` is a stable code (`json`, `topic`, `identity`, `too_large` …)."""

    offset: int
    received_ms: int
    topic: str
    payload: bytes
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """Everything that follows from the records before `end_offset` and was not committed yet; `now_ms` of the last record."""

    end_offset: int
    now_ms: int
    findings: Sequence[Finding] = ()
    dead_letters: Sequence[DeadLetter] = ()
    counts: Counts = field(default_factory=Counts)


class Committed(msgspec.Struct, frozen=True):
    """How far the books are: `offset` and the counts up to it."""

    offset: int
    counts: Counts


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One change people watch live: `kind` is `alarm` or `hazard`, `body` the thing as the API shows it. `id` grows."""

    id: int
    at_ms: int
    kind: str
    body: dict[str, Any]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One unsent row of the outbox: `kind` (`alarm.raise`, `alarm.change`, `alarm.clear`, `hazard.open` …) and its subject.

    `body` is the alarm or hazard as it then was; `deliveries` are those already made, when others still wait.
    """

    id: int
    created_at_ms: int
    kind: str
    subject: str
    body: dict[str, Any]
    attempts: int = 0
    not_before_ms: int = 0
    deliveries: tuple[dict[str, Any], ...] = ()


class Books(Protocol):
    """The pipeline's side of the ledger. Methods raise EngineError when the engine fails; then nothing was written."""

    def committed(self) -> Committed:
        """Return the last commit."""
        ...

    def active_alarms(self) -> set[tuple[str, str]]:
        """Return (rule, device) of every alarm that is active, shelved and out of service ones included."""
        ...

    def commit(self, decided: Decided) -> list[FeedItem]:
        """Write findings as alarm changes, hazards, notices, dead letters, counts and the offset, all or nothing.

        A `raise` for an open alarm reactivates it or lifts its severity; a `clear` for none is ignored. Findings at
        offsets below the committed one are ignored, so committing twice changes nothing.
        """
        ...


class Feed(Protocol):
    """The live feed: what changed, in commit order, for streams that resume."""

    def feed(self, after_id: int, limit: int = 500) -> list[FeedItem]:
        """Return items with id > `after_id`, oldest first."""
        ...

    def feed_end(self) -> int:
        """Return the newest id (0 when empty)."""
        ...

    def drop_feed_before(self, before_ms: int) -> int:
        """Drop items from before `before_ms` but the newest, whose id says where the feed ends; return how many."""
        ...


class Sent(NamedTuple):
    """A notice that was delivered; `deliveries` says to whom, by which channel, and why (masked)."""

    notice_id: int
    at_ms: int
    deliveries: Sequence[dict[str, Any]]


class Outbox(Protocol):
    """Notices waiting to be sent; a row is done only when every delivery it needs is."""

    def due_notices(self, now_ms: int, limit: int = 100, busy: Collection[str] = ()) -> list[Notice]:
        """Return the oldest unsent notice of each subject but the `busy` ones, if its `not_before_ms` has come.

        Those whose subject has the gravest news waiting come first, then the oldest.
        """
        ...

    def notices_sent(self, sent: Sequence[Sent]) -> None:
        """Mark as done, all or none; raises NotFoundError when there is no such notice."""
        ...

    def notice_failed(
        self,
        notice_id: int,
        at_ms: int,
        *,
        error: str,
        retry_at_ms: int | None,
        deliveries: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Count an attempt; None gives up and marks the notice as failed for good (it stays, and is counted).

        `deliveries` are all that were made so far, so that the next attempt repeats none of them.
        """
        ...

    def outbox_counts(self) -> dict[str, int]:
        """Return `waiting`, `sent`, `failed`."""
        ...

    def drop_sent_before(self, before_ms: int) -> int:
        """Drop notices from before `before_ms` that were sent; return how many. Those that wait or failed stay."""
        ...


class DeadLetters(Protocol):
    """What nobody could read."""

    def dead_letters(
        self, *, before_offset: int | None = None, reason: str | None = None, limit: int = 100
    ) -> list[DeadLetter]:
        """Return dead letters, newest first."""
        ...

    def dead_letter(self, offset: int) -> DeadLetter:
        """Return one; raise NotFoundError."""
        ...

    def dead_letter_replayed(self, offset: int, at_ms: int) -> None:
        """Mark one as replayed."""
        ...

    def drop_dead_letters_before(self, before_ms: int) -> int:
        """Drop those received before `before_ms`; return how many."""
        ...

    def cap_dead_letters(self, most_bytes: int) -> int:
        """Drop the oldest of the topics that hold most, until all hold `most_bytes` at most and none more than an eighth of it.

        Return how many were dropped; topics that hold little keep all.
        """
        ...

    def dead_letter_counts(self) -> dict[str, int]:
        """Return reason → count."""
        ...
