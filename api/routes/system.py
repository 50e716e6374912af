"""The service itself: is it alive, is it ready, how is it doing, and the counts of the screen in one call."""

from fastapi import APIRouter, Depends, Request, Response, status
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.context import Ctx, Svc
from api.guard import scraper
from api.models.system import Alive, Overview, Ready, StatusView
from registers.place import Site

public = APIRouter(tags=["service 服务"])
router = APIRouter(tags=["service 服务"])


@public.get("/healthz", summary="存活检查")
def healthz() -> Alive:
    """Answer while the process lives."""
    return Alive()


@public.get("/readyz", summary="就绪检查", responses={status.HTTP_503_SERVICE_UNAVAILABLE: {"model": Ready}})
def readyz(services: Svc, response: Response) -> Ready:
    """Answer 200 when every check holds, else 503; which one fails is told by `/api/v1/status`."""
    ready = all(check.ok for check in services.ready())
    response.status_code = status.HTTP_200_OK if ready else status.HTTP_503_SERVICE_UNAVAILABLE
    return Ready(ready=ready)


@public.get("/metrics", summary="Prometheus 指标", dependencies=[Depends(scraper)], response_class=Response)
def metrics(services: Svc) -> Response:
    """Give the metrics in Prometheus text format; needs a login or token unless the settings open it to loopback."""
    return Response(generate_latest(services.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/status", summary="运行状态")
def get_status(services: Svc) -> StatusView:
    """Say how the service is doing and which checks hold."""
    return StatusView(
        status=services.status(),
        checks=services.ready(),
        outbox=services.outbox.outbox_counts(),
        dead_letters=services.dead_letters.dead_letter_counts(),
    )


@router.get("/overview", summary="大屏总览")
def get_overview(context: Ctx) -> Overview:
    """Give the screen's counts and the feed position they are at least as new as: stream from there."""
    services = context.services
    feed_id = services.feed.feed_end()  # before the counts: a change between is then told twice rather than never
    with context.directory.reading() as view:
        sites = len(view.rows(Site))
    return Overview(
        feed_id=feed_id,
        status=services.status(),
        open_alarms=services.alarms.open_alarm_counts(),
        open_hazards=services.hazards.open_hazard_counts(),
        sites=sites,
        sites_alarming=sum(tally.active > 0 for tally in context.open_alarms.tallies().sites.values()),
    )


@router.get("/openapi.json", summary="接口文档", include_in_schema=False)
def openapi_document(request: Request) -> dict[str, object]:
    """Give this interface's description."""
    document: dict[str, object] = request.app.openapi()
    return document
