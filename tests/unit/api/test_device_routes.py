"""Devices, sites, curves, dead letters and the service itself over HTTP."""

from typing import Any

import pytest

from api.models.alarms import AlarmView
from api.models.hazards import HazardView
from domain.findings import Action
from domain.measurands import BY_NAME
from registers.account import Role

GAS = "beidu/canteen-1/gas-001"


async def test_devices_are_the_registered_and_the_heard(house: Any, visit: Any) -> None:
    """Registered and silent, registered and online, heard and in no register: each is listed as what it is."""
    house.find("G102")
    house.measure([1.0, 27.0])
    house.online["beidu/canteen-1/chip-1"] = True
    async with visit(Role.VIEWER) as client:
        items = (await client.get("/api/v1/devices?readings=true")).json()["items"]
    found = {item["path"]: item for item in items}
    assert sorted(found) == [item["path"] for item in items]
    gas, silent = found[GAS], found["beidu/workshop-2/gas-002"]
    assert (gas["registered"], gas["online"], gas["open_alarms"], gas["worst"]) == (True, True, 1, 2)
    assert [(r["measurand"], r["value"], r["unit"]) for r in gas["readings"]] == [("ch4_lel", 27.0, "%LEL")]
    assert (silent["online"], silent["level1"], silent["level2"]) == (None, 10, 40)
    assert found["beidu/canteen-1/stray-9"]["registered"] is False
    machine = found["beidu/canteen-1/chip-1"]
    assert (machine["registered"], machine["kind"], machine["name"]) == (True, "welding", "HJ-1")


async def test_device_pages_and_filters(house: Any, visit: Any) -> None:
    """Following `next_after` visits each once; area and site keep theirs."""
    async with visit(Role.VIEWER) as client:
        first = (await client.get("/api/v1/devices?limit=2")).json()
        rest = (await client.get(f"/api/v1/devices?limit=2&after={first['next_after']}")).json()
        paths = [item["path"] for item in first["items"] + rest["items"]]
        assert paths == [GAS, "beidu/canteen-1/stray-9", "beidu/workshop-2/gas-002"]
        assert rest["next_after"] is None
        at_site = (await client.get("/api/v1/devices?area=beidu&site=workshop-2")).json()["items"]
        assert [item["path"] for item in at_site] == ["beidu/workshop-2/gas-002"]


async def test_devices_are_found_by_part_of_path_or_name(visit: Any) -> None:
    """What stands on the label or in the register finds the device, in capitals or not; pages go on within what matches."""
    async with visit(Role.VIEWER) as client:

        async def found(query: str) -> list[str]:
            return [item["path"] for item in (await client.get(f"/api/v1/devices?{query}")).json()["items"]]

        assert await found("text=灶台") == [GAS]
        assert await found("text=STRAY") == ["beidu/canteen-1/stray-9"]
        assert await found("text=nothing") == []
        first = (await client.get("/api/v1/devices?text=gas-00&limit=1")).json()
        assert await found(f"text=gas-00&limit=1&after={first['next_after']}") == ["beidu/workshop-2/gas-002"]


async def test_silent_devices_are_those_registered_and_not_heard(house: Any, visit: Any) -> None:
    """Never heard and no longer heard are both silent; a stranger is not ours to miss, and a machine may be switched off."""
    house.online |= {"beidu/canteen-1/stray-9": False, "beidu/canteen-1/chip-1": False}
    async with visit(Role.VIEWER) as client:
        url = "/api/v1/devices?silent=true"
        assert [item["path"] for item in (await client.get(url)).json()["items"]] == ["beidu/workshop-2/gas-002"]
        house.online[GAS] = False
        assert [item["path"] for item in (await client.get(url)).json()["items"]] == [GAS, "beidu/workshop-2/gas-002"]


async def test_device_registered_elsewhere_is_not_registered_here(visit: Any) -> None:
    """A detector that turns up at another site is a stranger there."""
    async with visit(Role.VIEWER) as client:
        moved = (await client.get("/api/v1/devices/beidu/workshop-2/gas-001")).json()
        assert (moved["registered"], moved["site_name"]) == (False, "二号车间")


async def test_map_counts_devices_and_alarms_by_site(house: Any, visit: Any) -> None:
    """Each site with coordinates, online and silent devices, open alarms and the gravest of them."""
    house.find("G102")
    house.find("F101", severity=1)
    house.find("D102", device="nowhere/camp-7/x-1", severity=3)
    async with visit(Role.VIEWER) as client:
        sites = {site["site"]: site for site in (await client.get("/api/v1/sites/state")).json()}
    canteen, workshop, camp = sites["canteen-1"], sites["workshop-2"], sites["camp-7"]
    assert (canteen["lat"], canteen["lon"], canteen["risk"]) == (33.74, 113.3, "major")
    assert (canteen["devices"], canteen["online"], canteen["silent"]) == (1, 1, 0)
    assert (canteen["open_alarms"], canteen["worst"]) == (2, 1)
    assert (workshop["silent"], workshop["open_alarms"], workshop["worst"]) == (1, 0, None)
    assert (camp["name"], camp["open_alarms"]) == (None, 1)


async def test_map_follows_alarms_and_registers_live(house: Any, visit: Any) -> None:
    """What is kept in memory is never older than the books."""
    async with visit(Role.ADMIN) as client:
        url = "/api/v1/sites/state"
        for action, count in ((Action.RAISE, 1), (Action.CLEAR, 1)):
            house.find("G102", action=action)
            assert (await client.get(url)).json()[0]["open_alarms"] == count
        await client.post("/api/v1/alarms/1/acknowledge", json={})
        assert (await client.get(url)).json()[0]["open_alarms"] == 0
        await client.put(
            "/api/v1/registers/site/workshop-2", json={"code": "workshop-2", "name": "新名", "area": "beidu"}
        )
        assert (await client.get(url)).json()[1]["name"] == "新名"


async def test_curve_is_within_its_bounds_and_keeps_the_peak(house: Any, visit: Any) -> None:
    """At most the asked number of points, the highest reading among them, and how many stand behind."""
    values = [float(n % 7) for n in range(5000)]
    values[2345] = 99.0
    house.measure(values)
    query = {"device": GAS, "measurand": "ch4_lel", "from": house.now_ms - 6_000_000, "to": house.now_ms + 1}
    async with visit(Role.VIEWER) as client:
        curve = (await client.get("/api/v1/series", params={**query, "points": 100})).json()
    assert len(curve["time_ms"]) == len(curve["value"]) <= 100
    assert (max(curve["value"]), curve["total"]) == (99.0, 5000)
    assert curve["time_ms"] == sorted(curve["time_ms"])
    assert (curve["unit"], curve["title"]) == (BY_NAME["ch4_lel"].unit, BY_NAME["ch4_lel"].title)


@pytest.mark.parametrize(
    "wrong", [{"measurand": "phlogiston"}, {"from": 10, "to": 10}, {"device": "nonsense"}, {"points": 1}]
)
async def test_impossible_curve_is_refused(visit: Any, wrong: dict[str, Any]) -> None:
    """Each wrong parameter is a 422 with a sentence."""
    query = {"device": GAS, "measurand": "ch4_lel", "from": 0, "to": 10, **wrong}
    async with visit(Role.VIEWER) as client:
        answer = await client.get("/api/v1/series", params=query)
        assert answer.status_code == 422
        assert answer.json()["detail"]


async def test_dead_letter_shows_its_beginning_as_text_and_hex(house: Any, visit: Any) -> None:
    """Whatever the bytes are, the preview is harmless JSON."""
    offset = house.bury(b'\xff{"v": <script>' + b"x" * 10_000)
    async with visit(Role.OPERATOR) as client:
        page = (await client.get("/api/v1/dead-letters?reason=json")).json()
        assert [item["offset"] for item in page["items"]] == [offset]
        letter = (await client.get(f"/api/v1/dead-letters/{offset}")).json()
        assert (await client.get("/api/v1/dead-letters/999")).status_code == 404
    assert letter["hex"].startswith("ff 7b 22")
    assert letter["text"].startswith('\ufffd{"v"')
    assert (letter["size"], len(letter["text"])) == (10_015, 4096)


async def test_overview_is_one_call(house: Any, visit: Any) -> None:
    """Counts by severity and state, sites alarming, and the feed position to stream from."""
    house.find("W103", severity=1)
    house.find("D103", severity=3)
    async with visit(Role.VIEWER) as client:
        seen = (await client.get("/api/v1/overview")).json()
    assert seen["open_alarms"] == {"1": 1, "3": 1}
    assert seen["open_hazards"] == {"clue": 1}
    assert (seen["sites"], seen["sites_alarming"]) == (2, 1)
    assert seen["feed_id"] == house.services.feed.feed_end() > 0
    assert seen["status"]["version"] == "0.1.0"


async def test_a_site_that_has_cleared_is_not_alarming(house: Any, visit: Any) -> None:
    """What waits to be acknowledged is open and counted as such; the site itself is in order again."""
    house.find("W103", severity=1)
    house.find("W103", severity=1, action=Action.CLEAR)
    async with visit(Role.VIEWER) as client:
        seen = (await client.get("/api/v1/overview")).json()
        sites = (await client.get("/api/v1/sites/state")).json()
    assert seen["sites_alarming"] == 0
    assert [(site["open_alarms"], site["active_alarms"]) for site in sites] == [(1, 0), (0, 0)]


async def test_status_names_each_check_and_what_waits(house: Any, visit: Any) -> None:
    """After login one sees why the service is not ready."""
    house.ready = False
    house.bury(b"x")
    async with visit(Role.VIEWER) as client:
        seen = (await client.get("/api/v1/status")).json()
    assert seen["checks"] == [{"name": "broker", "ok": False, "warning": False, "detail": "127.0.0.1:1883"}]
    assert seen["dead_letters"] == {"json": 1}
    assert seen["outbox"].keys() == {"waiting", "sent", "failed"}


async def test_rules_are_the_catalogue(visit: Any) -> None:
    """Every rule with its basis, in the order of the rule book."""
    async with visit(Role.VIEWER) as client:
        rules = (await client.get("/api/v1/rules")).json()
    assert rules[0]["code"] == "G101"
    assert all(rule["basis"]["text"] and rule["title"] for rule in rules)


def test_feed_bodies_are_what_the_lists_show(house: Any) -> None:
    """A screen that applies feed items to its lists needs one type for both."""
    house.find("W103", severity=1)
    items = house.services.feed.feed(0)
    views: dict[str, Any] = {"alarm": AlarmView, "hazard": HazardView}
    assert {item.kind for item in items} == views.keys()
    for item in items:
        assert views[item.kind].model_validate(item.body).model_dump(mode="json") == item.body
