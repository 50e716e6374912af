"""The parts of a running service, for those who start, watch and stop them."""

import time
from dataclasses import dataclass

from emberwatch.connection import BrokerAddress
from emberwatch.history_feed import HistoryFeed
from emberwatch.outlet import ServiceOutlet
from emberwatch.presence import Presence
from emberwatch.settings import Settings
from emberwatch.stores import Books, Streams
from emberwatch.worker import Worker
from ingest.collector import Collector
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
    started_ms: int
    failures: list[BaseException]
