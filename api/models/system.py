"""The service itself: overview, readiness, dead letters, the live stream."""

from typing import Annotated, Any

from pydantic import Field

from api.models.base import EpochMs, View
from api.services import Check, LiveStatus


class Alive(View):
    """The process answers."""

    alive: bool = True


class Ready(View):
    """Whether the service can do its work; what is missing is told after login (`/api/v1/status`)."""

    ready: bool


class StatusView(View):
    """How the service is doing, and each readiness check. `outbox`: waiting, sent, failed; `dead_letters`: reason → count."""

    status: LiveStatus
    checks: list[Check]
    outbox: dict[str, int]
    dead_letters: dict[str, int]


class Overview(View):
    """The counts of the screen in one call. Start the live stream with `after=feed_id`: nothing between is missed."""

    feed_id: int
    status: LiveStatus
    open_alarms: dict[int, int] = Field(examples=[{1: 2, 2: 5}], description="severity → open alarms")
    open_hazards: dict[str, int] = Field(examples=[{"clue": 2}], description="state → hazards")
    sites: int
    sites_alarming: int


class DeadLetterView(View):
    """A record nobody could read. `reason` is a stable code."""

    offset: int
    received_ms: EpochMs
    topic: str
    reason: str = Field(examples=["json"])
    detail: str
    size: int = Field(description="bytes of the whole payload")


class DeadLetterDetail(DeadLetterView):
    """With the beginning of its bytes, as text and as hex."""

    text: str
    hex: str


class DeadLetterPage(View):
    """Newest first; give `next_before_offset` as `before_offset` for the next page (null: this was the last)."""

    items: list[DeadLetterView]
    next_before_offset: int | None


class StreamItem(View):
    """The `data` of a stream event named `alarm` or `hazard`: the thing after the change; its SSE `id` is `id`."""

    id: int
    at_ms: EpochMs
    kind: Annotated[str, Field(examples=["alarm"])]
    body: dict[str, Any]
