"""Who gets in: every route refuses a stranger, roles hold, and other sites cannot use our cookies."""

from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from msgspec.structs import replace

from api.accounts import create_account, find_token, issue_token, revoke_token, set_password
from api.app import bare_app
from api.door import ATTEMPTS_PER_MINUTE, FAILURES, LOCK_MS
from api.sessions import ABSOLUTE_MS, COOKIE, IDLE_MS, RENEW_MS
from domain.errors import NotFoundError
from registers.account import Role

OPEN = {"/healthz", "/readyz", "/api/v1/login"}
PASSWORD = "Correct-Horse-1"
SAME_ORIGIN = {"Origin": "http://house"}


def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = bare_app().openapi()["paths"]
    return [(method, path, op) for path, ops in paths.items() for method, op in ops.items()]


def _filled(path: str) -> str:
    for name, value in {
        "alarm_id": "1",
        "hazard_id": "ZH-2026-000001",
        "noun": "site",
        "key": "canteen-1",
        "offset": "1",
        "area": "beidu",
        "site": "canteen-1",
        "device": "gas-001",
    }.items():
        path = path.replace(f"{{{name}}}", value)
    return path


@pytest.fixture
def alice(house: Any) -> str:
    """Make an operator with a password."""
    create_account(house.services.accounts, "alice", Role.OPERATOR, PASSWORD)
    return "alice"


async def _log_in(client: httpx.AsyncClient, name: str = "alice", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/v1/login", json={"name": name, "password": password})


@pytest.mark.parametrize(("method", "path"), [(m, p) for m, p, _ in _operations() if p not in OPEN])
async def test_every_route_refuses_a_stranger(visit: Any, method: str, path: str) -> None:
    """Without login or token nothing is readable and nothing changes, whatever the body says."""
    async with visit() as client:
        answer = await client.request(method, _filled(path), headers=SAME_ORIGIN)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json().keys() == {"type", "title", "status", "detail"}


def test_walk_misses_no_route() -> None:
    """Every route is in the document the other tests walk, except the document itself."""
    documented = {path for _, path, _ in _operations()}
    assert {context.path for context in iter_route_contexts(bare_app().routes)} - documented == {"/api/v1/openapi.json"}


async def test_interface_document_is_behind_the_login(visit: Any) -> None:
    """A stranger learns nothing about the interface; no page of it loads scripts from elsewhere."""
    async with visit() as client:
        assert (await client.get("/api/v1/openapi.json")).status_code == 401
    async with visit(Role.VIEWER) as client:
        assert (await client.get("/api/v1/openapi.json")).json()["info"]["title"] == "emberwatch"
        assert (await client.get("/docs.html")).status_code == 404


async def test_health_and_readiness_need_no_login(house: Any, visit: Any) -> None:
    """They say yes or no, and nothing else."""
    async with visit() as client:
        assert (await client.get("/healthz")).json() == {"alive": True}
        assert (await client.get("/readyz")).json() == {"ready": True}
        house.ready = False
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ready": False})


async def test_metrics_open_to_loopback_only_when_settings_say_so(house: Any, visit: Any) -> None:
    """A scrape needs a token, or loopback and `metrics_open`."""
    async with visit(address="127.0.0.1") as client:
        assert (await client.get("/metrics")).status_code == 401
    async with visit(Role.VIEWER) as client:
        assert "emberwatch_received_total 3.0" in (await client.get("/metrics")).text
    house.rebuilt(metrics_open=True)
    async with visit(address="127.0.0.1") as client:
        assert (await client.get("/metrics")).status_code == 200
    async with visit(address="10.0.0.9") as client:
        assert (await client.get("/metrics")).status_code == 401


READ_BY_OPERATORS = {"list_dead_letters", "get_dead_letter"}
CHANGED_BY_OPERATORS = {
    "acknowledge_alarm", "shelve_alarm", "unshelve_alarm", "disable_alarm", "enable_alarm", "open_hazard", "take_step",
}  # fmt: skip
CHANGED_BY_ADMINS = {"put_entry", "withdraw_entry", "import_entries"}
OWN = {"login", "logout", "change_password"}
BODIES: dict[str, dict[str, Any]] = {
    "shelve_alarm": {"reason": "x", "until_ms": 1},
    "open_hazard": {"title": "x", "basis": "x", "area": "a", "site": "s"},
    "take_step": {"event": "verify", "basis": "x"},
}


def test_every_changing_route_is_for_operators_or_administrators() -> None:
    """No route that changes something is left to viewers by forgetting."""
    changing = {op["operationId"] for method, _, op in _operations() if method != "get"}
    assert changing == CHANGED_BY_OPERATORS | CHANGED_BY_ADMINS | OWN


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (Role.VIEWER, READ_BY_OPERATORS | CHANGED_BY_OPERATORS | CHANGED_BY_ADMINS),
        (Role.OPERATOR, CHANGED_BY_ADMINS),
        (Role.ADMIN, set()),
    ],
)
async def test_roles_hold_on_every_route(visit: Any, role: Role, refused: set[str]) -> None:
    """Each role is refused exactly what is above it."""
    seen = set()
    async with visit(role) as client:
        for method, path, op in _operations():
            if op["operationId"] in OWN | {"stream"}:
                continue
            body = BODIES.get(op["operationId"], {"reason": "x"})
            answer = await client.request(method, _filled(path), json=body)
            if answer.status_code == 403:
                seen.add(op["operationId"])
    assert seen == refused


async def test_login_gives_a_cookie_out_of_reach_of_scripts_and_other_sites(visit: Any, alice: str) -> None:
    """HttpOnly and SameSite always, Secure when served over https."""
    for scheme, secure in (("http", False), ("https", True)):
        async with visit(scheme=scheme) as client:
            answer = await _log_in(client)
            cookie = answer.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert ("secure" in cookie) is secure
            assert (await client.get("/api/v1/me")).json()["name"] == alice


async def test_secure_cookies_hold_behind_a_proxy_that_does_not_say_https(house: Any, visit: Any, alice: str) -> None:
    """With the setting, the cookie is Secure although the request looks like plain http."""
    house.rebuilt(secure_cookies=True)
    async with visit(scheme="http") as client:
        answer = await _log_in(client)
        assert answer.json()["name"] == alice
        assert "secure" in answer.headers["set-cookie"].lower()


async def test_wrong_password_and_unknown_name_look_the_same(visit: Any, alice: str) -> None:
    """A stranger cannot learn which names exist."""
    async with visit() as client:
        wrong, unknown = await _log_in(client, alice, "wrong"), await _log_in(client, "nobody", "wrong")
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.json() == unknown.json()
        assert "set-cookie" not in wrong.headers


async def test_five_failures_lock_for_ten_minutes(house: Any, visit: Any, alice: str) -> None:
    """Even the right password is refused while locked, in the same words; afterwards it works."""
    async with visit() as client:
        for _ in range(FAILURES):
            refused = await _log_in(client, alice, "wrong")
        locked = await _log_in(client)
        assert (locked.status_code, locked.json()) == (401, refused.json())
        house.now_ms += LOCK_MS
        assert (await _log_in(client)).status_code == 200


async def test_success_forgets_earlier_failures(house: Any, visit: Any, alice: str) -> None:
    """Four failures, a success, and four failures lock nothing."""
    async with visit() as client:
        for _ in range(2):
            for _ in range(FAILURES - 1):
                await _log_in(client, alice, "wrong")
            assert (await _log_in(client)).status_code == 200
            house.now_ms += 60_000


async def test_logins_are_limited_by_address(house: Any, visit: Any) -> None:
    """The eleventh attempt in a minute is not even looked at; another address still may, and the next minute all may."""
    async with visit() as client, visit(address="10.0.0.10") as other:
        answers = [(await _log_in(client, "nobody")).status_code for _ in range(ATTEMPTS_PER_MINUTE + 1)]
        assert answers == [401] * ATTEMPTS_PER_MINUTE + [429]
        assert (await _log_in(other, "nobody")).status_code == 401
        house.now_ms += 60_000
        assert (await _log_in(client, "nobody")).status_code == 401


async def test_session_ends_when_idle(house: Any, visit: Any, alice: str) -> None:
    """Thirty minutes without a request end it."""
    async with visit() as client:
        await _log_in(client)
        house.now_ms += IDLE_MS
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_session_in_use_lives_until_its_absolute_end(house: Any, visit: Any, alice: str) -> None:
    """A screen that asks every 20 minutes stays logged in, but not past 12 hours."""
    async with visit() as client:
        await _log_in(client)
        for _ in range(35):
            house.now_ms += 20 * 60_000
            assert (await client.get("/api/v1/me")).status_code == 200
        house.now_ms += 20 * 60_000
        assert house.now_ms >= ABSOLUTE_MS
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_cookie_is_renewed_at_most_once_a_minute(house: Any, visit: Any, alice: str) -> None:
    """Busy screens do not get a new cookie with every answer."""
    async with visit() as client:
        await _log_in(client)
        assert "set-cookie" not in (await client.get("/api/v1/me")).headers
        house.now_ms += RENEW_MS
        assert COOKIE in (await client.get("/api/v1/me")).headers["set-cookie"]


async def test_logout_ends_the_session_itself(visit: Any, alice: str) -> None:
    """A cookie copied before the logout opens nothing afterwards."""
    async with visit() as client:
        await _log_in(client)
        stolen = client.cookies[COOKIE]
        assert (await client.post("/api/v1/logout", headers=SAME_ORIGIN)).status_code == 204
        assert COOKIE not in client.cookies
        assert (await client.get("/api/v1/me", headers={"Cookie": f"{COOKIE}={stolen}"})).status_code == 401


async def test_changed_password_ends_other_sessions(house: Any, visit: Any, alice: str) -> None:
    """The one who changed it goes on; everybody else logs in anew."""
    async with visit() as here, visit() as there:
        await _log_in(here)
        await _log_in(there)
        body = {"old": PASSWORD, "new": "Another-Horse-2"}
        assert (await here.post("/api/v1/me/password", json=body, headers=SAME_ORIGIN)).status_code == 200
        assert (await here.get("/api/v1/me")).status_code == 200
        assert (await there.get("/api/v1/me")).status_code == 401
        assert (await _log_in(there)).status_code == 401


async def test_password_change_needs_the_old_one_and_the_policy(visit: Any, alice: str) -> None:
    """A borrowed screen is not enough, and a weak password is refused without being echoed."""
    async with visit() as client:
        await _log_in(client)
        url = "/api/v1/me/password"
        wrong = await client.post(url, json={"old": "no", "new": "Another-Horse-2"}, headers=SAME_ORIGIN)
        assert wrong.status_code == 401
        weak = await client.post(url, json={"old": PASSWORD, "new": "shortpw"}, headers=SAME_ORIGIN)
        assert weak.status_code == 422
        assert "shortpw" not in weak.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Origin": "http://house"}, 204),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://evil"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_changes_by_cookie_must_come_from_our_own_page(
    visit: Any, alice: str, headers: dict[str, str], status: int
) -> None:
    """Another site's request with our cookie changes nothing."""
    async with visit() as client:
        await _log_in(client)
        assert (await client.post("/api/v1/logout", headers=headers)).status_code == status


async def test_another_site_cannot_log_its_visitor_in(visit: Any, alice: str) -> None:
    """Login forgery is refused too."""
    async with visit() as client:
        answer = await client.post(
            "/api/v1/login", json={"name": alice, "password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 403


@pytest.mark.parametrize("cookie", ["", "x", "eyJhIjoxfQ.AAAA", "{}"])
async def test_forged_cookie_opens_nothing(visit: Any, cookie: str) -> None:
    """Only what we signed is a session."""
    async with visit() as client:
        assert (await client.get("/api/v1/me", headers={"Cookie": f"{COOKIE}={cookie}"})).status_code == 401


async def test_disabled_account_is_out_at_once(house: Any, visit: Any, alice: str) -> None:
    """Its open sessions end with the next request."""
    async with visit() as client:
        await _log_in(client)
        accounts = house.services.accounts
        accounts.put_account(replace(accounts.account(alice), disabled=True))
        assert (await client.get("/api/v1/me")).status_code == 401
        assert (await _log_in(client)).status_code == 401


async def test_revoked_and_expired_tokens_open_nothing(house: Any, visit: Any) -> None:
    """A token holds until it is revoked or its time is up."""
    books = house.services.accounts
    lasting = issue_token(books, "scrape", Role.VIEWER, house.now_ms)
    brief = issue_token(books, "brief", Role.VIEWER, house.now_ms, house.now_ms + 1000)
    async with visit() as client:
        for secret in (lasting, brief):
            ask = {"Authorization": f"Bearer {secret}"}
            assert (await client.get("/api/v1/me", headers=ask)).json()["via"] == "token"
        house.now_ms += 1000
        revoke_token(books, "scrape")
        for secret in (lasting, brief, "ew_guess", ""):
            ask = {"Authorization": f"Bearer {secret}"}
            assert (await client.get("/api/v1/me", headers=ask)).status_code == 401


def test_only_the_digest_of_a_token_is_kept(house: Any) -> None:
    """Whoever reads the database cannot use what is there."""
    books = house.services.accounts
    secret = issue_token(books, "scrape", Role.VIEWER, house.now_ms)
    kept = books.tokens()[0]
    assert secret.startswith("ew_")
    assert secret not in repr(kept)
    with pytest.raises(NotFoundError):
        find_token(books, kept.digest, house.now_ms)


def test_new_password_lifts_the_lock(house: Any, alice: str) -> None:
    """The command line's `user passwd` is the way back in."""
    books = house.services.accounts
    books.put_account(replace(books.account(alice), locked_until_ms=house.now_ms + LOCK_MS, failures=3))
    changed = set_password(books, alice, "Another-Horse-2")
    assert (changed.locked_until_ms, changed.failures, changed.generation) == (0, 0, 2)
