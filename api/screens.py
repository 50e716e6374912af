"""The built screens: hashed assets are kept for a year, the page itself is asked for anew, and its routes lead to it."""

from pathlib import Path

from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

_YEAR = "public, max-age=31536000, immutable"
_NOT_BUILT = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>emberwatch</title>
<p>界面尚未构建：请运行 <code>make screens</code>。接口在 <code>/api/v1</code>。
<p>The screens are not built: run <code>make screens</code>. The interface is at <code>/api/v1</code>.
"""
_OURS = ("api", "healthz", "readyz", "metrics")
_PAGES = (".", "index.html", "alarms", "hazards", "devices", "password")
"""First parts of the page's own addresses, as in `screens/src/live/open.ts`."""


class Screens(StaticFiles):
    """Serves what no route knows. Paths without a dot get the page, which says so where it knows no such address (404)."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, check_dir=False)
        self._index = directory / "index.html"

    async def check_config(self) -> None:
        """Leave a missing folder to the page that says what to do."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path.split("/", maxsplit=1)[0] in _OURS:
            raise HTTPException(404)
        if path == "." and not self._index.exists():
            return HTMLResponse(_NOT_BUILT, 503)
        page = path == "." or "." not in path.rsplit("/", 1)[-1]
        response = await super().get_response("index.html" if page else path, scope)
        if page and not isinstance(response, NotModifiedResponse) and path.split("/", maxsplit=1)[0] not in _PAGES:
            response.status_code = 404
        response.headers["Cache-Control"] = _YEAR if path.startswith("assets/") else "no-cache"
        return response
