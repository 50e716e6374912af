"""The application: which routes there are, which of them are behind the login, and what every response has in common."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from api import document, problems
from api.body_limit import BodyLimit
from api.context import Context
from api.guard import caller
from api.routes import alarms, dead_letters, devices, hazards, registers, rules, series, session, stream, system
from api.screens import Screens
from api.security_headers import SecurityHeaders
from api.services import Services

PREFIX = "/api/v1"
_NOUNS = (alarms, hazards, devices, series, registers, rules, dead_letters, system, stream, session)


def create_app(services: Services) -> FastAPI:
    """Return the application. `app.state.context.live.close()` ends the open streams: call it before stopping the server."""
    app = bare_app()
    app.state.context = Context.of(services)
    app.router.default = Screens(services.static)
    return app


def bare_app() -> FastAPI:
    """Return the application with its routes but without services: enough to describe it."""
    app = FastAPI(
        title="emberwatch",
        summary="燃气、消防与焊接作业安全监测：接口说明",
        version="1",
        docs_url=None,  # their pages load scripts from a CDN; the document itself is at /api/v1/openapi.json
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=_operation_id,
        lifespan=_lifespan,
    )
    app.include_router(system.public)
    app.include_router(session.public, prefix=PREFIX)
    app.include_router(_behind_the_login())
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    problems.install(app)
    document.install(app)
    return app


def _behind_the_login() -> APIRouter:
    house = APIRouter(prefix=PREFIX, dependencies=[Depends(caller)])
    for noun in _NOUNS:
        house.include_router(noun.router)
    return house


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with app.state.context.live.running():
        yield


def _operation_id(route: APIRoute) -> str:
    return route.name
