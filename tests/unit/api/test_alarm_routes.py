"""Alarms and hazards over HTTP: lists, details, and what operators do."""

import dataclasses
from typing import Any

import pytest

from domain.errors import EngineError
from domain.findings import Action
from registers.account import Role

GAS = "beidu/canteen-1/gas-001"


class BrokenHistory:
    """A history that is down."""

    def latest(self, _device: str) -> dict[str, tuple[int, float]]:
        raise EngineError("down")


async def test_lists_open_alarms_newest_first_in_pages(house: Any, visit: Any) -> None:
    """Following `next_before_id` visits every alarm once."""
    for rule in ("G101", "G102", "D103", "D101", "W101"):
        house.find(rule)
    seen, query = [], {"limit": 2}
    async with visit(Role.VIEWER) as client:
        while True:
            page = (await client.get("/api/v1/alarms", params=query)).json()
            seen += [alarm["rule"] for alarm in page["items"]]
            if page["next_before_id"] is None:
                break
            query["before_id"] = page["next_before_id"]
    assert seen == ["W101", "D101", "D103", "G102", "G101"]


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ({"rule": ["G101", "F101"]}, {"G101", "F101"}),
        ({"severity": [1]}, {"F101"}),
        ({"site": "workshop-2"}, {"W101"}),
        ({"device": GAS}, {"G101", "F101"}),
        ({"open_only": False, "rule": "D103"}, {"D103"}),
        ({"rule": "D103"}, set()),
    ],
)
async def test_filters(house: Any, visit: Any, query: dict[str, Any], rules: set[str]) -> None:
    """Each filter keeps what it names."""
    house.find("G101")
    house.find("F101", severity=1)
    house.find("W101", device="beidu/workshop-2/chip-1")
    house.find("D103")
    house.find("D103", action=Action.CLEAR)
    async with visit(Role.OPERATOR) as client:
        closed = (await client.get("/api/v1/alarms", params={"rule": "D103"})).json()["items"][0]["id"]
        await client.post(f"/api/v1/alarms/{closed}/acknowledge", json={})
        page = (await client.get("/api/v1/alarms", params=query)).json()
    assert {alarm["rule"] for alarm in page["items"]} == rules


async def test_detail_tells_the_whole_story(house: Any, visit: Any) -> None:
    """Rule with basis, history, facts of device and site, readings around the event, and what may be done."""
    house.measure([1.0, 5.0, 27.0])
    house.find("G102")
    async with visit(Role.OPERATOR) as client:
        detail = (await client.get("/api/v1/alarms/1")).json()
    assert detail["rule"]["code"] == "G102"
    assert detail["rule"]["basis"]["text"]
    assert [row["event"] for row in detail["transitions"]] == ["raise"]
    assert detail["device"]["site_name"] == "一号食堂"
    assert detail["device"]["enterprise_name"] == "示例餐饮公司"
    assert (detail["device"]["level1"], detail["device"]["lat"]) == (20, 33.74)
    assert [curve["value"] for curve in detail["curves"]] == [[1.0, 5.0, 27.0]]
    assert detail["allowed"] == ["acknowledge", "shelve", "disable"]


async def test_detail_survives_a_history_that_is_down(house: Any, visit: Any) -> None:
    """An alarm must be readable while readings are not."""
    house.find("G102")
    async with visit(Role.VIEWER) as client:
        services = dataclasses.replace(house.services, history=BrokenHistory())
        house.app.state.context = dataclasses.replace(house.app.state.context, services=services)
        detail = (await client.get("/api/v1/alarms/1")).json()
        assert (detail["curves"], detail["curves_ok"]) == ([], False)


async def test_rules_that_may_not_be_shelved_do_not_offer_it(house: Any, visit: Any) -> None:
    """What the page offers is what the book will accept."""
    house.find("F101", severity=1)
    async with visit(Role.OPERATOR) as client:
        assert "shelve" not in (await client.get("/api/v1/alarms/1")).json()["allowed"]
        body = {"reason": "wartung", "until_ms": house.now_ms + 1000}
        assert (await client.post("/api/v1/alarms/1/shelve", json=body)).status_code == 409


async def test_operator_actions_are_written_with_who_and_why(house: Any, visit: Any) -> None:
    """Acknowledge, shelve, unshelve, disable, enable: each is a row naming the caller."""
    house.find("D103", severity=3)
    steps = [
        ("acknowledge", {"reason": "seen"}, "active_acked"),
        ("shelve", {"reason": "repair", "until_ms": house.now_ms + 3_600_000}, "shelved"),
        ("unshelve", {}, "active_unacked"),
        ("disable", {"reason": "replaced"}, "out_of_service"),
        ("enable", {}, "active_unacked"),
    ]
    async with visit(Role.OPERATOR) as client:
        for action, body, state in steps:
            answer = await client.post(f"/api/v1/alarms/1/{action}", json=body)
            assert answer.json()["state"] == state
        rows = (await client.get("/api/v1/alarms/1")).json()["transitions"][1:]
    assert [row["event"] for row in rows] == [action for action, _, _ in steps]
    assert {row["by"] for row in rows} == {"token:operator-0"}
    assert rows[0]["reason"] == "seen"


@pytest.mark.parametrize("action", ["shelve", "disable"])
async def test_putting_aside_needs_a_reason(house: Any, visit: Any, action: str) -> None:
    """An empty reason is none."""
    house.find("D103")
    async with visit(Role.OPERATOR) as client:
        body = {"reason": "", "until_ms": house.now_ms + 1000}
        assert (await client.post(f"/api/v1/alarms/1/{action}", json=body)).status_code == 422


async def test_hazard_goes_from_clue_to_assignment(house: Any, visit: Any) -> None:
    """Opened by hand, then step by step; each answer lists what may follow."""
    draft = {"title": "软管老化", "basis": "燃气条例", "area": "beidu", "site": "canteen-1", "grade": "general"}
    async with visit(Role.OPERATOR) as client:
        opened = await client.post("/api/v1/hazards", json=draft)
        assert (opened.status_code, opened.json()["state"]) == (201, "clue")
        url = f"/api/v1/hazards/{opened.json()['id']}"
        for step in (
            {"event": "verify"},
            {"event": "register", "grade": "major"},
            {"event": "assign", "assignee": "i-1", "due_ms": house.now_ms + 86_400_000},
        ):
            assert step["event"] in (await client.get(url)).json()["allowed"]
            answer = await client.post(f"{url}/steps", json={"basis": "现场记录", "note": "x", **step})
            assert answer.status_code == 200, answer.text
        detail = (await client.get(url)).json()
    assert (detail["hazard"]["state"], detail["hazard"]["grade"], detail["hazard"]["assignee"]) == (
        "assigned",
        "major",
        "i-1",
    )
    assert [event["event"] for event in detail["events"]] == ["open", "verify", "register", "assign"]
    assert all(b["previous"] == a["hash"] for a, b in zip(detail["events"], detail["events"][1:], strict=False))


async def test_hazard_with_an_active_alarm_cannot_be_closed_and_illegal_steps_name_legal_ones(
    house: Any, visit: Any
) -> None:
    """A step out of turn is 409 with what is allowed."""
    house.find("W103", severity=1)
    async with visit(Role.OPERATOR) as client:
        hazard = (await client.get("/api/v1/hazards")).json()["items"][0]
        assert hazard["alarms"] == [1]
        answer = await client.post(f"/api/v1/hazards/{hazard['id']}/steps", json={"event": "close", "basis": "x"})
        assert answer.status_code == 409
        assert "verify" in answer.json()["allowed"]


async def test_hazard_pages_visit_each_once(visit: Any) -> None:
    """Following `next_after` visits every hazard once, newest first."""
    seen, query = [], {"limit": "2"}
    async with visit(Role.OPERATOR) as client:
        for n in range(5):
            draft = {"title": f"t{n}", "basis": "b", "area": "beidu", "site": "canteen-1"}
            await client.post("/api/v1/hazards", json=draft)
        while True:
            page = (await client.get("/api/v1/hazards", params=query)).json()
            seen += [hazard["title"] for hazard in page["items"]]
            if page["next_after"] is None:
                break
            query["after"] = page["next_after"]
    assert seen == ["t4", "t3", "t2", "t1", "t0"]


@pytest.mark.parametrize(
    "path",
    [
        f"alarms?from_ms={10**30}",
        f"alarms?before_id={2**63}",
        f"alarms/{2**63}",
        f"dead-letters?before_offset={10**30}",
        f"stream?after={2**63}",
    ],
)
async def test_number_no_store_can_hold_is_refused(visit: Any, path: str) -> None:
    """It is an error of who asks, not a failure of ours."""
    async with visit(Role.OPERATOR) as client:
        assert (await client.get(f"/api/v1/{path}")).status_code == 422


async def test_deadline_no_calendar_can_write_is_refused(visit: Any) -> None:
    """A hazard due after the year 9999 could never be put into words."""
    hazard = {"title": "t", "basis": "b", "area": "beidu", "site": "canteen-1"}
    async with visit(Role.OPERATOR) as client:
        answers = [await client.post("/api/v1/hazards", json={**hazard, "due_ms": due}) for due in (10**16, -1)]
    assert [answer.status_code for answer in answers] == [422, 422]
