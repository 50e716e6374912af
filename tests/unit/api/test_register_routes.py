"""Registers over HTTP: masked at every exit, changed by administrators, imported with a report."""

from typing import Any

import pytest

from registers.account import Role
from registers.nouns import NOUNS

RESIDENT_HEAD = "410402"


async def _everything(client: Any) -> list[str]:
    paths = ["/api/v1/registers"]
    for noun in NOUNS:
        paths += [f"/api/v1/registers/{noun}", f"/api/v1/registers/{noun}?text=1"]
        page = (await client.get(f"/api/v1/registers/{noun}")).json()
        paths += [f"/api/v1/registers/{noun}/{item['key']}" for item in page["items"]]
    return paths


@pytest.mark.parametrize("role", list(Role))
async def test_no_personal_value_leaves_the_house(
    house: Any, visit: Any, role: Role, personal: tuple[str, ...]
) -> None:
    """Not in registers, alarms, hazards, devices, maps, streams or errors, whoever asks."""
    house.find("W103", device="beidu/canteen-1/chip-1", severity=1)
    others = [
        "/api/v1/alarms",
        "/api/v1/alarms/1",
        "/api/v1/hazards",
        "/api/v1/devices?readings=true",
        "/api/v1/devices/beidu/canteen-1/chip-1",
        "/api/v1/sites/state",
        "/api/v1/overview",
        "/api/v1/status",
        "/metrics",
    ]
    async with visit(role) as client:
        for path in await _everything(client) + others:
            text = (await client.get(path)).text
            assert not [value for value in personal if value in text], path


async def test_masked_names_cannot_be_guessed_by_searching(visit: Any) -> None:
    """A viewer could otherwise spell a name out, character by character; places and devices anybody may search."""
    async with visit(Role.VIEWER) as viewer, visit(Role.OPERATOR) as operator:
        assert (await viewer.get("/api/v1/registers/welder?text=大")).status_code == 403
        assert len((await operator.get("/api/v1/registers/welder?text=大")).json()["items"]) == 1
        assert len((await viewer.get("/api/v1/registers/site?text=食堂")).json()["items"]) == 1


async def test_refused_entry_does_not_echo_personal_values(visit: Any) -> None:
    """Errors are exits too."""
    wrong = f"{RESIDENT_HEAD}199001011231"
    fields = {"code": "w-2", "name": "钱小二", "credential": "C-2", "id_number": wrong, "phone": "13700001111"}
    async with visit(Role.ADMIN) as client:
        answer = await client.put("/api/v1/registers/welder/w-2", json=fields)
        assert answer.status_code == 422
        assert not [value for value in (wrong, "钱小二", "13700001111") if value in answer.text]


async def test_masked_entry_put_back_keeps_what_it_masks(house: Any, visit: Any) -> None:
    """Editing one field of a masked entry does not write stars into the others."""
    async with visit(Role.ADMIN) as client:
        fields = (await client.get("/api/v1/registers/welder/w-1")).json()["fields"]
        assert fields["name"] == "王*"
        answer = await client.put("/api/v1/registers/welder/w-1", json={**fields, "credential": "C-9"})
        assert answer.status_code == 200
    kept = house.services.registers.get("welder", "w-1")
    assert (kept.name, kept.phone, kept.credential) == ("王大锤", "13800001234", "C-9")


async def test_put_and_withdraw(house: Any, visit: Any) -> None:
    """A new area appears and goes; the address and the entry must name the same thing."""
    async with visit(Role.ADMIN) as client:
        url = "/api/v1/registers/area/yaomeng"
        assert (await client.put(url, json={"code": "other", "name": "姚孟街道"})).status_code == 422
        assert (await client.put(url, json={"code": "yaomeng", "name": "姚孟街道"})).status_code == 200
        assert (await client.get(url)).json()["fields"] == {"code": "yaomeng", "name": "姚孟街道"}
        assert (await client.delete(url)).status_code == 204
        assert (await client.get(url)).status_code == 404


async def test_entry_in_use_cannot_be_withdrawn(visit: Any) -> None:
    """409 while something refers to it."""
    async with visit(Role.ADMIN) as client:
        assert (await client.delete("/api/v1/registers/site/canteen-1")).status_code == 409


async def test_change_is_written_with_who(house: Any, visit: Any) -> None:
    """A change travels to the detectors through the store's changes."""
    last = house.services.registers.changes(0)[-1].id
    async with visit(Role.ADMIN) as client:
        await client.put("/api/v1/registers/area/new", json={"code": "new", "name": "新"})
    assert [change.key for change in house.services.registers.changes(last)] == ["new"]


async def test_pages_visit_each_entry_once(visit: Any) -> None:
    """Following `next_after` in key order."""
    async with visit(Role.VIEWER) as client:
        first = (await client.get("/api/v1/registers/device?limit=1")).json()
        second = (await client.get(f"/api/v1/registers/device?limit=1&after={first['next_after']}")).json()
        third = (await client.get(f"/api/v1/registers/device?limit=1&after={second['next_after']}")).json()
    assert [item["key"] for item in first["items"] + second["items"]] == ["gas-001", "gas-002"]
    assert third == {"items": [], "next_after": None}


async def test_import_reports_bad_rows_and_imports_nothing_unless_told(house: Any, visit: Any) -> None:
    """Every bad row by line, column and reason; `partial` takes the good ones."""
    data = "code,name\nnew-1,新街道\nbad code,坏\n".encode()
    async with visit(Role.ADMIN) as client:
        url = "/api/v1/registers/area/import"
        refused = (await client.post(url, content=data, headers={"Content-Type": "text/csv"})).json()
        assert (refused["read"], refused["imported"]) == (2, 0)
        assert [(p["line"], p["column"]) for p in refused["problems"]] == [(3, "code")]
        taken = (await client.post(url, content=data, params={"partial": True})).json()
        assert taken["imported"] == 1
    assert house.services.registers.get("area", "new-1")


async def test_import_report_masks_personal_values(visit: Any) -> None:
    """A report names the wrong cell without spreading it."""
    data = f"code,name,credential,id_number\nw-3,钱小二,C-3,{RESIDENT_HEAD}199001011231\n".encode()
    async with visit(Role.ADMIN) as client:
        text = (await client.post("/api/v1/registers/welder/import", content=data)).text
        assert '"column":"id_number"' in text
        assert f"{RESIDENT_HEAD}199001011231" not in text
        assert "钱小二" not in text
