"""The application behind a real HTTP server on loopback: streams that are cut, many screens, and stopping."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from api.accounts import create_account, issue_token
from registers.account import Role


@asynccontextmanager
async def _serving(house: Any) -> AsyncIterator[tuple[uvicorn.Server, str]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(house.app, log_config=None, ws="none", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        async with asyncio.timeout(60):
            task = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
                await asyncio.sleep(0.01)
            try:
                yield server, f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                house.app.state.context.live.close()
                server.should_exit = True
                await task


@pytest.fixture
def token(house: Any) -> dict[str, str]:
    """Give the header of a program that may watch."""
    secret = issue_token(house.services.accounts, "screen", Role.VIEWER, house.now_ms)
    return {"Authorization": f"Bearer {secret}"}


async def _ids(client: httpx.AsyncClient, last: int | None, count: int) -> list[int]:
    headers = {"Last-Event-ID": str(last)} if last is not None else {}
    seen: list[int] = []
    async with client.stream("GET", "/api/v1/stream", params={"after": 0}, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            seen += [int(line[4:])] if line.startswith("id: ") else []
            if len(seen) == count:
                break
    return seen


async def test_cut_connections_resume_without_gap_or_double(house: Any, token: dict[str, str]) -> None:
    """A browser that loses its connection again and again sees every change of the books once, in order."""
    async with _serving(house) as (_, url), httpx.AsyncClient(base_url=url, headers=token) as client:
        seen: list[int] = []
        for cut, rule in enumerate(("G101", "G102", "D101", "W103", "F101"), 1):
            house.find(rule)
            seen += await _ids(client, seen[-1] if seen else None, 1)
            house.find(rule, severity=1)
            assert len(seen) == cut
        rest = house.services.feed.feed_end() - seen[-1]
        seen += await _ids(client, seen[-1], rest)
    assert seen == [item.id for item in house.services.feed.feed(0)]


async def test_many_screens_all_see_everything(house: Any, token: dict[str, str]) -> None:
    """One reader of the books serves them all."""
    limits = httpx.Limits(max_connections=None)
    async with (
        _serving(house) as (_, url),
        httpx.AsyncClient(base_url=url, headers=token, limits=limits, timeout=30) as client,
    ):
        screens = [asyncio.create_task(_ids(client, None, 3)) for _ in range(100)]
        for rule in ("G101", "G102", "D101"):
            await asyncio.to_thread(house.find, rule)
        first = [item.id for item in house.services.feed.feed(0)][:3]
        assert await asyncio.gather(*screens) == [first] * 100


async def test_screens_that_leave_are_forgotten(house: Any, token: dict[str, str]) -> None:
    """A closed connection costs nothing from then on."""
    live = house.app.state.context.live
    async with _serving(house) as (_, url), httpx.AsyncClient(base_url=url, headers=token) as client:
        house.find("G101")
        await _ids(client, None, 1)
        while live.listeners:  # noqa: ASYNC110  the hub has no event for this, and needs none
            await asyncio.sleep(0.01)


async def test_server_stops_while_screens_watch(house: Any, token: dict[str, str]) -> None:
    """Closing the live hub ends the streams, so stopping waits for nobody."""
    async with httpx.AsyncClient(headers=token, timeout=30) as client, _serving(house) as (_, url):
        house.find("G101")
        async with client.stream("GET", f"{url}/api/v1/stream?after=0") as answer:
            lines = answer.aiter_lines()
            assert await anext(lines) == "retry: 1000"
            house.app.state.context.live.close()
            async for _ in lines:
                pass
    assert house.app.state.context.live.listeners == 0


async def test_session_cookie_opens_the_stream_and_is_renewed_by_it(house: Any) -> None:
    """A wall screen that only watches stays logged in until its absolute end."""
    create_account(house.services.accounts, "wall", Role.VIEWER, "Correct-Horse-1")
    async with _serving(house) as (_, url), httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/api/v1/stream")).status_code == 401
        await client.post("/api/v1/login", json={"name": "wall", "password": "Correct-Horse-1"})
        house.now_ms += 5 * 60_000
        async with client.stream("GET", "/api/v1/stream") as answer:
            assert answer.status_code == 200
            assert "emberwatch_session" in answer.headers["set-cookie"]
