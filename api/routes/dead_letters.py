"""Dead letters: what devices sent and nobody could read. Their bytes may say anything, so only operators see them."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.context import Svc
from api.guard import Operator
from api.models.base import GivenId
from api.models.system import DeadLetterDetail, DeadLetterPage, DeadLetterView
from ledger.books import DeadLetter

router = APIRouter(prefix="/dead-letters", tags=["dead letters 死信"])

_PREVIEW = 4096


@router.get("", summary="死信列表")
def list_dead_letters(
    services: Svc,
    _who: Operator,
    *,
    reason: str | None = None,
    before_offset: GivenId | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> DeadLetterPage:
    """List dead letters, newest first, without their bytes."""
    found = services.dead_letters.dead_letters(before_offset=before_offset, reason=reason, limit=limit)
    items = [_view(letter) for letter in found]
    return DeadLetterPage(items=items, next_before_offset=items[-1].offset if len(items) == limit else None)


@router.get("/{offset}", summary="死信详情")
def get_dead_letter(services: Svc, _who: Operator, offset: GivenId) -> DeadLetterDetail:
    """Give one dead letter with its first 4 KiB, as text and as hex."""
    letter = services.dead_letters.dead_letter(offset)
    head = letter.payload[:_PREVIEW]
    text = head.decode("utf-8", "replace")
    return DeadLetterDetail(**_view(letter).model_dump(), text=text, hex=head.hex(" "))


def _view(letter: DeadLetter) -> DeadLetterView:
    return DeadLetterView(
        offset=letter.offset,
        received_ms=letter.received_ms,
        topic=letter.topic,
        reason=letter.reason,
        detail=letter.detail,
        size=len(letter.payload),
    )
