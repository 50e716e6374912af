"""Claims about what leaves the pipeline: alarm messages for others, once each and whole, and who is woken by news."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from domain.errors import EngineError
from emberwatch.outlet import AlarmPublisher, ServiceOutlet
from emberwatch.presence import Presence
from ledger.books import Feed, FeedItem

if TYPE_CHECKING:
    from ingest.transport import Transport

_BODY = {"id": 1, "area": "a", "site": "s", "acknowledged_by": "user:li", "shelve_reason": "王某说误报"}


@dataclass
class World:
    """A feed and a broker, each of which may be down, and the file between them."""

    cursor: Path
    items: list[FeedItem] = field(default_factory=list)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    feed_failures: int = 0
    broker_room: int = 1_000

    def feed(self, after_id: int, limit: int = 500) -> list[FeedItem]:
        if self.feed_failures:
            self.feed_failures -= 1
            raise EngineError("down")
        return [item for item in self.items if item.id > after_id][:limit]

    async def publish(self, topic: str, payload: bytes, _qos: int) -> None:
        if len(self.published) >= self.broker_room:
            raise EngineError("no broker")
        self.published.append((topic, payload))

    def publisher(self) -> AlarmPublisher:
        return AlarmPublisher(cast("Feed", self), cast("Transport", self), self.cursor)

    def grow(self, count: int) -> None:
        first = len(self.items) + 1
        self.items += [FeedItem(id=n, at_ms=0, kind="alarm", body=_BODY) for n in range(first, first + count)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "alarm-messages.cursor")


async def test_others_do_not_learn_who_did_what_and_why(world: World) -> None:
    """Names of accounts and free words stay here."""
    world.grow(1)
    await world.publisher().turn()
    ((topic, payload),) = world.published
    assert (topic, json.loads(payload)) == ("emberwatch/v1/a/s/alarm", {"id": 1, "area": "a", "site": "s"})


async def test_a_broker_that_fails_half_way_gets_the_rest_later(world: World) -> None:
    """What went out is remembered, also by the next process."""
    world.grow(3)
    world.broker_room = 2
    with pytest.raises(EngineError):
        await world.publisher().turn()
    assert world.cursor.read_text("utf-8") == "2"
    world.broker_room = 10
    await world.publisher().turn()
    assert len(world.published) == 3


async def test_a_disk_that_refuses_the_cursor_neither_ends_it_nor_repeats(world: World) -> None:
    """It stays where it is in memory, and the old cursor stays whole."""
    world.grow(2)
    publisher = world.publisher()
    in_the_way = world.cursor.with_suffix(".tmp")
    in_the_way.mkdir()
    with pytest.raises(OSError, match=in_the_way.name):
        await publisher.turn()
    in_the_way.rmdir()
    world.grow(1)
    await publisher.turn()
    assert (len(world.published), world.cursor.read_text("utf-8")) == (3, "3")


async def test_a_feed_that_fails_is_outlived(world: World) -> None:
    """The store is away when the task begins; when it is back, messages go out."""
    world.feed_failures = 2
    world.grow(1)
    task = asyncio.create_task(world.publisher().run(period_s=0.001))
    async with asyncio.timeout(10):
        while not world.cursor.exists():  # noqa: ASYNC110  a file has no event
            await asyncio.sleep(0.001)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(world.published) == 1


async def test_news_wakes_whoever_waits_for_it(world: World) -> None:
    """From the pipeline's thread into the event loop; nothing new wakes nobody."""
    outlet, woken = ServiceOutlet(Presence()), asyncio.Event()
    outlet.on_feed.append(woken.set)
    outlet._loop = asyncio.get_running_loop()
    outlet.feed([])
    await asyncio.sleep(0)
    assert not woken.is_set()
    world.grow(1)
    await asyncio.to_thread(outlet.feed, world.items)
    await asyncio.wait_for(woken.wait(), 10)
