"""Claims about the service in trouble: it goes the way of every alarm, to a person, and a replay finds the same."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from detectors.catalogue import CATALOGUE
from domain.records import SERVICE
from emberwatch.service import Running, running
from emberwatch.settings import ApiSettings, Settings
from ledger.alarm import AlarmFilter
from registers.inspector import Inspector

pytestmark = pytest.mark.mosquitto

PATIENCE_S = 40.0
RULE = "D111"


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not done():  # noqa: ASYNC110 - whatever the test wants to see
            await asyncio.sleep(0.02)


def settings_for(folder: Path) -> Settings:
    return Settings(data=str(folder / "data"), api=ApiSettings(port=0))


def troubles(up: Running) -> dict[str, int]:
    """Return how often each trouble was an alarm."""
    found = up.parts.books.ledger.alarms.alarms(AlarmFilter(open_only=False))
    return {alarm.device: alarm.cycles for alarm in found if alarm.rule == RULE}


async def test_a_broker_that_dies_comes_back_and_somebody_is_told(
    mosquitto_program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill -9 of the embedded Mosquitto: the session is back by itself, and the death is an alarm with a notice, once."""
    monkeypatch.setattr("emberwatch.selfwatch._LOOK_EVERY_S", 0.1)
    async with running(settings_for(tmp_path), lambda _step: None) as up:
        up.parts.books.registers.put([Inspector(code="i1", name="张某一")], by="user:test")
        await until(lambda: up.parts.transport.counters.connected)
        connections = up.parts.transport.counters.connections
        cast("Any", up.address.embedded)._kind._child._process.kill()
        await until(lambda: up.parts.transport.counters.connections > connections)
        await until(lambda: troubles(up))
        assert troubles(up) == {"emberwatch/service/broker-restarts": 1}
        notices = up.parts.settings.folder / up.parts.settings.notices.file
        await until(lambda: notices.exists() and CATALOGUE[RULE].title in notices.read_text("utf-8"))
    async with running(settings_for(tmp_path), lambda _step: None) as up:  # told anew at the start: over
        journal = up.parts.streams.journal
        await until(lambda: sum(r.topic == SERVICE for r in journal.read(0, 100_000).records) >= 3)
        await until(
            lambda: (RULE, "emberwatch/service/broker-restarts") not in up.parts.books.ledger.books.active_alarms()
        )
        assert troubles(up) == {"emberwatch/service/broker-restarts": 1}


async def test_each_trouble_is_an_alarm_while_it_lasts(
    mosquitto_program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is nearly full, and overload: raised, and cleared when they are over."""
    monkeypatch.setattr("emberwatch.selfwatch._LOOK_EVERY_S", 0.1)
    monkeypatch.setattr("emberwatch.selfwatch._CALM_S", 0.0)
    async with running(settings_for(tmp_path), lambda _step: None) as up:
        disk, limit = up.parts.disk, up.parts.disk.limit
        disk.limit = disk.free + (1 << 30)
        await until(lambda: "emberwatch/service/disk" in troubles(up))
        up.parts.thinner.active = True
        await until(lambda: "emberwatch/service/overload" in troubles(up))
        disk.limit, up.parts.thinner.active = limit, False
        await until(lambda: not up.parts.books.ledger.books.active_alarms())
        assert troubles(up) == {"emberwatch/service/disk": 1, "emberwatch/service/overload": 1}
