"""W107 and W109-W112: the duties of hot work: its place, its guardian, the gas test before, the fire watch after, the bans."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from domain.findings import Severity
from registers.ban import Ban
from registers.permit import PermitLevel
from registers.place import Area, Site
from registers.view import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.detectors.welding.conftest import Workshop

HERE: dict[str, Any] = {"lat": 33.7000, "lon": 113.3000}
NEAR: dict[str, Any] = {"lat": 33.7012, "lon": 113.3000}  # 133 m north
FAR: dict[str, Any] = {"lat": 33.7100, "lon": 113.3000}  # 1,112 m north


def go_on(shop: "Workshop", minutes: int) -> list[str]:
    """Weld on, a reading a minute, never the same twice."""
    said = []
    for minute in range(minutes):
        said += shop.wait(60) + shop.weld(amps=100.0 + minute % 7)
    return said


# --- the guardian ---------------------------------------------------------------------------------------------------


def test_work_in_order_has_a_guardian_and_a_test(work: "Workshop") -> None:
    """With both, an arc is nobody's concern."""
    assert work.weld() == []


def test_a_guardian_who_leaves_is_missed_by_the_next_spark(work: "Workshop") -> None:
    """W109 stands from the first arcing reading without him to the first with him."""
    work.weld()
    assert work.say("guardian.out", person="G-1") == []
    work.wait(5)
    assert work.weld(amps=121.0) == ["W109 raise"]
    assert work.found[-1].evidence["reason"] == "guardian_absent"
    work.say("guardian.in", person="G-2")
    work.wait(5)
    assert work.weld(amps=122.0) == ["W109 clear"]


def test_who_leaves_after_the_last_spark_has_done_his_duty(work: "Workshop") -> None:
    """The job's off-delay is no work to be watched."""
    work.weld()
    assert work.say("guardian.out") + work.wait(90) == []


def test_a_change_of_guardians_may_overlap(work: "Workshop") -> None:
    """The second comes before the first goes."""
    work.say("guardian.in", person="G-2")
    work.say("guardian.out", person="G-1")
    assert work.weld() == []


@pytest.mark.parametrize("person", ["w1", "C-1"])
def test_nobody_watches_over_himself(work: "Workshop", person: str) -> None:
    """The welder's own code or credential is no guardian."""
    work.say("guardian.out", person="G-1")
    work.say("guardian.in", person=person)
    assert work.weld() == ["W109 raise"]
    assert work.found[-1].evidence["reason"] == "guardian_is_welder"


def test_another_guardian_than_the_permits_is_less_grave(work: "Workshop") -> None:
    """Somebody watches, but not who was named."""
    work.permit(guardian="G-9")
    assert work.weld() == ["W109 raise"]
    assert work.found[-1].severity is Severity.MEDIUM
    assert work.found[-1].evidence["guardian"] == "G-9"


def test_a_check_in_of_yesterday_is_not_believed(work: "Workshop") -> None:
    """Who forgot to check out twelve hours ago has gone home."""
    work.permit(ends_at=work.local() + dt.timedelta(days=2), level=PermitLevel.SPECIAL)
    work.wait(12 * 3600 + 1)
    work.say("gas_test", measurand="ch4_lel", value=0.0)
    assert work.weld() == ["W109 raise"]


# --- the gas test ---------------------------------------------------------------------------------------------------


def test_without_a_test_no_arc(shop: "Workshop") -> None:
    """A test half an hour and more before the first spark is none; a good one mends it."""
    shop.say("scan.in", credential="C-1")
    shop.wait(31 * 60)
    assert shop.weld() == ["W110 raise"]
    assert shop.found[-1].evidence["reason"] == "gas_test_too_old"
    assert shop.found[-1].evidence["test_age_min"] == 31
    shop.say("gas_test", measurand="ch4_lel", value=1.0)
    shop.wait(5)
    assert shop.weld(amps=121.0) == ["W110 clear"]


@pytest.mark.parametrize(
    ("measurand", "value", "limit"),
    [
        ("ch4_lel", 10.1, 10.0),  # 0.5 %VOL of 5 %VOL
        ("ch4_ppm", 5001.0, 5000.0),
        ("c3h8_lel", 9.6, 9.52),  # 0.2 %VOL of 2.1 %VOL
        ("h2_lel", 12.6, 12.5),
        ("lel", 9.6, 9.52),
        (None, 9.6, 9.52),
    ],
)
def test_the_limit_depends_on_the_gas(work: "Workshop", measurand: str | None, value: float, limit: float) -> None:
    """0.5 %VOL where the explosive limit is 4 %VOL or more, else 0.2 %VOL, in the unit of the instrument."""
    data: dict[str, Any] = {} if measurand is None else {"measurand": measurand}
    work.say("gas_test", value=value, **data)
    assert work.weld() == ["W110 raise"]
    evidence = work.found[-1].evidence
    assert (evidence["reason"], evidence["value"], evidence["set_point"]) == ("gas_over_limit", value, limit)
    work.wait(1)
    work.say("gas_test", value=limit - 0.1, **data)
    work.wait(5)
    assert work.weld(amps=121.0) == ["W110 clear"]


def test_a_test_without_a_result_is_less_grave_and_oxygen_is_another_test(new_shop: "Callable[[], Workshop]") -> None:
    """Somebody tested, but says nothing; a test of oxygen does not speak of explosion."""
    shop = new_shop()
    shop.say("scan.in", credential="C-1")
    shop.wait(3600)
    shop.say("gas_test", measurand="o2_vol", value=20.9)
    assert shop.weld() == ["W110 raise"]
    assert shop.found[-1].severity is Severity.CRITICAL
    shop.say("gas_test")
    shop.wait(5)
    assert shop.weld(amps=121.0) == ["W110 change"]
    assert (shop.found[-1].severity, shop.found[-1].evidence["reason"]) == (Severity.HIGH, "no_result")


@pytest.mark.parametrize(("level", "minutes", "said"), [
    (PermitLevel.FIRST, 29, []),
    (PermitLevel.FIRST, 31, ["W110 raise"]),
    (PermitLevel.SECOND, 31, []),
    (PermitLevel.SECOND, 61, ["W110 raise"]),
])  # fmt: skip
def test_after_a_break_the_air_is_tested_again(
    work: "Workshop", level: PermitLevel, minutes: int, said: list[str]
) -> None:
    """More than 30 minutes for the special and first level, 60 for the second; shorter breaks belong to the job."""
    work.permit(level=level)
    work.weld()
    work.wait(minutes * 60)
    work.say("watch.done")
    assert work.weld(amps=121.0) == said


def test_a_long_job_needs_no_second_test(work: "Workshop") -> None:
    """The test covers the job as long as it goes on."""
    work.weld()
    assert go_on(work, 120) == []


def test_work_without_a_permit_owes_no_papers_of_one(empty: "Workshop") -> None:
    """A plain log of current and voltage says nothing of guardians and tests: no permit (W106) is what is wrong."""
    for put in (empty.machine, empty.welder, empty.certificate):
        put()
    empty.say("scan.in", credential="C-1")
    assert empty.weld() == ["W106 raise"]


def test_a_bad_test_is_told_without_a_permit_too(work: "Workshop") -> None:
    """Gas in the air is a fact, whatever the papers say."""
    work.withdraw("permit", "DH-1")
    work.say("gas_test", measurand="ch4_lel", value=30.0)
    assert work.weld() == ["W106 raise", "W110 raise"]


# --- the fire watch -------------------------------------------------------------------------------------------------


def test_a_watch_nobody_confirms_is_overdue_after_half_an_hour(work: "Workshop") -> None:
    """W111 counts from the last spark, not from the end of the off-delay, and stands until somebody confirms."""
    work.weld()
    assert work.wait(90) + work.wait(30 * 60 - 91) == []
    assert work.wait(1) == ["W111 raise"]
    assert work.found[-1].evidence["reason"] == "watch_not_confirmed"
    assert work.say("power.off") == []
    assert work.say("watch.done") == ["W111 clear"]
    assert work.found[-1].evidence == {"reason": "mended"}


def test_a_confirmed_watch_is_quiet(work: "Workshop") -> None:
    """Also when it is confirmed before we know that the arc is over."""
    work.weld()
    work.say("watch.done")
    assert work.say("power.off") + work.wait(3600) == []


def test_a_watch_before_the_last_spark_does_not_count(work: "Workshop") -> None:
    """Who welds on must watch again."""
    work.weld()
    work.say("watch.done")
    work.wait(10)
    work.weld(amps=121.0)
    assert work.wait(90) + work.wait(1800) == ["W111 raise"]


def test_going_on_with_the_work_puts_the_watch_off(work: "Workshop") -> None:
    """The half hour counts from the last arc of all; once overdue it stays so."""
    work.weld()
    work.wait(25 * 60)
    work.weld(amps=121.0)
    work.wait(90)
    assert work.wait(25 * 60) == []
    assert work.wait(5 * 60) == ["W111 raise"]
    assert "W111 clear" not in work.weld(amps=122.0) + work.wait(90) + work.wait(3600)


# --- the place ------------------------------------------------------------------------------------------------------


def fenced(work: "Workshop") -> None:
    work.permit(radius_m=50.0, **HERE)


def test_a_machine_inside_its_circle_is_in_order(work: "Workshop") -> None:
    """Radius and the receiver's error are forgiven."""
    fenced(work)
    work.read("m1", [{"lat": 33.7008, "lon": 113.3}])  # 89 m, 50 + 50 allowed
    assert work.weld() == []


def test_a_machine_outside_its_permits_circle_is_w107(work: "Workshop") -> None:
    """By its own position; carried back, it is in order."""
    fenced(work)
    work.read("m1", [NEAR])
    assert work.weld() == ["W107 raise"]
    assert {"reason": "outside_place", "distance_m": 130, "allowed_m": 50, "permit": "DH-1"}.items() <= (
        work.found[-1].evidence.items()
    )
    assert work.read("m1", [HERE]) == ["W107 clear"]


def test_a_scan_from_afar_is_w107(shop: "Workshop") -> None:
    """The machine is where it should be, but who scans for it is not."""
    fenced(shop)
    shop.read("m1", [HERE])
    shop.say("scan.in", credential="C-1", **FAR)
    assert shop.weld() == ["W107 raise"]
    assert (shop.found[-1].evidence["reason"], shop.found[-1].evidence["distance_m"]) == ("scanned_elsewhere", 1110)


def test_a_permit_without_a_place_lies_around_its_site(work: "Workshop") -> None:
    """Five hundred metres around the site's coordinates; where neither is known, nothing is outside."""
    work.read("m1", [FAR])
    assert work.weld() == []
    work.register(Area(code="a", name="甲"))
    assert work.register(Site(code="s", name="厂", area="a", **HERE)) == ["W107 raise"]
    assert work.found[-1].evidence["allowed_m"] == 500


def test_a_receiver_without_a_fix_is_nowhere(work: "Workshop") -> None:
    """0, 0 and degrees that no globe has are no places; half a place is none."""
    fenced(work)
    for place in ({"lat": 0.0, "lon": 0.0}, {"lat": 95.0, "lon": 113.0}, {"lat": 33.9}):
        work.read("m1", [place])
    assert work.weld() == []


def test_a_locked_machine_that_moves_is_w107_without_an_arc(work: "Workshop") -> None:
    """Carried off after it was locked; jitter is no move; unlocking ends it."""
    work.read("m1", [HERE])
    work.say("reply", id="1", ok=True, state="locked")
    assert work.read("m1", [{"lat": 33.7001, "lon": 113.3}]) == []
    assert work.read("m1", [FAR]) == ["W107 raise"]
    assert work.found[-1].evidence["reason"] == "moved_while_locked"
    assert work.say("reply", id="2", ok=True, state="unlocked") == ["W107 clear"]


# --- the bans -------------------------------------------------------------------------------------------------------


def test_an_arc_where_it_is_forbidden_is_w112(work: "Workshop") -> None:
    """The reason of the ban is told; lifting it ends the alarm."""
    work.weld()
    assert work.register(Ban(code="B", reason="营业期间", site="s")) == ["W112 raise"]
    assert work.found[-1].evidence["ban_reason"] == "营业期间"
    assert work.withdraw("ban", "B") == ["W112 clear"]


def test_a_ban_begins_under_a_burning_arc(work: "Workshop") -> None:
    """From the first spark of its first minute."""
    work.register(Ban(code="B", reason="营业期间", from_h=10.5, to_h=22))
    assert dt.datetime.fromtimestamp(work.now_ms / 1000, LOCAL).hour == 10
    work.weld()
    assert go_on(work, 29) == []
    assert go_on(work, 1) == ["W112 raise"]


def test_a_ban_elsewhere_is_no_concern(work: "Workshop") -> None:
    """Another site, another area."""
    work.register(Ban(code="B", reason="x", site="t"), Ban(code="C", reason="x", area="b"))
    assert work.weld() == []
