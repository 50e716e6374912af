"""Which messages were seen before: brokers deliver again, devices repeat events until they are told that we have them.

Losing a message is worse than storing one twice, so only what is known to be a repeat is called one.
"""

from collections import deque
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, TypeVar

from ingest.clocks import LATE_MS, SYNCED_MS, is_set
from ingest.codecs.native import Message

WINDOW = 1024
"""How far back in one boot a sequence number is remembered: a broker that lost its newest state replays minutes."""
RECENT = 32
"""How many digests of payloads are remembered for a device."""
_ALL = (1 << (WINDOW - 1)) - 1
_DIGEST = 8

_Row = tuple[int, int, int, int, int, bytes]
_M = TypeVar("_M", bound=Message)


class _Boot:
    """What was seen of one boot: its newest time, the highest `seq`, and in bit k of `missing` whether `base + k` was not.

    What comes in order changes `top` alone; all boots whose beginning we did not see share one `missing`.
    """

    __slots__ = ("base", "boot", "missing", "newest_ms", "top")

    def __init__(self, boot: int, newest_ms: int, top: int, base: int | None = None, missing: int = _ALL) -> None:
        self.boot = boot
        self.newest_ms = newest_ms
        self.top = top
        self.base = top - WINDOW + 1 if base is None else base
        self.missing = missing

    def take(self, seq: int) -> bool:
        """Remember `seq`; return whether it was seen before. Below the window nothing is known, so it counts as new."""
        if seq > self.top:
            self._rise(seq)
            return False
        if seq <= self.top - WINDOW:
            return False
        bit = 1 << (seq - self.base)
        seen = not self.missing & bit
        self.missing &= ~bit
        return seen

    def _rise(self, seq: int) -> None:
        """Make `seq` the highest: what it left out is missing, and what falls below the window is forgotten."""
        base = max(self.base, seq - WINDOW + 1)
        self.missing >>= base - self.base
        first = max(self.top + 1, base)
        self.missing |= ((1 << (seq - first)) - 1) << (first - base)
        self.base, self.top = base, seq


class Duplicates:
    """The memory of what each device slot said, bounded per slot: two boots and the digests of some payloads.

    With boot and seq, a repeat is what that pair was seen with. With less (a seq alone starts again with the device), it is
    a record whose very bytes are among the device's last ones. With neither seq nor time, nothing tells two equal messages
    from one that came twice, so both count.

    Devices lose their boot counter, or never had a working one: the same numbers then come again with something else. So
    what is `late_ms` newer than all that a boot said is a new boot of that number, and an event is a repeat only byte for byte.
    """

    def __init__(self, late_ms: int = LATE_MS) -> None:
        self._late_ms = late_ms
        self._boots: dict[int, _Boot] = {}
        self._previous: dict[int, _Boot] = {}
        self._recent: dict[int, deque[bytes]] = {}

    def fresh(self, slot: int, messages: Sequence[_M], payload: bytes, received_ms: int) -> Sequence[_M]:
        """Remember the messages of one payload; return those that are no repeats, in order."""
        fresh = []
        same_bytes: bool | None = None
        for message in messages:
            seq, boot = message.seq, message.boot
            if seq is not None and boot is not None:
                at_ms = _at(message.ts, received_ms)
                known = self._boots.get(slot)
                if known is not None and known.boot == boot and known.top + 1 == seq:  # nearly always
                    known.top = seq
                    known.newest_ms = max(known.newest_ms, at_ms)
                    repeat = False
                else:
                    repeat = self._is_repeat(slot, boot, seq, at_ms)
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
            self._begin(slot, message.boot, message.seq, _at(message.ts, received_ms))
        return True

    def _is_repeat(self, slot: int, boot: int, seq: int, at_ms: int) -> bool:
        """Remember (boot, seq); a late message of the boot before the newest is judged by that one, not as a restart."""
        for known in (self._boots.get(slot), self._previous.get(slot)):
            if known is not None and known.boot == boot:
                repeat = known.take(seq)
                if repeat and at_ms - known.newest_ms > self._late_ms:
                    break
                if not repeat:
                    known.newest_ms = max(known.newest_ms, at_ms)
                return repeat
        self._begin(slot, boot, seq, at_ms)
        return False

    def _begin(self, slot: int, boot: int, seq: int, at_ms: int) -> None:
        """Begin the memory of a boot; one of another number becomes the previous."""
        known = self._boots.get(slot)
        if known is not None and known.boot != boot:
            self._previous[slot] = known
        self._boots[slot] = _Boot(boot, at_ms, seq)

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
            "boots": [_row(slot, boot) for slot, boot in self._boots.items()],
            "previous": [_row(slot, boot) for slot, boot in self._previous.items()],
            "recent": [(slot, list(ring)) for slot, ring in self._recent.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Become the state that `snapshot` gave."""
        self._boots = dict(_boot(row) for row in state["boots"])
        self._previous = dict(_boot(row) for row in state["previous"])
        self._recent = {slot: deque(keys, maxlen=RECENT) for slot, keys in state["recent"]}


def _at(ts: int | None, received_ms: int) -> int:
    """Return when a message was said, by the device's clock if that can be."""
    return ts if ts is not None and SYNCED_MS <= ts < received_ms else received_ms


def _row(slot: int, boot: _Boot) -> _Row:
    missing = boot.missing.to_bytes(
        (boot.missing.bit_length() + 7) // 8, "little"
    )  # up to 1,023 bits: no msgpack integer
    return slot, boot.boot, boot.newest_ms, boot.top, boot.base, missing


def _boot(row: _Row) -> tuple[int, _Boot]:
    slot, boot, newest_ms, top, base, missing = row
    bits = int.from_bytes(missing, "little")
    return slot, _Boot(boot, newest_ms, top, base, _ALL if bits == _ALL else bits)
