"""No request may be larger than its route has use for: a stranger must not fill the memory through the login."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem_response

USUAL = 1024 * 1024
IMPORT = 64 * 1024 * 1024
_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class BodyLimit:
    """ASGI middleware: 413 for a body over 1 MiB, for an import over 64 MiB; counted also where no length is declared."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = IMPORT if scope["path"].endswith("/import") else USUAL
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            detail = f"at most {limit:,} bytes are read here"
            await problem_response(_TOO_LARGE.phrase, _TOO_LARGE, detail)(scope, receive, send)
        else:
            await self._app(scope, _counted(receive, limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise HTTPException(_TOO_LARGE)
        return message

    return counted
