"""The service as it ships, inside the process that measures it, with the fleet in its registers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bench.fleet import MEASURANDS, Fleet
from emberwatch.parts import Parts
from emberwatch.service import Running, running
from emberwatch.settings import MqttSettings, OverloadSettings, Settings
from emberwatch.stores import open_books
from ledger.alarm import AlarmFilter
from registers.device import Device

_LOOK_S = 0.2  # each look costs a query


@asynccontextmanager
async def house(
    fleet: Fleet,
    folder: str,
    port: int,
    mqtt: MqttSettings = MqttSettings(),  # noqa: B008  frozen
) -> AsyncIterator[Running]:
    """Run the service until the end of the block, with the fleet in its registers from the beginning.

    It is as it ships, but that nothing is thinned: what is measured must be decided.
    """
    overload = OverloadSettings(lag_s=86_400)
    settings = Settings(data=folder, broker=f"mqtt://127.0.0.1:{port}", overload=overload, mqtt=mqtt)
    with open_books(settings) as books:
        for entries in fleet.registers():
            for at in range(0, len(entries), 5_000):
                books.registers.put(entries[at : at + 5_000], by="user:bench")
    async with running(settings, lambda _step: None, 0) as service:
        await until(lambda: len(service.parts.worker.pipeline.world.view.rows(Device)) >= fleet.devices)
        yield service


async def until(done: Callable[[], bool]) -> None:
    """Wait for a state that nobody announces."""
    while True:  # what we wait for is another thread's state: there is no event to await
        if done():
            return
        await asyncio.sleep(_LOOK_S)


async def settled(parts: Parts, messages: int, patience_s: float = 30.0) -> int:
    """Return how many messages are decoded once that many are, with their readings in history.

    Waits as long as anything moves, and `patience_s` longer.
    """
    loop, history, pipeline = asyncio.get_running_loop(), parts.streams.history, parts.worker.pipeline
    state, since = (-1, -1), loop.time()
    while state < (messages, messages * MEASURANDS) and loop.time() - since < patience_s:
        before, state = state, (pipeline.counts.decoded, history.info().readings)
        since = loop.time() if state != before else since
        await asyncio.sleep(_LOOK_S)
    return pipeline.counts.decoded


def missing_alarms(parts: Parts, fleet: Fleet) -> int:
    """Return how many of the fleet's alarms are not in the ledger exactly once."""
    alarms = parts.books.ledger.alarms.alarms(AlarmFilter(open_only=False, limit=1_000_000))
    found = [(alarm.rule, alarm.device) for alarm in alarms]
    return sum(found.count(pair) != 1 for pair in fleet.alarms())
