"""The screens are served with the right caching and nothing beside them."""

from typing import Any

import pytest


@pytest.fixture
def built(house: Any) -> None:
    """Build screens as the front end would."""
    static = house.services.static
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>page</title>")
    (static / "assets" / "index-a1b2.js").write_text("1")
    (static.parent / "secret.txt").write_text("secret")


async def test_missing_screens_say_what_to_do(visit: Any) -> None:
    """A clone that lost its build is told how to make it."""
    async with visit() as client:
        answer = await client.get("/")
        assert answer.status_code == 503
        assert "make screens" in answer.text
        assert (await client.get("/alarms")).status_code in (404, 503)


@pytest.mark.usefixtures("built")
async def test_page_is_asked_anew_and_hashed_assets_are_kept(visit: Any) -> None:
    """A new version shows at once; what its name identifies never has to be fetched again."""
    async with visit() as client:
        page, asset = await client.get("/"), await client.get("/assets/index-a1b2.js")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    assert "immutable" in asset.headers["cache-control"]
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'self'")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("path", ["/alarms", "/hazards/ZH-2026-000001", "/index.html"])
async def test_routes_of_the_page_lead_to_the_page(visit: Any, path: str) -> None:
    """A link sent to an inspector opens."""
    async with visit() as client:
        assert (await client.get(path)).text == "<title>page</title>"


@pytest.mark.usefixtures("built")
async def test_an_unknown_address_is_not_found_and_shows_the_page(visit: Any) -> None:
    """The page says in words that there is nothing here; a program sees it by the status."""
    async with visit() as client:
        answer = await client.get("/alarmz/12")
    assert (answer.status_code, answer.text) == (404, "<title>page</title>")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path",
    ["/assets/none.js", "/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/api/v2/x", "/api"],
)
async def test_nothing_else_is_served(visit: Any, path: str) -> None:
    """No file outside the build, and no page where an interface was asked for."""
    async with visit() as client:
        answer = await client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
