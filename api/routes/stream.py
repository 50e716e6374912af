"""The live stream as server-sent events."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from api.context import Ctx
from api.models.base import GivenId

router = APIRouter(tags=["stream 实时流"])

_RESPONSES: dict[int | str, dict[str, object]] = {
    200: {
        "description": "events `alarm` and `hazard` with an id and a StreamItem; `status` with a LiveStatus and no id",
        "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/StreamItem"}}},
    }
}


@router.get("/stream", summary="实时流（SSE）", response_class=StreamingResponse, responses=_RESPONSES)
async def stream(
    context: Ctx,
    response: Response,
    after: Annotated[GivenId | None, Query(description="start after this id")] = None,
    last_event_id: Annotated[GivenId | None, Header(description="sent by a browser that resumes")] = None,
) -> StreamingResponse:
    """Stream every change of alarms and hazards, in order, without gap or double on resuming; status every 2 s."""
    frames = context.live.stream(after if last_event_id is None else last_event_id)
    renewed = {name: value for name, value in response.headers.items() if name == "set-cookie"}
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", **renewed}
    return StreamingResponse(frames, media_type="text/event-stream", headers=headers)
