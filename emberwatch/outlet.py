"""Where the pipeline's work goes on from its thread: history, presence, receipts to devices, the live feed."""

import asyncio
import logging
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


class ServiceOutlet:
    """Hands readings to the history feed, contacts to presence, receipts to the event loop; `feed` wakes the loop."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._history: HistoryFeed | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._receipts: asyncio.Queue[Receipt] = asyncio.Queue(_MOST_RECEIPTS)
        self.fed = asyncio.Event()

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
            self._call(self.fed.set)

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
    """Publishes every alarm transition for other departments, at least once: the last one sent is kept in a file."""

    def __init__(self, feed: Feed, transport: Transport, cursor: Path) -> None:
        self._feed = feed
        self._transport = transport
        self._cursor = cursor

    async def run(self, period_s: float = 0.5) -> None:
        """Publish for ever; without a broker it waits and goes on where it was."""
        after = await asyncio.to_thread(self._start)
        while True:
            items = await asyncio.to_thread(self._feed.feed, after)
            try:
                for item in items:
                    await self._publish(item)
                    after = item.id
            except EngineError as error:
                _LOG.debug("alarm messages wait: %s", error)
            if items:
                await asyncio.to_thread(self._cursor.write_text, str(after), "utf-8")
            await asyncio.sleep(period_s)

    def _start(self) -> int:
        try:
            return int(self._cursor.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return 0

    async def _publish(self, item: FeedItem) -> None:
        if item.kind == "alarm":
            place = alarm_topic(item.body["area"], item.body["site"])
            await self._transport.publish(place, msgspec.json.encode(item.body), 1)
