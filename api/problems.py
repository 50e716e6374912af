"""Errors become application/problem+json (RFC 9457) here and nowhere else; what happened inside is logged, never sent."""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.models.problem import FieldProblem, Problem
from api.security_headers import SECURITY_HEADERS
from domain.errors import (
    EmberwatchError,
    EngineError,
    IllegalTransitionError,
    InputError,
    NotFoundError,
    RefusedError,
)

_log = logging.getLogger(__name__)


class UnauthenticatedError(RefusedError):
    """Nobody we know is asking: no session or token, or one that no longer holds."""


class ForbiddenError(RefusedError):
    """We know who asks, and they may not do this."""


class TooManyRequestsError(RefusedError):
    """Asked too often; later will do."""


STATUS: dict[type[EmberwatchError], HTTPStatus] = {
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    NotFoundError: HTTPStatus.NOT_FOUND,
    IllegalTransitionError: HTTPStatus.CONFLICT,
    RefusedError: HTTPStatus.CONFLICT,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    EngineError: HTTPStatus.SERVICE_UNAVAILABLE,
    EmberwatchError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_HEADERS: dict[HTTPStatus, dict[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "60"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "5"},
}


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""
    app.add_exception_handler(EmberwatchError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


def problem_response(
    kind: str, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """Return the problem named `kind` (CamelCase or words) as a response."""
    body = Problem(
        type=problem_type(kind),
        title=" ".join(_words(kind)).capitalize(),
        status=status,
        detail=detail,
        **more,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True),
        status,
        media_type="application/problem+json",
        headers=SECURITY_HEADERS | _HEADERS.get(status, {}) | dict(headers or {}),
    )


def problem_type(kind: str) -> str:
    """Return the stable name of a problem, e.g. of `IllegalTransition`: `urn:emberwatch:problem:illegal-transition`."""
    return f"urn:emberwatch:problem:{'-'.join(_words(kind))}"


def _words(kind: str) -> list[str]:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower().split()


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    kind = next(cls for cls in type(error).__mro__ if cls in STATUS)
    name = kind.__name__.removesuffix("Error")
    if issubclass(kind, EngineError):
        _log.error("a store failed: %s", error)
        return problem_response(name, STATUS[kind], "a store did not do its work; trying again later may help")
    allowed = list(error.allowed) if isinstance(error, IllegalTransitionError) else None
    return problem_response(name, STATUS[kind], str(error), allowed=allowed)


async def _validation(_request: Request, error: Exception) -> JSONResponse:
    found: list[dict[str, Any]] = list(error.errors()) if isinstance(error, RequestValidationError) else []
    errors = [FieldProblem(field=".".join(str(part) for part in e["loc"]), problem=e["msg"]) for e in found]
    detail = "; ".join(f"{e.field}: {e.problem}" for e in errors)
    return problem_response("Input", HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    headers = error.headers if isinstance(error, HTTPException) else None
    return problem_response(status.phrase, status, status.description or status.phrase, headers)


async def _bug(request: Request, error: Exception) -> JSONResponse:
    _log.error(
        "unexpected %s in %s %s", type(error).__name__, request.method, request.scope.get("path"), exc_info=error
    )
    return problem_response(
        "Internal", HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here; the service's log says what"
    )
