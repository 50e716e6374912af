"""How a device's numbers follow one another: losses, late arrivals, restarts, and two counts under one name."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from domain.readings import UNNUMBERED

_MOST_LOST = 10**9
"""Losses counted at most: a number may leap by 2^63, again and again, and a sum of leaps fits no snapshot."""


class Chain(NamedTuple):
    """Where one count is: its boot, its highest number, and the device's time of that message."""

    boot: int
    seq: int
    event_ms: int

    def ahead(self, message: "Chain") -> int | None:
        """Return how far a message is past this count; None when it is of another boot."""
        return message.seq - self.seq if message.boot == self.boot else None


@dataclass(slots=True)
class Count:
    """A device whose numbers were out of order: the count it follows, the one it left, and what was odd since `since_ms`.

    `lost`: messages that never came; `turns`: how often the two counts took turns; `last_ms`: the last oddity, our time.
    """

    chain: Chain | None
    other: Chain | None = None
    lost: int = 0
    turns: int = 0
    since_ms: int = 0
    last_ms: int = 0

    @property
    def is_orderly(self) -> bool:
        """Whether nothing odd ever happened."""
        return self.last_ms == 0

    def note(self, now_ms: int) -> None:
        self.since_ms = self.since_ms or now_ms
        self.last_ms = now_ms

    def snapshot(self) -> list[Any]:
        """Return the state as plain values."""
        return [self.chain, self.other, self.lost, self.turns, self.since_ms, self.last_ms]

    @classmethod
    def restored(cls, state: list[Any]) -> "Count":
        """Return the count that `snapshot` gave."""
        chain, other, *rest = state
        return cls(Chain(*chain) if chain else None, Chain(*other) if other else None, *rest)


def advance(count: Count, message: Chain, now_ms: int) -> None:
    """Take one message into the count, in place."""
    if message.seq == UNNUMBERED or count.chain is None:
        count.chain = None if message.seq == UNNUMBERED else message
        return
    ahead, beside = count.chain.ahead(message), count.other.ahead(message) if count.other else None
    if ahead == 1:
        count.chain = message
    elif beside is not None and beside > 0 and (ahead is None or ahead <= 0 or beside < ahead):
        _turn(count, message, now_ms)
    elif ahead is not None and ahead > 0:
        count.lost = min(count.lost + ahead - 1, _MOST_LOST)
        count.chain = message
        count.note(now_ms)
    else:
        _back(count, message, ahead, now_ms)


def _turn(count: Count, message: Chain, now_ms: int) -> None:
    """Follow the other count, which goes on; with older news it only came late."""
    if count.chain is not None and message.event_ms > count.chain.event_ms:
        count.chain, count.other = message, count.chain
        count.turns += 1
        count.note(now_ms)
    else:
        count.other = message


def _back(count: Count, message: Chain, ahead: int | None, now_ms: int) -> None:
    """Follow a new count if its news is newer: a restart, perhaps; else it is a message that was overtaken."""
    if count.chain is None or message.event_ms > count.chain.event_ms:
        count.chain, count.other = message, count.chain
        count.note(now_ms)
    elif ahead is not None:
        count.lost = max(0, count.lost - 1)
