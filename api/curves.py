"""Readings for screens: curves with their units, the newest values of a device, and what happened around an alarm."""

import logging
import math

from api.models.devices import Curve, Reading
from domain.errors import EngineError
from domain.history import History
from domain.measurands import BY_NAME
from ledger.alarm import Alarm

_log = logging.getLogger(__name__)
AROUND_MS = 15 * 60_000
_POINTS = 400
_MEASURANDS = 8


def curve(history: History, device: str, measurand: str, from_ms: int, to_ms: int, points: int) -> Curve:
    """Return one curve of `[from_ms, to_ms)`; raise EngineError."""
    series = history.series(device, measurand, from_ms, to_ms, points)
    known = BY_NAME[measurand]
    return Curve(
        device=device,
        measurand=measurand,
        title=known.title,
        unit=known.unit,
        from_ms=from_ms,
        to_ms=to_ms,
        total=series.total,
        time_ms=series.time_ms.tolist(),
        value=series.value.tolist(),
    )


def newest_readings(history: History, device: str) -> list[Reading]:
    """Return the newest reading of each measurand, in table order; raise EngineError."""
    latest = history.latest(device)
    return [
        Reading(measurand=m.name, title=m.title, unit=m.unit, value=latest[m.name][1], at_ms=latest[m.name][0])
        for m in BY_NAME.values()
        if m.name in latest and math.isfinite(latest[m.name][1])
    ]


def device_curves(history: History, alarm: Alarm) -> list[Curve] | None:
    """Return what the device measured around the alarm's event, the deciding measurand first; None when history fails.

    An alarm must be readable while the history is down.
    """
    decided = alarm.evidence.get("measurand")
    try:
        names = sorted(history.latest(alarm.device).keys() & BY_NAME.keys(), key=lambda name: (name != decided, name))
        start, end = alarm.event_ms - AROUND_MS, alarm.event_ms + AROUND_MS
        return [curve(history, alarm.device, name, start, end, _POINTS) for name in names[:_MEASURANDS]]
    except EngineError as error:
        _log.warning("history cannot be read for alarm %d: %s", alarm.id, error)
        return None
