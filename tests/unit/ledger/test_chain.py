"""No row of the ledger can be edited, removed, inserted, moved or cut off without being found and named."""

from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import casework
from ledger.chain import GENESIS, Anchor, digest, link, verify
from ledger.hazard import Channel, Grade, Hazard, HazardDraft, HazardEvent, HazardState
from ledger.page import Page

_STEPS = ("verify", "register", "assign", "note", "accept", "start", "extend")
_DATA: dict[str, dict[str, Any]] = {"assign": {"assignee": "E-1", "due_ms": 10}, "extend": {"due_ms": 20}}


class Ledger(NamedTuple):
    """What verification looks at."""

    rows: list[HazardEvent]
    anchor: Anchor
    hazards: dict[str, Hazard]

    def problems(self) -> dict[tuple[int | None, str | None], str]:
        return {(t.sequence, t.hazard): t.problem for t in verify(*self)}

    def sequences(self) -> set[int | None]:
        return {t.sequence for t in verify(*self)}


def _draft(number: int) -> HazardDraft:
    return HazardDraft(
        grade=Grade.GENERAL,
        channel=Channel.PUBLIC,
        title=f"举报 {number}",
        description="堵塞消防通道",
        basis="消防法 28",
        area="weidong",
        site="market",
    )


def _ledger(hazards: int = 4) -> Ledger:
    """Return several hazards whose steps alternate, so that neighbours in the chain belong to different ones."""
    page = Page()
    books = [casework.open_by_hand(page, _draft(n), by="user:li", at_ms=n) for n in range(hazards)]
    for number, step in enumerate(_STEPS):
        data = _DATA.get(step)
        for n, hazard in enumerate(books):
            books[n] = casework.act(page, hazard, step, by="user:li", at_ms=number, basis="令16号", data=data)
    return Ledger(page.events, page.anchor, page.written_hazards)


_WHOLE = _ledger()
_COUNT = len(_WHOLE.rows)
_places = st.integers(0, _COUNT - 1)
_EDITS: dict[str, Any] = {
    "at_ms": 999,
    "event": "approve",
    "before": HazardState.APPROVED,
    "after": HazardState.CLOSED,
    "by": "user:nobody",
    "basis": "none",
    "note": "changed",
    "data": {"due_ms": 1},
    "previous": "1" * 64,
    "hash": "2" * 64,
    "hazard": "ZH-1970-000099",
}


def test_untouched_ledger_verifies() -> None:
    """A ledger as written has no problem; an empty one neither."""
    assert verify(*_WHOLE) == []
    assert verify([], GENESIS, {}) == []


@given(_places, st.sampled_from(sorted(_EDITS)))
def test_any_edited_field_of_any_row_is_named(place: int, field: str) -> None:
    """Whatever field of a row changes, that row's number is reported."""
    row = _WHOLE.rows[place]
    edited = msgspec.structs.replace(row, **{field: _EDITS[field]})
    rows = [*_WHOLE.rows[:place], edited, *_WHOLE.rows[place + 1 :]]
    assert row.sequence in _WHOLE._replace(rows=rows).sequences()


@given(_places)
def test_edited_row_with_its_hash_made_good_breaks_the_next(place: int) -> None:
    """Who recomputes the hash of the row breaks the link of the next row, or the anchor behind the last."""
    edited = msgspec.structs.replace(_WHOLE.rows[place], note="changed")
    edited = msgspec.structs.replace(edited, hash=digest(edited))
    rows = [*_WHOLE.rows[:place], edited, *_WHOLE.rows[place + 1 :]]
    assert min(place + 2, _COUNT) in _WHOLE._replace(rows=rows).sequences()


@given(_places, st.integers(1, 5))
def test_removed_rows_are_named(place: int, count: int) -> None:
    """A gap, in the middle or at the end, is reported with the first and last number that is missing."""
    rows = [*_WHOLE.rows[:place], *_WHOLE.rows[place + count :]]
    last = min(place + count, _COUNT)
    problems = _WHOLE._replace(rows=rows).problems().values()
    assert any(f"rows {place + 1} to {last} " in problem and "removed" in problem for problem in problems)


@given(_places, _places)
def test_swapped_rows_are_named_with_where_they_came_from(a: int, b: int) -> None:
    """Two rows that exchanged their numbers are both reported, each with its true number."""
    rows = list(_WHOLE.rows)
    rows[a] = msgspec.structs.replace(_WHOLE.rows[b], sequence=a + 1)
    rows[b] = msgspec.structs.replace(_WHOLE.rows[a], sequence=b + 1)
    found = [(t.sequence, t.problem) for t in verify(rows, _WHOLE.anchor, _WHOLE.hazards)]
    if a == b:
        assert found == []
    else:
        assert (a + 1, f"it was moved here from number {b + 1}") in found
        assert (b + 1, f"it was moved here from number {a + 1}") in found


@given(_places)
def test_row_inserted_between_is_named(place: int) -> None:
    """A forged row between others is reported, though it is well made itself and the rest is renumbered."""
    before = _WHOLE.rows[place - 1] if place else None
    anchor = Anchor(place, before.hash) if before else GENESIS
    states = (HazardState.CLUE, HazardState.CLUE)
    forged = link(anchor, "ZH-2026-000001", "note", states, at_ms=1, by="user:x", basis="x")
    later = [msgspec.structs.replace(row, sequence=row.sequence + 1) for row in _WHOLE.rows[place:]]
    found = _WHOLE._replace(rows=[*_WHOLE.rows[:place], forged, *later]).sequences()
    assert place + 2 in found


def test_row_appended_past_the_anchor_is_named() -> None:
    """A forged row at the end does not fit the anchor."""
    states = (HazardState.CLUE, HazardState.CLUE)
    forged = link(_WHOLE.anchor, "ZH-2026-000001", "note", states, at_ms=1, by="user:x", basis="x")
    problems = _WHOLE._replace(rows=[*_WHOLE.rows, forged]).problems()
    assert "inserted" in problems[_COUNT + 1, None]


def test_number_used_twice_is_named() -> None:
    """Two rows with one number cannot both be true."""
    assert 3 in _WHOLE._replace(rows=[*_WHOLE.rows[:3], *_WHOLE.rows[2:]]).sequences()


@pytest.mark.parametrize(
    ("field", "value"),
    [("state", HazardState.CLOSED), ("grade", Grade.MAJOR), ("assignee", "E-9"), ("due_ms", None), ("title", "-")],
)
def test_edited_hazard_is_named(field: str, value: object) -> None:
    """Any field of a hazard that differs from what its rows say is reported with the field's name."""
    name = "ZH-1970-000002"
    edited = msgspec.structs.replace(_WHOLE.hazards[name], **{field: value})
    problems = _WHOLE._replace(hazards={**_WHOLE.hazards, name: edited}).problems()
    assert field in problems[None, name]


def test_removed_hazard_is_named() -> None:
    """Rows whose hazard is gone are reported."""
    name = "ZH-1970-000002"
    left = {key: hazard for key, hazard in _WHOLE.hazards.items() if key != name}
    assert "removed" in _WHOLE._replace(hazards=left).problems()[None, name]


def test_inserted_hazard_is_named() -> None:
    """A hazard without rows is reported."""
    forged = msgspec.structs.replace(_WHOLE.hazards["ZH-1970-000002"], id="ZH-1970-000009")
    problems = _WHOLE._replace(hazards={**_WHOLE.hazards, forged.id: forged}).problems()
    assert "inserted" in problems[None, "ZH-1970-000009"]


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8")), st.floats(allow_nan=False) | st.integers(-(2**53), 2**53) | st.none()
    )
)
def test_hash_survives_storage(data: dict[str, Any]) -> None:
    """A row written as JSON and read back has the hash it had, whatever its data and the order of their keys."""
    states = (HazardState.CLUE, HazardState.CLUE)
    row = link(GENESIS, "ZH-2026-000001", "note", states, at_ms=1, by="user:x", basis="x", data=data)
    reversed_data = dict(reversed(row.data.items()))
    stored = msgspec.json.encode(msgspec.structs.replace(row, data=reversed_data))
    assert digest(msgspec.json.decode(stored, type=HazardEvent)) == row.hash


def test_many_broken_rows_are_all_named() -> None:
    """Beyond the number whose origin is worked out, rows are still named."""
    many = _ledger(hazards=20)
    rows = [msgspec.structs.replace(row, note="changed") for row in many.rows]
    assert many._replace(rows=rows).sequences() == {row.sequence for row in rows}
