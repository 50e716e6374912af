"""What is done from time to time: shelves that run out, retention of journal, history and snapshots."""

import asyncio
import logging

from domain.errors import EngineError
from domain.records import Journal
from emberwatch.parts import Parts, clock_ms

_LOG = logging.getLogger(__name__)
_SHELVES_EVERY_S = 10.0
_RETENTION_EVERY = 360
"""Retention runs at the first turn and then every 360th: hourly."""
_MANY_DEAD = 100
"""After so many new dead letters it is time to look how much space they take."""
_IN_NEED = 16
"""On a disk that is nearly full they have this part of their space."""
_DAY_MS = 86_400_000
_NEWS_DAYS = 30
"""The live feed and notices that were sent: nobody resumes later; the ledger keeps what matters."""


async def keep_house(parts: Parts) -> None:
    """Work for ever; a failing store is met again at the next turn."""
    turn, dead = 0, 0
    while True:
        try:
            await asyncio.to_thread(parts.books.ledger.alarms.expire_shelves, clock_ms())
            if parts.worker.pipeline.counts.dead >= dead + _MANY_DEAD:
                dead = parts.worker.pipeline.counts.dead
                await asyncio.to_thread(cap_letters, parts)
            if parts.disk.low:
                await asyncio.to_thread(make_room, parts)
            if turn % _RETENTION_EVERY == 0:
                await asyncio.to_thread(retain, parts, clock_ms())
        except EngineError as error:
            _LOG.warning("housekeeping waits: %s", error)
        turn += 1
        await asyncio.sleep(_SHELVES_EVERY_S)


def retain(parts: Parts, now_ms: int) -> None:
    """Drop readings and records past their time; the journal only behind its slowest reader and the snapshots we may need."""
    days = parts.settings.retention
    parts.books.ledger.dead_letters.drop_dead_letters_before(now_ms - days.dead_letter_days * _DAY_MS)
    cap_letters(parts)
    parts.books.ledger.feed.drop_feed_before(now_ms - _NEWS_DAYS * _DAY_MS)
    parts.books.ledger.outbox.drop_sent_before(now_ms - _NEWS_DAYS * _DAY_MS)
    safe = min(parts.streams.history.offset(), parts.worker.pipeline.committed_offset)
    oldest_snapshot = parts.streams.snapshots.prune(safe)
    trim(parts.streams.journal, min(safe, oldest_snapshot), now_ms - days.journal_days * _DAY_MS)
    parts.streams.history.drop_before(now_ms - days.history_days * _DAY_MS)  # last: it may be down


def cap_letters(parts: Parts, share: int = 1) -> None:
    """Let dead letters have no more than their space, or so small a share of it."""
    most = (parts.settings.retention.dead_letter_mib << 20) // share
    parts.disk.cap_letters(parts.books.ledger.dead_letters, most)


def make_room(parts: Parts) -> None:
    """Let old things give way on a disk that is nearly full; a history store that is down holds up nothing then."""
    cap_letters(parts, _IN_NEED)
    stored, committed = parts.streams.history.offset(), parts.worker.pipeline.committed_offset
    safe = min(stored, committed) if parts.history_feed.healthy else committed
    oldest_snapshot = parts.streams.snapshots.prune(safe)
    local = parts.streams.history if parts.settings.history == "duckdb" else None
    parts.disk.make_room(parts.streams.journal, local, decided=min(safe, oldest_snapshot), written=stored)


def trim(journal: Journal, safe_offset: int, before_ms: int) -> None:
    """Drop stored batches that are wholly before `safe_offset` and before `before_ms`."""
    offset = journal.info().start
    while True:
        batch = journal.read(offset, 1)
        if not batch.records or batch.end_offset > safe_offset or batch.records[-1].received_ms >= before_ms:
            break
        offset = batch.end_offset
    if offset > journal.info().start:
        _LOG.info("journal now begins at record %d", journal.trim(offset))
