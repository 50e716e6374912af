"""What one application keeps while it runs, and how a route gets at it."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from api.directory import Directory
from api.door import Door
from api.live import LiveHub
from api.open_alarms import OpenAlarms
from api.services import Services
from api.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Context:
    """The services given to us and what this room builds on them."""

    services: Services
    door: Door
    sessions: Sessions
    directory: Directory
    open_alarms: OpenAlarms
    live: LiveHub

    @classmethod
    def of(cls, services: Services) -> "Context":
        live = LiveHub(services.feed, services.status, services.failed)
        services.on_feed.append(live.wake)
        return cls(
            services=services,
            door=Door(services.accounts, services.clock_ms),
            sessions=Sessions(services.accounts, services.clock_ms),
            directory=Directory(services.registers),
            open_alarms=OpenAlarms(services.alarms, services.feed),
            live=live,
        )


def _context(request: Request) -> Context:
    return cast("Context", request.app.state.context)


def _services(request: Request) -> Services:
    return _context(request).services


Ctx = Annotated[Context, Depends(_context)]
Svc = Annotated[Services, Depends(_services)]
