"""What the API is given to work with: the ports of the house and a few questions it may ask the running service.

`emberwatch.runtime` fills it with adapters, tests with whatever they like; nothing in this room chooses an engine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict, Field

from domain.history import History
from ledger.alarm import AlarmBook
from ledger.books import DeadLetters, Feed, Outbox
from ledger.hazard import HazardBook
from registers.account import Accounts
from registers.store import Registers

STATIC = Path(__file__).parent / "static"
"""The built screens; committed, so that a plain clone needs no Node."""


class Check(BaseModel):
    """One thing that must hold before the service can do its work; `detail` says what to do when it does not."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(examples=["broker"])
    ok: bool
    warning: bool = Field(default=False, description="it holds, and still somebody should look")
    detail: str = Field(default="", examples=["127.0.0.1:1883"])


class LiveStatus(BaseModel):
    """How the service is doing right now.

    Record counts are cumulative and hold `received = decoded + dead + duplicate + thinned + in_flight`. Times in epoch
    ms; `messages_per_s` over the last seconds; `lag_ms` from receipt of the oldest undecided record to now.
    """

    model_config = ConfigDict(frozen=True)

    version: str = Field(examples=["0.1.0"])
    started_at_ms: int = Field(examples=[1763900000000])
    now_ms: int = Field(examples=[1763900120000])
    registered: int = Field(default=0, description="devices in the register", examples=[42])
    online: int = Field(default=0, description="registered and heard from in time", examples=[40])
    silent: int = Field(default=0, description="registered and silent, or never heard", examples=[2])
    unknown: int = Field(default=0, description="heard, but in no register", examples=[1])
    received: int = 0
    decoded: int = 0
    dead: int = 0
    duplicate: int = 0
    thinned: int = Field(default=0, description="routine telemetry left out because the machine could not keep up")
    in_flight: int = 0
    messages_per_s: float = Field(default=0.0, examples=[12.5])
    lag_ms: int = 0
    overloaded: bool = Field(default=False, description="routine telemetry is being left out now")
    broker_connected: bool = False
    broker_dropped: int = Field(default=0, description="messages the broker says it has dropped since its start")
    disk_low: bool = Field(default=False, description="old records and readings give way to keep the disk from filling")
    disk_full: bool = Field(
        default=False, description="nothing more is taken in until there is room; the broker keeps it"
    )
    stores_ok: bool = False
    journal_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Services:
    """The ports and questions. Blocking calls are fine: routes ask from worker threads.

    `online`: `area/site/device` → whether it is heard from in time, for every device ever heard; `metrics_open`: a scrape
    from loopback needs no token; `secure_cookies`: cookies go over https only, whatever the request looks like;
    `on_feed`: what is called, on the event loop, when the feed has moved; `failed`: told, once, when the live stream dies of
    a bug; `static`: where the built screens are.
    """

    registers: Registers
    alarms: AlarmBook
    hazards: HazardBook
    feed: Feed
    outbox: Outbox
    dead_letters: DeadLetters
    history: History
    accounts: Accounts
    status: Callable[[], LiveStatus]
    ready: Callable[[], list[Check]]
    online: Callable[[], Mapping[str, bool]]
    registry: CollectorRegistry
    clock_ms: Callable[[], int]
    failed: Callable[[BaseException], None]
    on_feed: list[Callable[[], None]] = field(default_factory=list)
    metrics_open: bool = False
    secure_cookies: bool = False
    static: Path = field(default=STATIC)
