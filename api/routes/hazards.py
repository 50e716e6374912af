"""The hazard ledger: from clue to closed, one step at a time, each with who, when and on what basis."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, status

from api.context import Svc
from api.guard import Operator
from api.models.hazards import HazardDetail, HazardEventView, HazardPage, HazardView, OpenHazard, TakeStep
from ledger.hazard import Grade, Hazard, HazardDraft, HazardFilter, HazardState
from ledger.lifecycle import HAZARD

router = APIRouter(prefix="/hazards", tags=["hazards 隐患台账"])


@router.get("", summary="隐患列表")
def list_hazards(
    services: Svc,
    *,
    open_only: bool = True,
    state: Annotated[list[HazardState], Query(max_length=20)] = [],  # noqa: B006  FastAPI copies it
    grade: Annotated[list[Grade], Query(max_length=3)] = [],  # noqa: B006  FastAPI copies it
    area: str | None = None,
    site: str | None = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> HazardPage:
    """List hazards, newest first; by default those still open."""
    wanted = HazardFilter(
        open_only=open_only,
        states=tuple(state),
        grades=tuple(grade),
        area=area,
        site=site,
        after=after,
        limit=limit,
    )
    found = services.hazards.hazards(wanted)
    more = found[-1].id if len(found) == limit else None
    return HazardPage(items=[HazardView.of(hazard) for hazard in found], next_after=more)


@router.post("", summary="手工登记隐患", status_code=status.HTTP_201_CREATED, response_model=HazardView)
def open_hazard(services: Svc, who: Operator, body: OpenHazard) -> Hazard:
    """Open a hazard that somebody found or reported, as a clue to be verified."""
    draft = HazardDraft(**body.model_dump())
    return services.hazards.open_hazard(draft, by=who.by, at_ms=services.clock_ms())


@router.get("/{hazard_id}", summary="隐患详情")
def get_hazard(services: Svc, hazard_id: str) -> HazardDetail:
    """Give one hazard with its whole chain and the steps allowed now."""
    hazard = services.hazards.hazard(hazard_id)
    return HazardDetail(
        hazard=HazardView.of(hazard),
        events=[HazardEventView.of(event) for event in services.hazards.hazard_events(hazard_id)],
        allowed=list(HAZARD.allowed(hazard.state)),
    )


@router.post("/{hazard_id}/steps", summary="隐患流转", response_model=HazardView)
def take_step(services: Svc, who: Operator, hazard_id: str, body: TakeStep) -> Hazard:
    """Take one step of the lifecycle; a step that is not allowed changes nothing and is answered with those that are."""
    given: dict[str, Any] = {"grade": body.grade, "assignee": body.assignee, "due_ms": body.due_ms}
    return services.hazards.act_on_hazard(
        hazard_id,
        body.event,
        by=who.by,
        at_ms=services.clock_ms(),
        basis=body.basis,
        note=body.note,
        data={name: value for name, value in given.items() if value is not None},
    )
