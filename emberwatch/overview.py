"""One look at everything that runs: for the screen's status line, the readiness check and the metrics."""

import threading
from collections.abc import Mapping

from api.services import Check, LiveStatus
from domain.errors import EmberwatchError
from emberwatch import __version__
from emberwatch.metrics import Reading
from emberwatch.parts import Parts, clock_ms
from emberwatch.presence import DeviceCounts

_CACHED_MS = 1000


class Overview:
    """Answers questions about the running parts; cheap enough to be asked every second by many."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._cached: LiveStatus | None = None
        self._rate = (parts.started_ms, 0, 0.0)

    def look(self) -> Reading:
        """Return all counters; books first, journal after, so that nothing seems decided before it was received."""
        parts, ledger = self._parts, self._parts.books.ledger
        committed = parts.worker.pipeline.committed
        journal = parts.streams.journal.info()
        transport = parts.transport.counters
        return Reading(
            counts=committed.counts,
            received=journal.device_records,
            lag_records=journal.end - committed.offset,
            journal_bytes=journal.bytes,
            messages=transport.received,
            reconnects=transport.reconnects,
            broker_restarts=parts.address.restarts,
            connected=transport.connected,
            history_queued=parts.history_feed.queued,
            history_healthy=parts.history_feed.healthy,
            history_missed=parts.disk.unwritten,
            letters_dropped=parts.disk.dropped_letters,
            broker_dropped=parts.broker_watch.dropped,
            broker_held=parts.broker_watch.held,
            overloaded=parts.thinner.active,
            disk_free=parts.disk.free,
            disk_low=parts.disk.low,
            devices=self._devices()._asdict(),
            alarms=ledger.alarms.open_alarm_counts(),
            hazards=ledger.hazards.open_hazard_counts(),
            outbox=ledger.outbox.outbox_counts(),
            dead_letters=ledger.dead_letters.dead_letter_counts(),
        )

    def online(self) -> Mapping[str, bool]:
        """Return path → whether the device was heard in time."""
        return self._parts.presence.online(self._parts.worker.pipeline.world, clock_ms())

    def status(self) -> LiveStatus:
        """Return how the service does right now, at most a second old."""
        with self._lock:
            now = clock_ms()
            if self._cached is None or now - self._cached.now_ms >= _CACHED_MS:
                self._cached = self._status(now)
            return self._cached

    def _status(self, now: int) -> LiveStatus:
        parts = self._parts
        devices = self._devices()
        counts = parts.worker.pipeline.committed.counts
        look = self._parts.streams.journal.info()
        behind = look.end - parts.worker.pipeline.offset
        return LiveStatus(
            version=__version__,
            started_at_ms=parts.started_ms,
            now_ms=now,
            registered=devices.registered,
            online=devices.online,
            silent=devices.registered - devices.online,
            unknown=devices.unknown,
            received=look.device_records,
            decoded=counts.decoded,
            dead=counts.dead,
            duplicate=counts.duplicate,
            thinned=counts.thinned,
            in_flight=look.device_records - counts.accounted,
            messages_per_s=self._messages_per_s(now),
            lag_ms=max(0, now - parts.worker.pipeline.last_received_ms) if behind > 0 else 0,
            overloaded=parts.thinner.active,
            broker_connected=parts.transport.counters.connected,
            broker_dropped=parts.broker_watch.dropped,
            disk_low=parts.disk.low,
            disk_full=parts.disk.full,
            stores_ok=parts.worker.healthy and parts.history_feed.healthy,
            journal_bytes=look.bytes,
        )

    def _devices(self) -> DeviceCounts:
        return self._parts.presence.count(self._parts.worker.pipeline.world, clock_ms())

    def _messages_per_s(self, now: int) -> float:
        """Return the rate since the last look, smoothed over a few seconds."""
        then, before, rate = self._rate
        received = self._parts.transport.counters.received
        if now > then:
            fresh = (received - before) * 1000 / (now - then)
            rate += (fresh - rate) * min(1.0, (now - then) / 5000)
            self._rate = (now, received, rate)
        return round(rate, 1)

    def ready(self) -> list[Check]:
        """Return what must hold for the service to do its work."""
        parts = self._parts
        return [
            self._broker(),
            Check(name="pipeline", ok=parts.worker.healthy, detail=f"offset {parts.worker.pipeline.committed_offset}"),
            self._books(),
            Check(
                name="history", ok=parts.history_feed.healthy, detail=f"{parts.history_feed.queued} readings waiting"
            ),
            self._disk(),
        ]

    def _broker(self) -> Check:
        parts, dropped, restarts = self._parts, self._parts.broker_watch.dropped, self._parts.address.restarts
        told = f", has dropped {dropped} messages since its start" if dropped else ""
        died = f", died and was started again {restarts} times" if restarts else ""
        return Check(
            name="broker",
            ok=parts.transport.counters.connected,
            warning=bool(dropped or restarts),
            detail=f"{parts.address.host}:{parts.address.port}{told}{died}",
        )

    def _books(self) -> Check:
        try:
            self._parts.books.ledger.books.committed()
        except EmberwatchError as error:
            return Check(name="books", ok=False, detail=str(error))
        return Check(name="books", ok=True)

    def _disk(self) -> Check:
        disk = self._parts.disk
        return Check(name="disk", ok=not disk.full, warning=disk.low, detail=f"{disk.free >> 20} MiB free")
