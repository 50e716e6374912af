"""The hash chain of the hazard ledger: each row's SHA-256 covers the row and the hash before it, so no row can change unseen.

Pure functions over rows. The anchor (how many rows, and the last hash) is kept apart from the rows, so that a cut-off
tail is noticed; each hazard must equal the fold of its own rows, so that an edited hazard is noticed too.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from ledger.hazard import ALARM, OPEN, Hazard, HazardEvent, HazardState, HazardStep, Tampering

_SUSPECTS = 64
"""For up to this many broken rows we work out where each came from; beyond, they are only named."""
_ENCODER = msgspec.json.Encoder(order="deterministic")


class Anchor(NamedTuple):
    """What the chain's end must be: the number of rows and the last row's hash."""

    rows: int
    hash: str


GENESIS = Anchor(0, "0" * 64)
"""The end of an empty chain; its hash is `previous` of the first row."""


def digest(event: HazardEvent) -> str:
    """Return the hex SHA-256 of every field of the row except `hash`, in canonical JSON (keys sorted)."""
    fields = msgspec.structs.asdict(event)
    del fields["hash"]
    return hashlib.sha256(_ENCODER.encode(fields)).hexdigest()


def link(
    anchor: Anchor,
    hazard: str,
    event: str,
    states: tuple[HazardState | None, HazardState],
    *,
    at_ms: int,
    by: str,
    basis: str,
    note: str = "",
    data: dict[str, Any] | None = None,
) -> HazardEvent:
    """Return the row that follows `anchor`; `states` are before and after."""
    row = HazardEvent(
        sequence=anchor.rows + 1,
        hazard=hazard,
        at_ms=at_ms,
        event=event,
        before=states[0],
        after=states[1],
        by=by,
        basis=basis,
        note=note,
        data=data or {},
        previous=anchor.hash,
        hash="",
    )
    return msgspec.structs.replace(row, hash=digest(row))


def fold(hazard: Hazard | None, event: HazardEvent) -> Hazard:
    """Return the hazard after `event`: the only way a hazard ever changes. Raises msgspec.ValidationError on nonsense."""
    if event.event == OPEN or hazard is None:
        born = {"id": event.hazard, "state": event.after, "opened_at_ms": event.at_ms, "changed_at_ms": event.at_ms}
        return msgspec.convert({**event.data, **born}, Hazard)
    carried: dict[str, Any] = {name: event.data[name] for name in ("grade", "assignee", "due_ms") if name in event.data}
    joined = (event.data["alarm"],) if event.event == ALARM else ()
    fields: dict[str, Any] = {
        **msgspec.structs.asdict(hazard),
        **carried,
        "state": event.after,
        "changed_at_ms": event.at_ms,
        "alarms": (*hazard.alarms, *joined),
        "reopened": hazard.reopened + (event.event == HazardStep.REOPEN),
    }
    return msgspec.convert(fields, Hazard)


def verify(rows: Iterable[HazardEvent], anchor: Anchor, hazards: Mapping[str, Hazard]) -> list[Tampering]:
    """Return every place where rows (in order of `sequence`), anchor and hazards do not fit together."""
    audit = _Audit()
    for row in rows:
        audit.read(row)
    return [*audit.problems(), *audit.end(anchor), *audit.compare(hazards)]


class _Audit:
    """One pass over the rows; memory grows with hazards and with broken rows, not with rows."""

    def __init__(self) -> None:
        self._last = GENESIS
        self._found: list[Tampering] = []
        self._broken: list[HazardEvent] = []
        self._missing: list[int] = []
        self._folded: dict[str, Hazard] = {}
        self._unreadable: set[str] = set()

    def read(self, row: HazardEvent) -> None:
        expected = self._last.rows + 1
        if row.sequence > expected:
            self._missing += range(expected, min(row.sequence, expected + _SUSPECTS))
            self._found.append(_at(row, f"rows {expected} to {row.sequence - 1} before it were removed"))
        elif row.sequence < expected:
            self._found.append(_at(row, "its number was used before: a row was inserted"))
        elif row.previous != self._last.hash:
            self._found.append(
                _at(row, "it does not follow the row before it: rows were replaced, inserted or reordered")
            )
        if digest(row) != row.hash:
            self._broken.append(row)
        self._last = Anchor(row.sequence, row.hash)
        self._replay(row)

    def _replay(self, row: HazardEvent) -> None:
        try:
            self._folded[row.hazard] = fold(self._folded.get(row.hazard), row)
        except (msgspec.ValidationError, KeyError, TypeError):
            self._unreadable.add(row.hazard)

    def problems(self) -> Iterator[Tampering]:
        """Yield what was found along the way, and for broken rows whether they were edited or moved."""
        yield from self._found
        places = [*(row.sequence for row in self._broken[:_SUSPECTS]), *self._missing[:_SUSPECTS]]
        for number, row in enumerate(self._broken):
            origin = _origin(row, places) if number < _SUSPECTS else None
            moved = f"it was moved here from number {origin}"
            yield _at(row, moved if origin is not None else "its content does not match its hash: it was edited")

    def end(self, anchor: Anchor) -> Iterator[Tampering]:
        """Yield how the last row differs from the anchor."""
        if self._last.rows < anchor.rows:
            yield Tampering(
                sequence=self._last.rows + 1,
                hazard=None,
                problem=f"rows {self._last.rows + 1} to {anchor.rows} at the end were removed",
            )
        elif self._last.rows > anchor.rows:
            problem = f"rows {anchor.rows + 1} to {self._last.rows} at the end were inserted"
            yield Tampering(sequence=anchor.rows + 1, hazard=None, problem=problem)
        elif self._last.hash != anchor.hash:
            yield Tampering(
                sequence=self._last.rows, hazard=None, problem="the last row is not the one that was written"
            )

    def compare(self, hazards: Mapping[str, Hazard]) -> Iterator[Tampering]:
        """Yield hazards that differ from what their rows say."""
        for name in sorted(hazards.keys() | self._folded.keys() | self._unreadable, key=str):
            problem = self._difference(name, hazards.get(name))
            if problem:
                yield Tampering(sequence=None, hazard=name, problem=problem)

    def _difference(self, name: str, hazard: Hazard | None) -> str:
        folded = self._folded.get(name)
        if name in self._unreadable:
            return "its rows cannot be replayed"
        if hazard is None:
            return "it has rows in the chain but is not in the ledger: it was removed"
        if folded is None:
            return "it is in the ledger but has no rows in the chain: it was inserted, or its rows were removed"
        names = [f for f in Hazard.__struct_fields__ if getattr(folded, f) != getattr(hazard, f)]
        return f"{', '.join(names)} differ from what its rows say: it was edited" if names else ""


def _origin(row: HazardEvent, places: list[int]) -> int | None:
    """Return the number under which the row's hash is right, if it is one of `places`."""
    return next((n for n in places if digest(msgspec.structs.replace(row, sequence=n)) == row.hash), None)


def _at(row: HazardEvent, problem: str) -> Tampering:
    return Tampering(sequence=row.sequence, hazard=row.hazard, problem=problem)
