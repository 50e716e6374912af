"""The live stream: one task reads the feed and fans it out to any number of listeners, who resume by id without gap or double.

A listener joins the fan-out at a known position first and reads what lies before it from the feed afterwards, so the
two meet exactly. A listener that falls behind is let go: its browser comes back by itself with the last id it saw.
Every stream ends after five minutes for the same reason: on coming back the login is checked again.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import msgspec

from api.services import LiveStatus
from domain.errors import EngineError
from ledger.books import Feed, FeedItem

_log = logging.getLogger(__name__)
_PAGE = 500
RETRY = b"retry: 1000\n\n"
HEARTBEAT = b": keep-alive\n\n"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, in seconds, if nothing wakes it before.

    `queue` is how many chunks (each what one look at the feed found) a listener may lag behind.
    """

    poll_s: float = 0.1
    status_s: float = 2.0
    heartbeat_s: float = 15.0
    life_s: float = 300.0
    queue: int = 64


@dataclass(eq=False, slots=True)
class _Listener:
    """`joined`: every feed item after this id comes through the queue; None in the queue ends the stream."""

    joined: int
    queue: asyncio.Queue[bytes | None]


def events(items: list[FeedItem]) -> bytes:
    """Return feed items as server-sent events, one after the other."""
    return b"".join(
        b"id: %d\nevent: %s\ndata: %s\n\n" % (item.id, item.kind.encode(), msgspec.json.encode(item)) for item in items
    )


class LiveHub:
    """Fans the feed out. `running()` must be entered for anything to flow; `close()` ends all streams (before shutdown).

    `failed` is called when it dies of a bug; a failing store is waited for.
    """

    def __init__(
        self,
        feed: Feed,
        status: Callable[[], LiveStatus],
        failed: Callable[[BaseException], None],
        pace: Pace | None = None,
    ) -> None:
        self._feed = feed
        self._status = status
        self._failed = failed
        self._pace = pace or Pace()
        self._listeners: set[_Listener] = set()
        self._position = 0
        self._started = asyncio.Event()
        self._woken = asyncio.Event()
        self._closed = False
        self._failing: set[str] = set()

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._listeners)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read and fan out while inside."""
        tasks = [
            asyncio.create_task(self._read_feed(), name="live-feed"),
            asyncio.create_task(self._tell_status(), name="live-status"),
        ]
        for task in tasks:
            task.add_done_callback(self._report)
        try:
            yield
        finally:
            self.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _report(self, task: asyncio.Task[None]) -> None:
        """End every stream when a task has died: a screen that hears nothing must not think all is well."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.critical("%s stopped", task.get_name(), exc_info=error)
            self.close()
            self._failed(error)

    def close(self) -> None:
        """End every stream, now and from now on."""
        self._closed = True
        for listener in list(self._listeners):
            self._let_go(listener)

    async def stream(self, after: int | None) -> AsyncGenerator[bytes, None]:
        """Yield chunks of events: all feed items after `after` (None: from now on), in order, once each.

        Status and heartbeats come between. Ends after its life, when the listener is too slow, and at `close()`.
        """
        yield RETRY
        await self._started.wait()
        if self._closed:
            return
        listener = _Listener(self._position, asyncio.Queue(self._pace.queue))
        self._listeners.add(listener)
        try:
            async for chunk in self._missed(after, listener.joined):
                yield chunk
            async for chunk in self._heard(listener):
                yield chunk
        except EngineError as error:
            _log.warning("a stream ends because the store failed; its listener will resume: %s", error)
        finally:
            self._listeners.discard(listener)

    async def _missed(self, after: int | None, joined: int) -> AsyncIterator[bytes]:
        position = joined if after is None else after
        while position < joined:
            items = await asyncio.to_thread(self._feed.feed, position, _PAGE)
            if missed := [item for item in items if item.id <= joined]:
                yield events(missed)
            position = items[-1].id if items else joined

    async def _heard(self, listener: _Listener) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._pace.life_s
        while loop.time() < end:
            try:
                async with asyncio.timeout(self._pace.heartbeat_s):
                    chunk = await listener.queue.get()
            except TimeoutError:
                chunk = HEARTBEAT
            if chunk is None:
                return
            yield chunk

    def wake(self) -> None:
        """Look at the feed now rather than at the next poll; call it from the event loop."""
        self._woken.set()

    async def _read_feed(self) -> None:
        while True:
            self._woken.clear()
            full = await self._guarded(self._read_page)
            if not full:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._pace.poll_s)

    async def _read_page(self) -> bool:
        if not self._started.is_set():
            self._position = await asyncio.to_thread(self._feed.feed_end)
            self._started.set()
        items = await asyncio.to_thread(self._feed.feed, self._position, _PAGE)
        if items:  # one chunk, or a burst would overrun listeners that had no chance to read
            self._position = items[-1].id
            self._publish(events(items))
        return len(items) == _PAGE

    async def _tell_status(self) -> None:
        while True:
            await self._guarded(self._publish_status)
            await asyncio.sleep(self._pace.status_s)

    async def _publish_status(self) -> bool:
        status = await asyncio.to_thread(self._status)
        self._publish(b"event: status\ndata: %s\n\n" % status.model_dump_json().encode())
        return False

    async def _guarded(self, step: Callable[[], Awaitable[bool]]) -> bool:
        try:
            result = await step()
        except EngineError as error:
            if step.__name__ not in self._failing:  # said once an outage, not five times a second
                _log.warning("the live stream waits for the store: %s", error)
            self._failing.add(step.__name__)
            return False
        self._failing.discard(step.__name__)
        return result

    def _publish(self, chunk: bytes) -> None:
        for listener in list(self._listeners):
            try:
                listener.queue.put_nowait(chunk)
            except asyncio.QueueFull:
                self._let_go(listener)

    def _let_go(self, listener: _Listener) -> None:
        self._listeners.discard(listener)
        while not listener.queue.empty():
            listener.queue.get_nowait()
        listener.queue.put_nowait(None)
