"""Curves of readings, downsampled so that peaks survive."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.context import Svc
from api.curves import curve
from api.models.base import GivenMs
from api.models.devices import Curve
from domain.errors import InputError
from domain.measurands import BY_NAME
from domain.places import DevicePath

router = APIRouter(tags=["series 曲线"])


@router.get("/series", summary="测量曲线")
def get_series(
    services: Svc,
    device: Annotated[str, Query(description="area/site/device", examples=["beidu/canteen-1/gas-001"])],
    measurand: Annotated[str, Query(examples=["ch4_lel"])],
    from_ms: Annotated[GivenMs, Query(alias="from")],
    to_ms: Annotated[GivenMs, Query(alias="to")],
    points: Annotated[int, Query(ge=2, le=5000)] = 600,
) -> Curve:
    """Give at most `points` readings of `[from, to)` by the device's clock; each bucket keeps its minimum and maximum."""
    if measurand not in BY_NAME:
        raise InputError(f"no measurand '{measurand[:64]}' (known: {', '.join(BY_NAME)})")
    if from_ms >= to_ms:
        raise InputError("'from' must be before 'to'")
    return curve(services.history, str(DevicePath.parse(device)), measurand, from_ms, to_ms, points)
