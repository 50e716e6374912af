"""The live stream: in order, without gap or double, wherever it is cut."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.live import HEARTBEAT, LiveHub, Pace
from api.services import LiveStatus
from domain.errors import EngineError
from ledger.books import FeedItem

QUICK = Pace(poll_s=0.001, status_s=60.0)


class ListFeed:
    """A feed in a list; ids have holes, as after a rolled-back transaction."""

    def __init__(self, count: int = 0) -> None:
        self.items: list[FeedItem] = []
        self.failing = False
        self.asked = 0
        self.grow(count)

    def grow(self, count: int) -> None:
        for _ in range(count):
            number = self.feed_end() + 1 + len(self.items) % 3
            self.items.append(FeedItem(id=number, at_ms=number, kind="alarm", body={"n": number}))

    def feed(self, after_id: int, limit: int = 500) -> list[FeedItem]:
        self.asked += 1
        if self.failing:
            raise EngineError("the disk is away")
        return [item for item in list(self.items) if item.id > after_id][:limit]

    def feed_end(self) -> int:
        return self.items[-1].id if self.items else 0

    def drop_feed_before(self, before_ms: int) -> int:
        kept = [item for item in self.items if item.at_ms >= before_ms] or self.items[-1:]
        dropped, self.items = len(self.items) - len(kept), kept
        return dropped

    def ids(self) -> list[int]:
        return [item.id for item in self.items]


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110  the hub has no event for this, and needs none
        await asyncio.sleep(0.001)


def _status() -> LiveStatus:
    return LiveStatus(version="0", started_at_ms=0, now_ms=0)


def _never(error: BaseException) -> None:
    raise AssertionError from error


@asynccontextmanager
async def _running(
    feed: ListFeed, pace: Pace = QUICK, failures: list[BaseException] | None = None
) -> AsyncIterator[LiveHub]:
    hub = LiveHub(feed, _status, failures.append if failures is not None else _never, pace)
    async with asyncio.timeout(30), hub.running():
        yield hub


def _ids(chunk: bytes) -> list[int]:
    return [int(line[4:]) for line in chunk.split(b"\n") if line.startswith(b"id: ")]


async def _read(hub: LiveHub, after: int | None, count: int) -> list[int]:
    """Read up to `count` items, then hang up, if need be in the middle of a chunk; fewer when the stream ends first."""
    ids: list[int] = []
    async with aclosing(hub.stream(after)) as chunks:
        while len(ids) < count and (chunk := await anext(chunks, None)) is not None:
            ids += _ids(chunk)
    return ids[:count]


@settings(max_examples=60)
@given(
    before=st.integers(0, 1200),
    bursts=st.lists(st.integers(1, 400), max_size=6),
    cuts=st.lists(st.integers(1, 300), max_size=12),
    queue=st.sampled_from([2, 64, 1000]),
)
def test_resuming_anywhere_leaves_no_gap_and_no_double(
    before: int, bursts: list[int], cuts: list[int], queue: int
) -> None:
    """Cut after any event, with changes before, during and after, however small the queue: every id once, in order."""

    async def scenario() -> None:
        feed = ListFeed(before)
        total = before + sum(bursts)

        async def write() -> None:
            for burst in bursts:
                await asyncio.sleep(0.001)
                feed.grow(burst)

        async with _running(feed, Pace(poll_s=0.001, status_s=0.003, queue=queue)) as hub:
            writer = asyncio.create_task(write())
            seen: list[int] = []
            wanted = iter(cuts)
            while len(seen) < total:
                part = min(next(wanted, total), total - len(seen))
                seen += await _read(hub, seen[-1] if seen else 0, part)
            await writer
            assert seen == feed.ids()

    asyncio.run(scenario())


async def test_without_an_id_the_stream_starts_now() -> None:
    """Only what changes from now on comes."""
    feed = ListFeed(10)
    async with _running(feed) as hub:
        reading = asyncio.create_task(_read(hub, None, 2))
        await _until(lambda: hub.listeners == 1)
        feed.grow(2)
        assert await reading == feed.ids()[-2:]


async def test_an_id_from_the_future_starts_now() -> None:
    """A screen that remembers another database is not left waiting for ever."""
    feed = ListFeed(3)
    async with _running(feed) as hub:
        reading = asyncio.create_task(_read(hub, 1_000_000, 1))
        await _until(lambda: hub.listeners == 1)
        feed.grow(1)
        assert await reading == feed.ids()[-1:]


async def test_frames_are_server_sent_events() -> None:
    """`id`, `event` named by kind, `data` the whole item on one line, an empty line."""
    feed = ListFeed(1)
    async with _running(feed) as hub, aclosing(hub.stream(0)) as frames:
        assert await anext(frames) == b"retry: 1000\n\n"
        lines = (await anext(frames)).split(b"\n")
        assert lines[:2] == [b"id: 1", b"event: alarm"]
        assert json.loads(lines[2].removeprefix(b"data: ")) == {"id": 1, "at_ms": 1, "kind": "alarm", "body": {"n": 1}}
        assert lines[3:] == [b"", b""]


async def test_status_comes_without_an_id() -> None:
    """So it never moves the place from which a browser resumes."""
    async with _running(ListFeed(), Pace(status_s=0.001)) as hub, aclosing(hub.stream(None)) as frames:
        await anext(frames)
        frame = await anext(frames)
        assert frame.startswith(b"event: status\ndata: {")
        assert b"id:" not in frame


async def test_quiet_streams_carry_heartbeats() -> None:
    """Proxies and browsers see that the line is alive."""
    async with _running(ListFeed(), Pace(status_s=60, heartbeat_s=0.001)) as hub, aclosing(hub.stream(None)) as frames:
        kinds = [await anext(frames) for _ in range(4)]
        assert HEARTBEAT in kinds


async def test_slow_listener_is_let_go_and_others_are_not_held_up() -> None:
    """One that does not read costs a bounded queue, then its stream ends; the rest see everything, and so does it on return."""
    feed = ListFeed()
    async with _running(feed, Pace(poll_s=0.001, status_s=60, queue=4)) as hub, aclosing(hub.stream(0)) as slow:
        await anext(slow)
        feed.grow(1)
        seen: list[int] = []
        while not seen:
            seen = _ids(await anext(slow))
        for _ in range(20):  # the slow one is not reading now
            feed.grow(10)
            assert await _read(hub, feed.ids()[-11], 10) == feed.ids()[-10:]
        await _until(lambda: hub.listeners == 0)
        assert [chunk async for chunk in slow] == []
        assert await _read(hub, seen[-1], 200) == feed.ids()[1:]


async def test_burst_does_not_overrun_those_who_read() -> None:
    """A storm of alarms in one commit reaches listeners that keep up."""
    feed = ListFeed()
    async with _running(feed, Pace(poll_s=0.001, status_s=60, queue=4)) as hub:
        reading = asyncio.create_task(_read(hub, None, 1000))
        await _until(lambda: hub.listeners == 1)
        feed.grow(1000)
        assert await reading == feed.ids()


async def test_stream_ends_after_its_life_so_that_the_login_is_checked_again() -> None:
    """The browser comes back by itself with its last id."""
    async with _running(ListFeed(), Pace(status_s=0.001, life_s=0.02)) as hub:
        frames = [frame async for frame in hub.stream(None)]
        assert frames
        assert hub.listeners == 0


async def test_closing_ends_streams_now_and_from_now_on() -> None:
    """The server can stop without waiting for screens."""
    async with _running(ListFeed()) as hub:
        reading = asyncio.create_task(_read(hub, None, 1))
        await _until(lambda: hub.listeners == 1)
        hub.close()
        assert await reading == []
        assert await _read(hub, 0, 1) == []


async def test_failing_store_pauses_the_stream_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """When it is back, everything comes; the outage is one line, not five a second."""
    feed = ListFeed(2)
    async with _running(feed) as hub:
        reading = asyncio.create_task(_read(hub, None, 3))
        await _until(lambda: hub.listeners == 1)
        feed.failing = True
        feed.grow(3)
        asked = feed.asked
        await _until(lambda: feed.asked > asked + 5)
        feed.failing = False
        assert await reading == feed.ids()[2:]
    assert caplog.text.count("waits for the store") == 1


async def test_store_that_fails_while_catching_up_ends_the_stream_cleanly() -> None:
    """The listener comes back with its last id rather than missing something."""
    feed = ListFeed(2)
    async with _running(feed) as hub, aclosing(hub.stream(0)) as frames:
        await anext(frames)
        feed.failing = True
        assert await anext(frames, None) is None
        assert hub.listeners == 0


async def test_a_bug_ends_every_stream_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen whose feed died comes back and finds out; the service is told to stop."""
    feed, failures = ListFeed(), list[BaseException]()
    async with _running(feed, failures=failures) as hub, aclosing(hub.stream(None)) as stream:
        await anext(stream)
        bug = ZeroDivisionError()
        monkeypatch.setattr(hub, "_publish", lambda _chunk: (_ for _ in ()).throw(bug))
        feed.grow(1)
        assert [chunk async for chunk in stream if chunk != HEARTBEAT] == []
        assert failures == [bug]
