"""What people do to hazards."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from domain.errors import IllegalTransitionError, InputError, RefusedError
from domain.findings import Action, Finding
from ledger import alarming, casework
from ledger.alarm import AlarmEvent
from ledger.chain import verify
from ledger.hazard import Grade, Hazard, HazardDraft, HazardState
from ledger.page import Page
from ledger.policy import RulePolicy

Draft = Callable[..., HazardDraft]
DUE = 1_800_000_000_000
_ROAD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("verify", {}),
    ("register", {"grade": "major"}),
    ("assign", {"assignee": "E-1", "due_ms": DUE}),
    ("accept", {}),
    ("start", {}),
    ("request_review", {"photos": ["sha256:ab"]}),
    ("pass_review", {}),
    ("approve", {}),
    ("close", {}),
)


def _step(page: Page, hazard: Hazard, step: str, data: dict[str, Any] | None = None) -> Hazard:
    return casework.act(page, hazard, step, by="user:li", at_ms=1, basis="令16号", data=data)


def _walk(page: Page, hazard: Hazard, until: str) -> Hazard:
    """Take the road from where the hazard is, up to and with step `until`."""
    for step, data in _ROAD:
        hazard = _step(page, hazard, step, data)
        if step == until:
            return hazard
    raise AssertionError(until)


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def hazard(page: Page, draft: Draft, noon: int) -> Hazard:
    return casework.open_by_hand(page, draft(), by="user:li", at_ms=noon)


def test_hazard_is_opened_by_hand_as_a_clue(page: Page, hazard: Hazard) -> None:
    """It gets the year's next number, a chain of one row, a notice and a feed item."""
    assert (hazard.id, hazard.state, hazard.alarms) == ("ZH-2026-000001", HazardState.CLUE, ())
    assert [e.event for e in page.events] == ["open"]
    assert [n.kind for n in page.notices] == ["hazard.open"]


def test_numbers_are_dense_within_a_local_year(page: Page, draft: Draft) -> None:
    """Numbers begin anew at local midnight of 1 January."""
    new_year_ms = 1_798_732_800_000  # 2027-01-01 00:00 in China
    at = [new_year_ms - 2, new_year_ms - 1, new_year_ms]
    ids = [casework.open_by_hand(page, draft(), by="user:li", at_ms=ms).id for ms in at]
    assert ids == ["ZH-2026-000001", "ZH-2026-000002", "ZH-2027-000001"]


def test_steps_carry_grade_assignee_and_deadline(page: Page, hazard: Hazard) -> None:
    """Registering sets the grade, assigning the assignee and deadline; the chain and the hazard agree."""
    closed = _walk(page, hazard, "close")
    assert (closed.state, closed.grade, closed.assignee, closed.due_ms) == ("closed", Grade.MAJOR, "E-1", DUE)
    assert [e.sequence for e in page.events] == list(range(1, len(_ROAD) + 2))
    assert verify(page.events, page.anchor, page.written_hazards) == []


def test_reopened_hazard_counts_it(page: Page, hazard: Hazard) -> None:
    """Reopening leads back to rectification and is counted."""
    again = _step(page, _walk(page, hazard, "close"), "reopen")
    assert (again.state, again.reopened) == (HazardState.RECTIFYING, 1)


def test_note_changes_no_state_and_tells_nobody(page: Page, hazard: Hazard) -> None:
    """A note is a row of the chain, in any state, without a notice."""
    told = len(page.notices)
    noted = casework.act(page, hazard, "note", by="user:li", at_ms=1, basis="现场", note="已电话通知")
    assert noted.state is HazardState.CLUE
    assert (page.events[-1].note, len(page.notices)) == ("已电话通知", told)


def test_illegal_step_writes_nothing(page: Page, hazard: Hazard) -> None:
    """A clue cannot be closed; the page is as before."""
    with pytest.raises(IllegalTransitionError) as caught:
        _step(page, hazard, "close")
    assert set(caught.value.allowed) == {"verify", "refute", "note"}
    assert len(page.events) == 1


@pytest.mark.parametrize(
    ("until", "step", "data", "why"),
    [
        ("register", "assign", {}, "assignee"),
        ("register", "assign", {"assignee": " "}, "assignee"),
        ("register", "assign", {"assignee": "E-1", "grade": "major"}, "grade"),
        ("register", "assign", {"assignee": "E-1", "due_ms": "soon"}, "due_ms"),
        ("start", "extend", {}, "due_ms"),
        ("start", "extend", {"due_ms": DUE}, "deadline"),
        ("verify", "register", {"grade": "major_candidate"}, "general or major"),
        ("verify", "register", {"grade": "enormous"}, "general or major"),
        ("start", "note", {"assignee": "E-2"}, "assignee"),
        ("start", "note", {"x": object()}, "JSON"),
    ],
)
def test_step_with_wrong_data_writes_nothing(
    page: Page, hazard: Hazard, until: str, step: str, data: dict[str, Any], why: str
) -> None:
    """What a step must say, may not say, or says in a wrong shape is refused with the reason."""
    hazard = _walk(page, hazard, until)
    written = list(page.events)
    with pytest.raises(InputError, match=why):
        _step(page, hazard, step, data)
    assert page.events == written


def test_candidate_needs_a_person_to_grade_it(page: Page, draft: Draft) -> None:
    """A rule's candidate cannot be registered without a grade given by a person."""
    opened = casework.open_by_hand(page, draft(grade=Grade.MAJOR_CANDIDATE), by="user:li", at_ms=1)
    verified = _step(page, opened, "verify")
    with pytest.raises(InputError, match="a person decides"):
        _step(page, verified, "register")
    assert _step(page, verified, "register", {"grade": "general"}).grade is Grade.GENERAL


@pytest.mark.parametrize(("by", "basis"), [("", "令16号"), ("user:li", " ")])
def test_every_step_says_who_and_on_what_basis(page: Page, hazard: Hazard, by: str, basis: str) -> None:
    """A step without a name or a basis is refused."""
    with pytest.raises(InputError, match="basis"):
        casework.act(page, hazard, "verify", by=by, at_ms=1, basis=basis)


@pytest.mark.parametrize("missing", ["title", "area", "site", "basis"])
def test_hazard_without_its_essentials_is_refused(page: Page, draft: Draft, missing: str) -> None:
    """A hazard opened by hand has a title, a place and a basis."""
    with pytest.raises(InputError):
        casework.open_by_hand(page, draft(**{missing: " "}), by="user:li", at_ms=1)
    assert page.events == []


def test_text_that_cannot_be_written_is_refused(page: Page, hazard: Hazard) -> None:
    """Half a character (a lone surrogate) in a note is an input error, not a crash."""
    with pytest.raises(InputError, match="JSON"):
        casework.act(page, hazard, "note", by="user:li", at_ms=1, basis="x", note="\ud800")


def test_active_alarm_blocks_closing(
    page: Page, finding: Callable[..., Finding], policies: Mapping[str, RulePolicy]
) -> None:
    """A hazard cannot be closed while its alarm is active, acknowledged or not; it can when the alarm has cleared."""
    alarming.record(page, finding(), policies)
    alarm = page.written_alarms[1]
    alarming.act(page, alarm, AlarmEvent.ACKNOWLEDGE, by="user:li", at_ms=1, policy=None)
    approved = _walk(page, page.written_hazards["ZH-2026-000001"], "approve")
    with pytest.raises(RefusedError, match="still active"):
        _step(page, approved, "close")
    alarming.record(page, finding(action=Action.CLEAR), policies)
    assert _step(page, approved, "close").state is HazardState.CLOSED


def test_disabled_alarm_does_not_block_closing(
    page: Page, finding: Callable[..., Finding], policies: Mapping[str, RulePolicy]
) -> None:
    """An alarm put out of service, with a reason, will never clear by itself: it keeps no hazard open."""
    alarming.record(page, finding(), policies)
    approved = _walk(page, page.written_hazards["ZH-2026-000001"], "approve")
    alarm = page.written_alarms[1]
    alarming.act(page, alarm, AlarmEvent.DISABLE, by="user:li", at_ms=1, policy=None, reason="burnt")
    assert _step(page, approved, "close").state is HazardState.CLOSED


def test_device_and_rule_have_one_open_hazard(page: Page, draft: Draft) -> None:
    """A second by hand is refused, and so is reopening an old one beside a new one; both name the open one."""
    both = {"device": "weidong/hotpot/kitchen-1", "rule": "G101"}
    first = casework.open_by_hand(page, draft(**both), by="user:li", at_ms=1)
    with pytest.raises(RefusedError, match=first.id):
        casework.open_by_hand(page, draft(**both), by="user:li", at_ms=1)
    closed = _walk(page, first, "close")
    second = casework.open_by_hand(page, draft(**both), by="user:li", at_ms=1)
    with pytest.raises(RefusedError, match=second.id):
        _step(page, closed, "reopen")
