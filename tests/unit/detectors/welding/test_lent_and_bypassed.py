"""W108 and W113-W115: lent certificates, bypassed locks, hours without rest, papers that run out."""

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from detectors.welding.holidays import is_day_off, periods
from domain.findings import Severity
from registers.place import Area, Site
from registers.view import LOCAL

if TYPE_CHECKING:
    from tests.unit.detectors.welding.conftest import Workshop

WEDNESDAY = dt.datetime(2026, 11, 18, 10, 0, tzinfo=LOCAL)
HERE: dict[str, Any] = {"lat": 33.70, "lon": 113.30}
FAR: dict[str, Any] = {"lat": 33.79, "lon": 113.30}  # ten kilometres


@pytest.fixture
def two(work: "Workshop") -> "Workshop":
    """Return the workshop with a second machine, ready to work."""
    work.machine(code="M-2", chip="m2")
    work.prepare("m2")
    return work


# --- one certificate, one place -------------------------------------------------------------------------------------


def test_two_arcs_under_one_certificate_are_w108_at_the_later_scan(two: "Workshop") -> None:
    """One alarm, which names the machine where the certificate was first; it ends with either arc."""
    two.say("scan.in", "m2", credential="C-1")
    two.weld("m2")
    assert two.weld("m1") == ["W108 raise"]
    assert two.found[-1].device == "a/s/m2"
    assert two.found[-1].evidence["other_machine"] == "M-1"
    assert two.found[-1].evidence["reason"] == "two_at_once"
    assert two.say("power.off", "m1") == ["W108 clear"]


def test_to_scan_at_two_machines_is_not_to_weld_at_both(two: "Workshop") -> None:
    """Who forgets to scan out and goes on at the next machine has lent nothing."""
    two.weld("m1")
    two.say("power.off", "m1")
    two.say("scan.in", "m2", credential="C-1")
    assert two.weld("m2") == []


def test_nobody_scans_ten_kilometres_away_a_minute_later(two: "Workshop") -> None:
    """The scan itself proves it, arc or no arc; the alarm ends with the session, not with a second scan."""
    two.say("scan.in", "m1", credential="C-1", **HERE)
    two.wait(60)
    assert two.say("scan.in", "m2", credential="C-1", **FAR) == ["W108 raise"]
    evidence = two.found[-1].evidence
    assert (evidence["reason"], evidence["minutes"], evidence["limit_kmh"]) == ("too_fast", 1.0, 100.0)
    assert evidence["distance_m"] == pytest.approx(10_008, abs=10)
    assert evidence["speed_kmh"] == 600
    assert two.say("scan.in", "m2", credential="C-1", **FAR) == []
    assert two.say("scan.out", "m2", credential="C-1") == ["W108 clear"]


@pytest.mark.parametrize(("minutes", "said"), [(6.1, []), (5.9, ["W108 raise"])])
def test_the_limit_is_a_hundred_kilometres_an_hour(two: "Workshop", minutes: float, said: list[str]) -> None:
    """Ten kilometres take six minutes."""
    two.say("scan.in", "m1", credential="C-1", **HERE)
    two.wait(minutes * 60)
    assert two.say("scan.in", "m2", credential="C-1", **FAR) == said


def test_who_scans_out_is_there_until_then(two: "Workshop") -> None:
    """The way begins when he leaves, not when he came."""
    two.say("scan.in", "m1", credential="C-1", **HERE)
    two.wait(3600)
    two.say("scan.out", "m1", credential="C-1")
    two.wait(60)
    assert two.say("scan.in", "m2", credential="C-1", **FAR) == ["W108 raise"]


def test_scans_without_a_place_are_at_their_site(two: "Workshop") -> None:
    """The site in the topic has coordinates in the register; where it has none, nothing is proved."""
    two.register(Area(code="a", name="甲"), Site(code="s", name="厂", area="a", **HERE))
    two.say("scan.in", "m1", credential="C-1")
    assert two.say("scan.in", "m2", credential="C-1", **FAR) == ["W108 raise"]


def test_a_credential_in_no_register_is_w103_not_w108(two: "Workshop") -> None:
    """Nobody knows whose it is, so nobody can be in two places."""
    two.say("scan.in", "m1", credential="C-9", **HERE)
    assert two.say("scan.in", "m2", credential="C-9", **FAR) == []


# --- bypassed -------------------------------------------------------------------------------------------------------


def test_an_arc_of_a_locked_machine_is_w113(work: "Workshop") -> None:
    """It said that it is locked, and welds; the arc before the lock is not meant."""
    work.weld()
    assert work.say("reply", id="1", ok=True, state="locked") == []
    work.wait(10)
    assert work.weld(amps=121.0) == ["W113 raise"]
    assert work.found[-1].evidence["reason"] == "works_while_locked"
    assert work.say("reply", id="2", ok=True, state="unlocked") == ["W113 clear"]


def test_a_removed_chip_is_w113_at_once(work: "Workshop") -> None:
    """No arc is needed: it may not be told any more."""
    assert work.say("tamper") == ["W113 raise"]
    assert (work.found[-1].severity, work.found[-1].evidence["reason"]) == (Severity.CRITICAL, "chip_removed")
    assert work.say("tamper.clear") == ["W113 clear"]


def test_a_reply_to_another_command_locks_nothing(work: "Workshop") -> None:
    """Only `locked` and `unlocked` are states of a lock."""
    work.say("reply", id="1", ok=True, state=None)
    work.say("reply", id="1", ok=True, state="closed")
    assert work.weld() == []


# --- hours ----------------------------------------------------------------------------------------------------------


def weld_for(work: "Workshop", hours: float) -> list[str]:
    said = work.permit(ends_at=WEDNESDAY + dt.timedelta(hours=12))
    for minute in range(int(hours * 60)):
        said += work.weld(amps=100.0 + minute % 7) + work.wait(60)
    return said


def test_six_hours_without_a_rest_are_w114(work: "Workshop") -> None:
    """Electrode pauses and a smoke are no rest; half an hour is."""
    assert weld_for(work, 3) + work.wait(20 * 60) + weld_for(work, 2.5) == []
    assert weld_for(work, 0.3) == ["W114 raise"]
    assert work.found[-1].evidence["reason"] == "no_rest"


def test_a_rest_begins_the_hours_anew(work: "Workshop") -> None:
    """After half an hour without an arc."""
    weld_for(work, 3)
    work.wait(31 * 60)
    work.say("watch.done")
    work.prepare()
    assert "W114 raise" not in weld_for(work, 4)


def test_another_welder_is_a_rested_one(work: "Workshop") -> None:
    """The hours are a person's, not the machine's."""
    work.welder(code="w2", credential="C-2")
    work.certificate(code="cert2", welder="w2")
    weld_for(work, 4)
    work.say("scan.in", credential="C-2")
    assert weld_for(work, 3) == []


def test_a_machine_left_on_for_a_day_is_w114(work: "Workshop") -> None:
    """With or without an arc, from the first power.on to power.off."""
    work.say("power.on")
    work.wait(3600)
    work.say("power.on")
    assert work.wait(23 * 3600 - 1) == []
    assert work.wait(1) == ["W114 raise"]
    assert work.found[-1].evidence["reason"] == "powered_too_long"
    assert work.say("power.off") == ["W114 clear"]


# --- papers that run out --------------------------------------------------------------------------------------------


def expiring(work: "Workshop", days: int, **fields: Any) -> list[str]:
    day = work.local().date() + dt.timedelta(days=days)
    return work.certificate(**({"valid_until": day} | fields))


def test_a_certificate_with_less_than_thirty_days_is_a_notice_at_the_machine(work: "Workshop") -> None:
    """Told where its holder scanned last; renewed, it is over."""
    assert expiring(work, 30) == []
    assert expiring(work, 29) == ["W115 raise"]
    evidence = work.found[-1].evidence
    assert work.found[-1].severity is Severity.NOTICE
    assert (evidence["reason"], evidence["certificate"], evidence["welder"]) == ("expires", "cert1", "w1")
    assert expiring(work, 2000) == ["W115 clear"]


def test_the_notice_comes_with_the_scan(shop: "Workshop") -> None:
    """Before anybody has scanned there is nowhere to tell it; the next welder's papers are his own."""
    assert expiring(shop, 10) == []
    assert shop.say("scan.in", credential="C-1") == ["W115 raise"]
    shop.welder(code="w2", credential="C-2")
    shop.certificate(code="cert2", welder="w2")
    assert shop.say("scan.in", credential="C-2") == ["W115 clear"]


def test_the_days_are_counted_at_local_midnight(work: "Workshop") -> None:
    """Thirty days left in the evening are twenty-nine after midnight."""
    work.say("scan.out")
    expiring(work, 30)
    midnight = work.local().replace(hour=0) + dt.timedelta(days=1)
    assert work.wait_until(midnight - dt.timedelta(seconds=1)) == []
    assert work.wait_until(midnight) == ["W115 raise"]


def test_a_review_due_counts_like_an_end(work: "Workshop") -> None:
    """And the evidence says which of the two it is."""
    assert expiring(work, 2000, review_due=work.local().date() + dt.timedelta(days=5)) == ["W115 raise"]
    assert work.found[-1].evidence["reason"] == "review_due"


def test_who_has_a_second_certificate_needs_no_notice(work: "Workshop") -> None:
    """As long as one that covers the work goes on."""
    work.certificate(code="cert2", number="T110105194912310021")
    assert expiring(work, 5) == []


# --- days off -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "off"),
    [
        (dt.date(2026, 2, 14), False),  # a Saturday worked for the Spring Festival
        (dt.date(2026, 2, 16), True),  # a Monday of the Spring Festival
        (dt.date(2025, 10, 8), True),
        (dt.date(2025, 10, 11), False),
        (dt.date(2026, 11, 18), False),
        (dt.date(2026, 11, 21), True),
        (dt.date(2027, 2, 8), True),
        (dt.date(2031, 10, 1), False),  # a Wednesday of a year whose holidays nobody has published
    ],
)
def test_days_off_are_those_that_are_published(day: dt.date, off: bool) -> None:  # noqa: FBT001  a column of the table
    """Exchanged days are worked although on a weekend; a year that is not in the table has weekends only."""
    assert is_day_off(day) is off


def test_every_row_of_the_table_of_holidays_makes_sense() -> None:
    """In order, without overlap, each with a basis; worked days lie on weekends; 2027 is marked unverified."""
    table = periods()
    assert all(a.last < b.first for a, b in itertools.pairwise(table))
    assert all(p.first <= p.last and p.name and p.basis for p in table)
    assert all(p.first == p.last and p.first.weekday() >= 5 for p in table if not p.is_off)
    assert all(("未核实" in p.basis) == (p.first.year == 2027) for p in table)
