"""What is done from time to time: shelves that run out, retention of journal, history and snapshots."""

import asyncio
import itertools
import logging
from collections.abc import Callable

from domain.errors import EngineError
from domain.records import Journal, read_on
from emberwatch.parts import Parts, clock_ms

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0
_IN_NEED = 16
"""On a disk that is nearly full dead letters have this part of their space."""
_DAY_MS = 86_400_000
_NEWS_DAYS = 30
"""The live feed and notices that were sent: nobody resumes later; the ledger keeps what matters."""

Duty = Callable[[Parts], None]


async def keep_house(parts: Parts) -> None:
    """Work for ever; a duty that fails is tried again when it is due, and holds up no other."""
    failing: set[Duty] = set()
    for second in itertools.count():
        for every_s, duty in _DUTIES:
            if second % every_s == 0:
                await _do(duty, parts, failing)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _do(duty: Duty, parts: Parts, failing: set[Duty]) -> None:
    try:
        await asyncio.to_thread(duty, parts)
    except (EngineError, OSError) as error:
        if duty not in failing:
            _LOG.warning("housekeeping waits: %s", error)
        failing.add(duty)
    else:
        failing.discard(duty)


def watch_disk(parts: Parts) -> None:
    if parts.disk.low:
        parts.disk.use_reserve()
    else:
        parts.disk.set_aside()


def spare_letters(parts: Parts) -> None:
    """Let dead letters give way on a disk that is nearly full."""
    if parts.disk.low:
        cap_letters(parts, _IN_NEED)


def spare_messages(parts: Parts) -> None:
    """Let decided messages give way on a disk that still is; a history store that is down holds up nothing then."""
    if parts.disk.low:
        stored, committed = parts.streams.history.offset(), parts.worker.pipeline.committed_offset
        safe = min(stored, committed) if parts.history_feed.healthy else committed
        oldest_snapshot = parts.streams.snapshots.prune(safe)
        parts.disk.make_room(parts.streams.journal, decided=min(safe, oldest_snapshot), written=stored)


def spare_readings(parts: Parts) -> None:
    """Let a day of readings give way on a disk that still is; they may be on another one than ours."""
    if parts.disk.low and parts.settings.history == "duckdb":
        parts.disk.drop_oldest_day(parts.streams.history)


def expire_shelves(parts: Parts) -> None:
    parts.books.ledger.alarms.expire_shelves(clock_ms())


def retain_now(parts: Parts) -> None:
    retain(parts, clock_ms())


def retain(parts: Parts, now_ms: int) -> None:
    """Drop readings and records past their time; the journal only behind its slowest reader and the snapshots we may need."""
    days = parts.settings.retention
    parts.books.ledger.dead_letters.drop_dead_letters_before(now_ms - days.dead_letter_days * _DAY_MS)
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


def trim(journal: Journal, safe_offset: int, before_ms: int) -> None:
    """Drop stored batches that are wholly before `safe_offset` and before `before_ms`; a damaged one goes with the next."""
    start = offset = at = journal.info().start
    while True:
        batch, _damage = read_on(journal, at, 1)
        if batch.end_offset == at or batch.end_offset > safe_offset:
            break
        at = batch.end_offset
        if batch.records and batch.records[-1].received_ms >= before_ms:
            break
        offset = at if batch.records else offset
    if offset > start:
        _LOG.info("journal now begins at record %d", journal.trim(offset))


_DUTIES: tuple[tuple[int, Duty], ...] = (
    (1, watch_disk),
    (1, spare_letters),
    (1, spare_messages),
    (600, spare_readings),
    (10, expire_shelves),
    (10, cap_letters),
    (3600, retain_now),
)
"""Every how many seconds, in this order."""
