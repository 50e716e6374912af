"""W106: permits by site, time, welder, state and level; nights and days off ask for one level more."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.welding.holidays import is_day_off
from detectors.welding.permits import Night, must_upgrade
from domain.findings import Severity
from registers.permit import PermitLevel, PermitState
from registers.view import LOCAL

if TYPE_CHECKING:
    from tests.unit.detectors.welding.conftest import Workshop

HOUR = dt.timedelta(hours=1)
WEDNESDAY = dt.datetime(2026, 11, 18, 10, 0, tzinfo=LOCAL)

MISSES: list[tuple[dict[str, Any], str]] = [
    ({"site": "other"}, "other_site"),
    ({"state": PermitState.DRAFT}, "not_approved"),
    ({"state": PermitState.CANCELLED}, "not_approved"),
    ({"state": PermitState.CLOSED}, "not_approved"),
    ({"starts_at": WEDNESDAY + HOUR}, "not_started"),
    ({"ends_at": WEDNESDAY}, "ended"),
    ({"welders": ("w2", "w3")}, "welder_not_listed"),
]


@pytest.mark.parametrize(("fields", "reason"), MISSES)
def test_a_permit_that_does_not_fit_is_w106(work: "Workshop", fields: dict[str, Any], reason: str) -> None:
    """The finding names the permit and why it does not allow the work."""
    work.permit(**fields)
    assert work.weld() == ["W106 raise"]
    finding = work.found[-1]
    assert (finding.evidence["reason"], finding.evidence["permit"]) == (reason, "DH-1")
    assert finding.severity is Severity.HIGH


@pytest.mark.parametrize("fields", [{}, {"welders": ("w1", "w2")}, {"starts_at": WEDNESDAY}])
def test_a_permit_that_fits_is_no_finding(work: "Workshop", fields: dict[str, Any]) -> None:
    """An empty list of welders means any; the time is inclusive of its start."""
    work.permit(**fields)
    assert work.weld() == []


def test_no_permit_at_all(work: "Workshop") -> None:
    """A site without any permit is told apart from a permit that does not fit."""
    work.withdraw("permit", "DH-1")
    work.say("scan.in", credential="C-1")
    work.weld()
    assert work.found[-1].evidence["reason"] == "no_permit"


def test_a_permit_nobody_issued(work: "Workshop") -> None:
    """A code scanned that is in no register is said to be unknown, and shown."""
    work.withdraw("permit", "DH-1")
    work.say("scan.in", credential="C-1", permit="DH-404")
    work.weld()
    evidence = work.found[-1].evidence
    assert (evidence["reason"], evidence["named_permit"]) == ("unknown_permit", "DH-404")


def test_another_permit_of_the_site_will_do(work: "Workshop") -> None:
    """The work is permitted when any permit allows it, whichever was named at the scan."""
    work.permit(state=PermitState.CANCELLED)
    work.permit(code="DH-2")
    assert work.weld() == []


def test_the_nearest_miss_is_told(work: "Workshop") -> None:
    """Of several permits that do not fit, the one that misses least decides."""
    work.permit(state=PermitState.CANCELLED)
    work.permit(code="DH-2", welders=("w2",))
    work.weld()
    assert work.found[-1].evidence["permit"] == "DH-2"


def test_nobody_scanned_in_is_not_also_a_missing_permit(shop: "Workshop") -> None:
    """Where the site has a valid permit, an arc without a scan is W102 alone."""
    shop.permit(welders=("w1",))
    assert shop.weld() == ["W102 raise"]


def test_a_permit_ends_under_a_burning_arc(work: "Workshop") -> None:
    """Working on past the end is told by the first arc of that minute, and withdrawn by an extension."""
    work.permit(ends_at=WEDNESDAY + 5 * dt.timedelta(minutes=1))
    said = []
    for amps in range(100, 110):
        said += work.weld(amps=float(amps)) + work.wait(30)
    assert said == []
    assert work.weld() == ["W106 raise"]
    assert work.permit(ends_at=WEDNESDAY + HOUR) == ["W106 clear"]
    assert work.found[-1].evidence == {"reason": "mended"}


def test_a_permit_that_ends_after_the_last_arc_accuses_nobody(work: "Workshop") -> None:
    """Who stops in time is not held to the off-delay of the arc job."""
    work.permit(ends_at=WEDNESDAY + dt.timedelta(minutes=1))
    said = work.weld() + work.wait(59) + work.weld(amps=121.0) + work.wait(60) + work.idle() + work.wait(30)
    assert said == []


LEVELS = [
    ("Wednesday morning", dt.datetime(2026, 11, 18, 10, 0, tzinfo=LOCAL), False),
    ("last minute before the night", dt.datetime(2026, 11, 18, 21, 59, tzinfo=LOCAL), False),
    ("night begins", dt.datetime(2026, 11, 18, 22, 0, tzinfo=LOCAL), True),
    ("small hours", dt.datetime(2026, 11, 19, 3, 0, tzinfo=LOCAL), True),
    ("night ends", dt.datetime(2026, 11, 19, 6, 0, tzinfo=LOCAL), False),
    ("Saturday noon", dt.datetime(2026, 11, 21, 12, 0, tzinfo=LOCAL), True),
    ("Sunday noon", dt.datetime(2026, 11, 22, 12, 0, tzinfo=LOCAL), True),
]


@pytest.mark.parametrize(("what", "when", "raised"), LEVELS)
def test_second_level_work_at_night_or_on_a_day_off_must_be_upgraded(
    work: "Workshop",
    what: str,
    when: dt.datetime,
    raised: bool,  # noqa: FBT001  a column of the table
) -> None:
    """二级 is too low then, and the finding says which level is required; 一级 and 特级 suffice."""
    work.permit(level=PermitLevel.SECOND, ends_at=WEDNESDAY + 200 * HOUR)
    work.wait_until(when)
    work.prepare()
    assert work.weld() == (["W106 raise"] if raised else []), what
    if raised:
        assert work.found[-1].evidence["level_required"] == "first"
        assert work.permit(level=PermitLevel.SPECIAL, ends_at=WEDNESDAY + 200 * HOUR) == ["W106 clear"]


@given(st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)))  # noqa: DTZ001  made local below
def test_a_weekday_has_eight_hours_of_night(moment: dt.datetime) -> None:
    """Whether to upgrade depends on the local hour and on whether the local day is off."""
    local = moment.replace(tzinfo=LOCAL)
    expected = is_day_off(local.date()) or not 6 <= local.hour < 22
    assert must_upgrade(local, Night()) == expected


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        (dt.datetime(9999, 12, 31, 20, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, 22, tzinfo=dt.UTC)),
        (dt.datetime(1, 1, 1, tzinfo=dt.timezone(14 * HOUR)), dt.datetime(1, 1, 1, 1, tzinfo=dt.timezone(14 * HOUR))),
    ],
)
def test_a_permit_at_the_edge_of_the_calendar_is_told_as_written(
    work: "Workshop", starts_at: dt.datetime, ends_at: dt.datetime
) -> None:
    """Years that have no local time stop no rule."""
    work.permit(starts_at=starts_at, ends_at=ends_at)
    assert "W106 raise" in work.weld()
    assert work.found[-1].evidence["starts_at"] == starts_at.isoformat()
