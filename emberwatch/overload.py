"""When the machine cannot keep up: begins and ends the thinning of routine telemetry, and says what is quiet meanwhile."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from detectors.parameters import Parameters
from detectors.setpoints import profile
from domain.errors import EngineError
from domain.findings import Severity
from domain.measurands import MEASURANDS
from emberwatch.settings import Settings
from ingest.thinning import QUIET, Band, Bands, Thinner
from ledger.alarm import AlarmBook, AlarmFilter
from registers.device import Device, DeviceModel
from registers.view import RegisterView

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0
_LOOKS = 2
"""The lag must be too large at so many looks in a row: one alone is a jump of time after an outage."""
_RECOVERED = 0.2
"""Thinning ends when the lag is this share of what began it."""
_GRAVE = (int(Severity.CRITICAL), int(Severity.HIGH))
_MOST_ALARMS = 100_000


class Overload:
    """Looks every second how far decisions are behind what was received (`lag_ms`; None: not for want of speed)."""

    def __init__(
        self,
        thinner: Thinner,
        settings: Settings,
        lag_ms: Callable[[], int | None],
        view: Callable[[], RegisterView],
        alarms: AlarmBook,
    ) -> None:
        self._thinner = thinner
        self._limit_ms = settings.overload.lag_s * 1000
        self._lag_ms = lag_ms
        self._view = view
        self._parameters = Parameters(settings.rules)
        self._alarms = alarms
        self._looks = 0

    async def run(self) -> None:
        """Look for ever; while the journal cannot be asked, things stay as they are."""
        while True:
            try:
                await self.look()
            except EngineError as error:
                _LOG.debug("the lag is not known: %s", error)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once, and begin, go on or end."""
        lag = await asyncio.to_thread(self._lag_ms) or 0
        if self._thinner.active and lag <= self._limit_ms * _RECOVERED:
            _LOG.warning("decisions have caught up: nothing is left out any more")
            self._thinner.end()
        self._looks = self._looks + 1 if lag > self._limit_ms else 0
        if self._looks >= _LOOKS or self._thinner.active:
            await self._thin(lag)

    async def _thin(self, lag: int) -> None:
        if not self._thinner.active:
            _LOG.warning(
                "decisions are %d s behind: routine telemetry is thinned until they have caught up", lag // 1000
            )
        try:
            wary = await asyncio.to_thread(self._wary)
        except EngineError as error:  # nobody knows where something is wrong: so leave nothing out
            _LOG.warning("nothing is left out while the books cannot be asked: %s", error)
            self._thinner.end()
            return
        self._thinner.begin(await asyncio.to_thread(quiet_bands, self._view(), self._parameters), wary)

    def _wary(self) -> frozenset[str]:
        """Return the sites where a grave alarm is open."""
        found = self._alarms.alarms(AlarmFilter(severities=_GRAVE, limit=_MOST_ALARMS))
        return frozenset(f"{alarm.area}/{alarm.site}" for alarm in found)


def quiet_bands(view: RegisterView, parameters: Parameters) -> Bands:
    """Return QUIET, drawn in so that no band reaches half way to the lowest set point of any sensor in the register."""
    bands = dict(QUIET)
    for device, model in _kinds(view):
        for index, limits in profile(parameters, device, model).items():
            name = MEASURANDS[index].name
            if name in bands:
                low, high, step = bands[name]
                half_way = (max(low, 0.0) + min(limit.high for limit in limits)) / 2
                bands[name] = Band(max(low, *(limit.low for limit in limits)), min(high, half_way), step)
    return bands


def _kinds(view: RegisterView) -> Iterable[tuple[Device | None, DeviceModel | None]]:
    """Return one device of each model and pair of set points, and nobody's defaults."""
    kinds: dict[object, tuple[Device | None, DeviceModel | None]] = {None: (None, None)}
    for device in view.rows(Device):
        kinds.setdefault((device.model, device.level1, device.level2), (device, view.model(device.model)))
    return kinds.values()
