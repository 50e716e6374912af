"""Where the pipeline's work goes on from its thread: history, presence, receipts to devices, the live feed."""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from domain.errors import EngineError
from domain.readings import Contacts, Readings
from emberwatch.history_feed import HistoryFeed
from emberwatch.presence import Presence
from ingest.codecs import native
from ingest.decoding import Receipt
from ingest.topics import Kind, alarm_topic, topic
from ingest.transport import Transport
from ledger.books import Feed, FeedItem

_LOG = logging.getLogger(__name__)
_MOST_RECEIPTS = 10_000
_OURS = ("acknowledged_by", "shelve_reason")


class ServiceOutlet:
    """Hands readings to the history feed, contacts to presence, receipts to the event loop; `feed` calls `on_feed` there."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._history: HistoryFeed | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._receipts: asyncio.Queue[Receipt] = asyncio.Queue(_MOST_RECEIPTS)
        self.on_feed: list[Callable[[], None]] = []

    def connect(self, history: HistoryFeed, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to hand on; before this (during recovery) only presence is told."""
        self._history, self._loop = history, loop

    def readings(self, first_offset: int, end_offset: int, readings: Readings) -> None:
        if self._history is not None:
            self._history.put(first_offset, end_offset, readings)

    def contacts(self, contacts: Contacts) -> None:
        self._presence.take(contacts)

    def receipts(self, receipts: list[Receipt]) -> None:
        self._call(self._queue, receipts)

    def feed(self, items: list[FeedItem]) -> None:
        if items:
            for tell in self.on_feed:
                self._call(tell)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _queue(self, receipts: list[Receipt]) -> None:
        for receipt in receipts:
            if not self._receipts.full():  # a device without a receipt repeats its event and gets one then
                self._receipts.put_nowait(receipt)

    async def send_receipts(self, transport: Transport) -> None:
        """Publish receipts for ever; while there is no broker they are dropped."""
        while True:
            receipt = await self._receipts.get()
            payload = native.encode(native.Receipt(seq=receipt.seq, boot=receipt.boot))
            try:
                await transport.publish(topic(receipt.path, Kind.RECEIPT), payload, 0)
            except EngineError as error:
                _LOG.debug("no receipt for %s: %s", receipt.path, error)


class AlarmPublisher:
    """Publishes every alarm transition for other departments, at least once: the last one sent is kept in a file.

    What our own people are called and write (who acknowledged, why put aside) is nobody else's business.
    """

    def __init__(self, feed: Feed, transport: Transport, cursor: Path) -> None:
        self._feed = feed
        self._transport = transport
        self._cursor = cursor
        self._after: int | None = None

    async def run(self, period_s: float = 0.5) -> None:
        """Publish for ever; without a broker, a store or a disk it waits and goes on where it was."""
        while True:
            try:
                await self.turn()
            except (EngineError, OSError) as error:
                _LOG.debug("alarm messages wait: %s", error)
            await asyncio.sleep(period_s)

    async def turn(self) -> None:
        """Publish what is new; raise EngineError or OSError when it has to be tried again."""
        if self._after is None:
            self._after = await asyncio.to_thread(self._start)
        items = await asyncio.to_thread(self._feed.feed, self._after)
        try:
            for item in items:
                await self._publish(item)
                self._after = item.id
        finally:
            if items:
                await asyncio.to_thread(self._keep, self._after)

    def _start(self) -> int:
        try:
            return int(self._cursor.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return 0

    def _keep(self, after: int) -> None:
        """Write the cursor whole or not at all: half a one would publish everything again."""
        temporary = self._cursor.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(str(after))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._cursor)

    async def _publish(self, item: FeedItem) -> None:
        if item.kind == "alarm":
            place = alarm_topic(item.body["area"], item.body["site"])
            body = {name: value for name, value in item.body.items() if name not in _OURS}
            await self._transport.publish(place, msgspec.json.encode(body), 1)
