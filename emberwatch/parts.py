"""The parts of a running service, for those who start, watch and stop them."""

import time
from dataclasses import dataclass

from emberwatch.broker_watch import BrokerWatch
from emberwatch.connection import BrokerAddress
from emberwatch.disk import Disk
from emberwatch.history_feed import HistoryFeed
from emberwatch.outlet import ServiceOutlet
from emberwatch.presence import Presence
from emberwatch.settings import Settings
from emberwatch.stores import Books, Streams
from emberwatch.worker import Worker
from ingest.collector import Collector
from ingest.thinning import Thinner
from ingest.transport import Transport


def clock_ms() -> int:
    """Return now in epoch ms: the only wall clock of the service."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that runs, for those who look at it."""

    settings: Settings
    books: Books
    streams: Streams
    address: BrokerAddress
    transport: Transport
    collector: Collector
    worker: Worker
    history_feed: HistoryFeed
    presence: Presence
    outlet: ServiceOutlet
    thinner: Thinner
    broker_watch: BrokerWatch
    disk: Disk
    started_ms: int
    failures: list[BaseException]

    def lag_ms(self) -> int | None:
        """Return how far decisions are behind what was received; None while they wait for the books, not for speed."""
        pipeline = self.worker.pipeline
        if not self.worker.healthy:
            return None
        behind = self.streams.journal.info().end - pipeline.offset
        known = pipeline.last_received_ms
        return max(0, clock_ms() - known) if behind > 0 and known else 0
