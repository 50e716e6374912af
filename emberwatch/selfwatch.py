"""What hampers the service itself, looked for every few seconds and put into the journal, where rule D111 makes alarms of it.

While the journal takes nothing it takes none of this either: then the alarm comes when it does again, and until then the
screen and the readiness check alone say so.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.errors import EngineError
from domain.records import SERVICE
from emberwatch.parts import Parts
from ingest.transport import Message

_LOOK_EVERY_S = 5.0
_CALM_S = 300.0
"""A trouble is over when nothing was seen of it for so long: one that comes and goes is one alarm."""
_AWAY_S = 60.0
"""A broker or a history store may be away for so long before that is worth an alarm."""

Facts = dict[str, Any]


@dataclass(slots=True)
class Trouble:
    """One thing that may hamper us: `look` gives its facts while it is there, else None; told after `patience_s` of it."""

    name: str
    look: Callable[[], Facts | None]
    patience_s: float = 0.0
    facts: Facts | None = None
    _since_s: float | None = None
    _seen_s: float = 0.0

    def judge(self, now_s: float) -> None:
        """Look once; afterwards `facts` are there as long as the trouble stands."""
        seen = self._look()
        if seen is not None:
            self._since_s, self._seen_s = now_s if self._since_s is None else self._since_s, now_s
            if now_s - self._since_s >= self.patience_s:
                self.facts = seen
        elif self.facts is None or now_s - self._seen_s >= _CALM_S:
            self._since_s = self.facts = None

    def _look(self) -> Facts | None:
        try:
            return self.look()
        except EngineError as error:
            return {"error": str(error)}


class SelfWatch:
    """Tells by `submit` which troubles stand: once at the start, and whenever others do."""

    def __init__(
        self,
        troubles: Sequence[Trouble],
        submit: Callable[[list[Message]], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._troubles = troubles
        self._submit = submit
        self._monotonic = monotonic
        self._told: set[str] | None = None

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_EVERY_S)

    def look(self) -> None:
        """Look once, and tell if there is news."""
        now_s = self._monotonic()
        for trouble in self._troubles:
            trouble.judge(now_s)
        standing = {trouble.name: trouble.facts for trouble in self._troubles if trouble.facts is not None}
        if standing.keys() != self._told:
            self._submit([Message(SERVICE, msgspec.json.encode(standing))])
            self._told = set(standing)


def troubles_of(parts: Parts) -> list[Trouble]:
    """Return what to look for in a running service."""
    disk, transport, feed = parts.disk, parts.transport, parts.history_feed
    return [
        Trouble("broker", lambda: None if transport.counters.connected else {}, _AWAY_S),
        Trouble("broker-drops", _growing("dropped", lambda: parts.broker_watch.dropped)),
        Trouble("broker-restarts", _growing("restarts", lambda: parts.address.restarts)),
        Trouble("journal", _growing("failures", lambda: parts.collector.counters.failures)),
        Trouble("disk", lambda: {"free_mib": disk.free >> 20} if disk.low else None),
        Trouble("history", lambda: None if feed.healthy else {"waiting": feed.queued}, _AWAY_S),
        Trouble("overload", lambda: {"lag_s": (parts.lag_ms() or 0) // 1000} if parts.thinner.active else None),
    ]


def _growing(name: str, count: Callable[[], int]) -> Callable[[], Facts | None]:
    """Return a look that sees trouble when a count has grown since the last look."""
    before = count()

    def look() -> Facts | None:
        nonlocal before
        known, before = before, count()
        return {name: before} if before > known else None

    return look
