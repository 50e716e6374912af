"""Claims about overload: when thinning begins and ends, and that no band reaches near any set point of the register."""

import asyncio
from dataclasses import dataclass
from typing import cast

import pytest

from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.errors import EngineError
from emberwatch import overload
from emberwatch.overload import Overload, quiet_bands
from emberwatch.settings import Settings
from ingest.thinning import QUIET, Thinner
from ledger.alarm import Alarm, AlarmBook, AlarmFilter
from registers.device import Device, DeviceKind, DeviceModel
from registers.noun import Noun
from registers.view import RegisterView


@dataclass
class _Open:
    """An open alarm, as far as this room looks."""

    area: str
    site: str


class Alarms:
    """An alarm book with one grave alarm; it may be down."""

    down = False

    def alarms(self, wanted: AlarmFilter) -> list[Alarm]:
        if self.down:
            raise EngineError("down")
        assert wanted.open_only
        return cast("list[Alarm]", [_Open("a", "s")] if set(wanted.severities) == {1, 2} else [])


class Bench:
    """An overload watch whose lag the test sets (seconds)."""

    def __init__(self) -> None:
        self.lag_s: int | None = 0
        self.alarms = Alarms()
        self.thinner = Thinner(1000, lambda: 0)
        self.overload = Overload(self.thinner, Settings(), self._lag_ms, RegisterView, cast("AlarmBook", self.alarms))

    def _lag_ms(self) -> int | None:
        return None if self.lag_s is None else self.lag_s * 1000

    async def sees(self, *lags: int | None) -> list[bool]:
        """Return whether it thins after each look at these lags."""
        seen = []
        for self.lag_s in lags:
            await self.overload.look()
            seen.append(self.thinner.active)
        return seen


async def test_thinning_begins_late_and_ends_when_decisions_have_caught_up() -> None:
    """Two looks above the limit begin it; it does not flicker around the limit, and ends well below."""
    assert await Bench().sees(11, 9, 11, 12, 9, 3, 2, 11) == [False, False, False, True, True, True, False, False]


async def test_waiting_for_the_books_is_no_overload() -> None:
    """The journal holds what arrives meanwhile; nothing needs to be left out."""
    assert await Bench().sees(None, None, None) == [False, False, False]


async def test_sites_with_a_grave_alarm_are_named() -> None:
    """Those of severity 1 and 2; a silent detector alone makes nobody wary."""
    bench = Bench()
    await bench.sees(11, 11)
    assert bench.thinner._wary == {"a/s"}


async def test_nothing_is_left_out_while_nobody_knows_where_something_is_wrong() -> None:
    """The books do not answer: everything passes."""
    bench = Bench()
    bench.alarms.down = True
    assert await bench.sees(11, 11) == [False, False]


async def test_a_journal_that_cannot_be_asked_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next look goes on; the watch does not die with the service."""
    bench, asked = Bench(), asyncio.Event()
    loop, lags = asyncio.get_running_loop(), iter([EngineError("disk"), *[None] * 10_000])

    def lag_ms() -> int:
        if (error := next(lags)) is not None:
            raise error
        loop.call_soon_threadsafe(asked.set)
        return 0

    bench.overload._lag_ms = lag_ms
    monkeypatch.setattr(overload, "_LOOK_EVERY_S", 0)
    task = asyncio.create_task(bench.overload.run())
    await asyncio.wait_for(asked.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bench.thinner.active is False


def view_of(*entries: Noun) -> RegisterView:
    view = RegisterView()
    view.apply(RegisterChange(i, e.noun, e.key, e.projection()) for i, e in enumerate(entries, 1))
    return view


@pytest.mark.parametrize(("level1", "high"), [(None, 5.0), (25.0, 5.0), (4.0, 2.0)])
def test_no_band_reaches_half_way_to_a_set_point(level1: float | None, high: float) -> None:
    """A single sensitive sensor draws the band in for all: better less thinned than one alarm late."""
    model = DeviceModel(code="m", name="m", kind=DeviceKind.GAS, measurand="ch4_lel")
    device = Device(code="d", site="s", model="m", level1=level1)
    bands = quiet_bands(view_of(model, device), Parameters())
    assert bands["ch4_lel"].high == high
    assert bands["o2_vol"] == QUIET["o2_vol"]
    assert bands.keys() == QUIET.keys()
