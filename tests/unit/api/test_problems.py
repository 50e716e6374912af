"""Whatever goes wrong is answered as a problem document, with headers, and without what happened inside."""

import dataclasses
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.body_limit import USUAL
from api.problems import STATUS
from api.security_headers import SECURITY_HEADERS
from domain import errors
from domain.errors import EngineError, InputError
from registers.account import Role

PASSWORD = "do-not-echo-me"


class Failing:
    """A port that fails in every method."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, _name: str) -> Any:
        def fail(*_args: object, **_kw: object) -> None:
            raise self._error

        return fail


def _leaves(cls: type[errors.EmberwatchError]) -> list[type[errors.EmberwatchError]]:
    return [cls, *(leaf for sub in cls.__subclasses__() for leaf in _leaves(sub))]


def test_every_error_of_the_house_has_a_status() -> None:
    """The tree of errors is covered by its branches: none becomes a nameless 500."""
    for cls in _leaves(errors.EmberwatchError):
        named = next(base for base in cls.__mro__ if base in STATUS)
        assert cls is errors.EmberwatchError or named is not errors.EmberwatchError, cls


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/v1/alarms/1", 404, "not-found"),
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("GET", "/api/v1/registers/unicorn", 404, "not-found"),
        ("PATCH", "/api/v1/alarms", 405, "method-not-allowed"),
        ("GET", "/api/v1/login", 405, "method-not-allowed"),
        ("GET", "/api/v1/alarms?limit=0", 422, "input"),
        ("GET", "/api/v1/devices/a/b/c!", 422, "input"),
        ("POST", "/api/v1/hazards", 422, "input"),
    ],
)
async def test_errors_have_one_shape(visit: Any, method: str, path: str, status: int, kind: str) -> None:
    """Type, title, status and detail, as problem+json, under our headers."""
    async with visit(Role.ADMIN) as client:
        answer = await client.request(method, path)
        body = answer.json()
        assert (answer.status_code, body["status"]) == (status, status)
        assert body["type"] == f"urn:emberwatch:problem:{kind}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers.items() >= {k.lower(): v for k, v in SECURITY_HEADERS.items()}.items()


async def test_illegal_step_names_the_legal_ones(house: Any, visit: Any) -> None:
    """409 with `allowed`, and nothing changed."""
    house.find("G102")
    async with visit(Role.OPERATOR) as client:
        answer = await client.post("/api/v1/alarms/1/unshelve", json={})
        assert answer.status_code == 409
        assert "acknowledge" in answer.json()["allowed"]
        assert (await client.get("/api/v1/alarms/1")).json()["alarm"]["state"] == "active_unacked"


async def test_wrong_input_is_named_but_never_echoed(visit: Any) -> None:
    """A password typed into the wrong field comes back nowhere."""
    async with visit() as client:
        answer = await client.post("/api/v1/login", json={"name": "alice", "secret": PASSWORD})
        assert {error["field"] for error in answer.json()["errors"]} == {"body.password", "body.secret"}
        assert PASSWORD not in answer.text


async def test_failing_store_is_503_without_its_words(house: Any, visit: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The person is told to try again; the log is told why."""
    async with visit(Role.VIEWER) as client:
        broken = dataclasses.replace(house.services, alarms=Failing(EngineError("disk I/O error in /var/lib")))
        house.app.state.context = dataclasses.replace(house.app.state.context, services=broken)
        answer = await client.get("/api/v1/alarms")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert "disk" not in answer.text
    assert "disk I/O error" in caplog.text


async def test_bug_is_500_without_a_trace(house: Any, visit: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A stack trace goes to the log and never out."""
    caplog.set_level(logging.ERROR)
    async with visit(Role.VIEWER) as client:
        broken = dataclasses.replace(house.services, alarms=Failing(KeyError("inner-secret")))
        house.app.state.context = dataclasses.replace(house.app.state.context, services=broken)
        answer = await client.get("/api/v1/alarms")
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:emberwatch:problem:internal"
    assert "inner-secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "inner-secret" in caplog.text


async def test_too_large_a_body_is_refused_before_it_is_read(visit: Any) -> None:
    """A stranger cannot fill the memory through the login."""
    async with visit() as client:
        for body in (b" " * (USUAL + 1), _drip()):
            answer = await client.post("/api/v1/login", content=body)
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["x-content-type-options"] == "nosniff"


async def _drip() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield b" " * (USUAL // 2)


async def test_refusals_keep_their_words(house: Any, visit: Any) -> None:
    """Our own refusals are written for people and reach them."""
    async with visit(Role.VIEWER) as client:
        broken = dataclasses.replace(house.services, alarms=Failing(InputError("the moon is full")))
        house.app.state.context = dataclasses.replace(house.app.state.context, services=broken)
        answer = await client.get("/api/v1/alarms")
        assert (answer.status_code, answer.json()["detail"]) == (422, "the moon is full")
