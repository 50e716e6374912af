"""Which messages were seen before: brokers deliver again, devices repeat events until they are told that we have them.

Losing a message is worse than storing one twice, so only what is known to be a repeat is called one.
"""

from collections import deque
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.readings import UNNUMBERED, Int32, Int64
from ingest.clocks import LATE_MS, SYNCED_MS, is_set
from ingest.codecs.native import Message

WINDOW = 1024
"""How far back in one boot a sequence number is remembered: a broker that lost its newest state replays minutes."""
RECENT = 32
"""How many digests of payloads are remembered for a device."""
_ALL = (1 << (WINDOW - 1)) - 1
_DIGEST = 8
_BOOT, _NEWEST, _TOP, _BASE = range(4)
_NOTHING = (UNNUMBERED, 0, 0, 0)

_M = TypeVar("_M", bound=Message)


class _Boot(NamedTuple):
    """What was seen of one boot: its newest time, the highest `seq`, and in bit k of `missing` whether `base + k` was not."""

    boot: int
    newest_ms: int
    top: int
    base: int
    missing: int

    @classmethod
    def begun(cls, boot: int, newest_ms: int, seq: int) -> "_Boot":
        return cls(boot, newest_ms, seq, seq - WINDOW + 1, _ALL)

    def take(self, seq: int) -> "_Boot":
        """Return what is known after `seq`. Below the window nothing is known."""
        if seq > self.top:
            return self._risen(seq)
        if seq <= self.top - WINDOW:
            return self
        return self._replace(missing=self.missing & ~(1 << (seq - self.base)))

    def has(self, seq: int) -> bool:
        """Whether `seq` was seen; below the window nothing is known, so it counts as new."""
        return self.top - WINDOW < seq <= self.top and not self.missing & (1 << (seq - self.base))

    def _risen(self, seq: int) -> "_Boot":
        """Return it with `seq` as the highest: what it left out is missing, and what falls below the window is forgotten."""
        base = max(self.base, seq - WINDOW + 1)
        first = max(self.top + 1, base)
        missing = (self.missing >> (base - self.base)) | (((1 << (seq - first)) - 1) << (first - base))
        return self._replace(top=seq, base=base, missing=missing)


class Duplicates:
    """The memory of what each device slot said, bounded per slot: two boots and the digests of some payloads.

    With boot and seq, a repeat is what that pair was seen with. With less (a seq alone starts again with the device), it is
    a record whose very bytes are among the device's last ones. With neither seq nor time, nothing tells two equal messages
    from one that came twice, so both count.

    Devices lose their boot counter, or never had a working one: the same numbers then come again with something else. So
    what is `late_ms` newer than all that a boot said is a new boot of that number, and an event is a repeat only byte for byte.

    Of the current boot, what is in order changes the row of a slot alone; `missing` is there only where something is.
    """

    def __init__(self, late_ms: int = LATE_MS) -> None:
        self._late_ms = late_ms
        self._rows: Int64 = np.empty((0, len(_NOTHING)), np.int64)
        self._missing: dict[int, int] = {}
        self._previous: dict[int, _Boot] = {}
        self._recent: dict[int, deque[bytes]] = {}

    def in_order(self, slot: Int32, boot: Int64, seq: Int64, at_ms: Int64) -> NDArray[np.bool_]:
        """Remember the messages of those slots of which each, in turn, has the next number of the known boot; return which.

        Shape (n,), in order of receipt; UNNUMBERED where a number is absent. The others are for `fresh`.
        """
        order = np.argsort(slot, kind="stable")
        slots, boots, seqs = slot[order], boot[order], seq[order]
        starts = np.flatnonzero(np.diff(slots, prepend=-1))
        first = slots[starts]
        self._grow(int(slots[-1]) + 1)
        before = np.empty_like(seqs)
        before[1:] = seqs[:-1]
        before[starts] = self._rows[first, _TOP]
        sizes = np.diff(starts, append=len(slots))
        known = np.repeat(self._rows[first, _BOOT], sizes)
        fits = (boots == known) & (boots != UNNUMBERED) & (seqs == before + 1)
        whole = np.logical_and.reduceat(fits, starts)
        good, last = first[whole], (starts + sizes - 1)[whole]
        self._rows[good, _TOP] = seqs[last]
        self._rows[good, _NEWEST] = np.maximum(
            self._rows[good, _NEWEST], np.maximum.reduceat(at_ms[order], starts)[whole]
        )
        in_order = np.empty(len(slot), np.bool_)
        in_order[order] = np.repeat(whole, sizes)
        return in_order

    def fresh(self, slot: int, messages: Sequence[_M], payload: bytes, received_ms: int) -> Sequence[_M]:
        """Remember the messages of one payload; return those that are no repeats, in order."""
        fresh = []
        same_bytes: bool | None = None
        for message in messages:
            seq, boot = message.seq, message.boot
            if seq is not None and boot is not None:
                repeat = self._is_repeat(slot, boot, seq, said_at(message.ts, received_ms))
            elif seq is not None or is_set(message.ts):
                same_bytes = self._is_recent(slot, payload) if same_bytes is None else same_bytes
                repeat = same_bytes
            else:
                repeat = False
            if not repeat:
                fresh.append(message)
        return fresh

    def is_fresh_event(self, slot: int, message: Message, payload: bytes, received_ms: int) -> bool:
        """Remember a message other than telemetry; return whether it is no repeat.

        Events are few and must not be lost, so their bytes are compared. A number that is known with other bytes is the
        proof of a restart under the same boot.
        """
        is_new_number = bool(self.fresh(slot, (message,), payload, received_ms))
        if message.seq is None or message.boot is None:
            return is_new_number
        if self._is_recent(slot, payload):
            return False
        if not is_new_number:
            self._begin(slot, message.boot, message.seq, said_at(message.ts, received_ms))
        return True

    def _is_repeat(self, slot: int, boot: int, seq: int, at_ms: int) -> bool:
        """Remember (boot, seq); a late message of the boot before the newest is judged by that one, not as a restart."""
        current, previous = self._current(slot), self._previous.get(slot)
        for known, keep in ((current, self._keep), (previous, self._previous.__setitem__)):
            if known is None or known.boot != boot:
                continue
            if not known.has(seq):
                keep(slot, known.take(seq)._replace(newest_ms=max(known.newest_ms, at_ms)))
                return False
            if at_ms - known.newest_ms <= self._late_ms:
                return True
            break
        self._begin(slot, boot, seq, at_ms)
        return False

    def _begin(self, slot: int, boot: int, seq: int, at_ms: int) -> None:
        """Begin the memory of a boot; one of another number becomes the previous."""
        known = self._current(slot)
        if known is not None and known.boot != boot:
            self._previous[slot] = known
        self._keep(slot, _Boot.begun(boot, at_ms, seq))

    def _current(self, slot: int) -> _Boot | None:
        if slot >= len(self._rows):
            return None
        boot, newest_ms, top, base = self._rows[slot].tolist()
        return None if boot == UNNUMBERED else _Boot(boot, newest_ms, top, base, self._missing.get(slot, _ALL))

    def _keep(self, slot: int, known: _Boot) -> None:
        self._grow(slot + 1)
        self._rows[slot] = known[:-1]
        if known.missing == _ALL:
            self._missing.pop(slot, None)
        else:
            self._missing[slot] = known.missing

    def _grow(self, size: int) -> None:
        have = len(self._rows)
        if size > have:
            more = np.tile(np.array(_NOTHING, np.int64), (max(size, have + have // 2) - have, 1))
            self._rows = np.concatenate((self._rows, more))

    def _is_recent(self, slot: int, payload: bytes) -> bool:
        key = blake2b(payload, digest_size=_DIGEST).digest()
        ring = self._recent.get(slot)
        if ring is None:
            ring = self._recent[slot] = deque(maxlen=RECENT)
        if key in ring:
            return True
        ring.append(key)
        return False

    def snapshot(self) -> dict[str, Any]:
        """Return all state as msgpack-able values."""
        return {
            "rows": self._rows.copy(),
            "missing": [(slot, _bytes(missing)) for slot, missing in self._missing.items()],
            "previous": [(slot, *known[:-1], _bytes(known.missing)) for slot, known in self._previous.items()],
            "recent": [(slot, list(ring)) for slot, ring in self._recent.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Become the state that `snapshot` gave."""
        self._rows = np.array(state["rows"])
        self._missing = {slot: int.from_bytes(missing, "little") for slot, missing in state["missing"]}
        self._previous = {
            slot: _Boot(boot, newest_ms, top, base, int.from_bytes(missing, "little"))
            for slot, boot, newest_ms, top, base, missing in state["previous"]
        }
        self._recent = {slot: deque(keys, maxlen=RECENT) for slot, keys in state["recent"]}


def said_at(ts: int | None, received_ms: int) -> int:
    """Return when a message was said, by the device's clock if that can be."""
    return ts if ts is not None and SYNCED_MS <= ts < received_ms else received_ms


def _bytes(missing: int) -> bytes:
    """Return up to 1,023 bits as bytes: msgpack has no such integers."""
    return missing.to_bytes((missing.bit_length() + 7) // 8, "little")
