"""Which messages were seen before: brokers deliver again, devices repeat events until they are told that we have them.

Losing a message is worse than storing one twice, so only what is known to be a repeat is called one.
"""

from collections import deque
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, TypeVar

from ingest.clocks import is_set
from ingest.codecs.native import Message

WINDOW = 1024
"""How far back in one boot a sequence number is remembered: a broker that lost its newest state replays minutes."""
RECENT = 16
"""How many digests of payloads are remembered for a device."""
_ALL = (1 << (WINDOW - 1)) - 1
_DIGEST = 8

_Row = tuple[int, int, int, int, bytes]
_M = TypeVar("_M", bound=Message)


class _Boot:
    """What was seen of one boot: the highest `seq`, and in bit k of `missing` whether `base + k` was not.

    What comes in order changes `top` alone; all boots whose beginning we did not see share one `missing`.
    """

    __slots__ = ("base", "boot", "missing", "top")

    def __init__(self, boot: int, top: int, base: int | None = None, missing: int = _ALL) -> None:
        self.boot = boot
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
    """

    def __init__(self) -> None:
        self._boots: dict[int, _Boot] = {}
        self._previous: dict[int, _Boot] = {}
        self._recent: dict[int, deque[bytes]] = {}

    def fresh(self, slot: int, messages: Sequence[_M], payload: bytes) -> Sequence[_M]:
        """Remember the messages of one payload; return those that are no repeats, in order."""
        fresh = []
        same_bytes: bool | None = None
        for message in messages:
            seq, boot = message.seq, message.boot
            if seq is not None and boot is not None:
                known = self._boots.get(slot)
                if known is not None and known.boot == boot and known.top + 1 == seq:  # nearly always
                    known.top = seq
                    repeat = False
                else:
                    repeat = self._is_repeat(slot, boot, seq)
            elif seq is not None or is_set(message.ts):
                same_bytes = self._is_recent(slot, payload) if same_bytes is None else same_bytes
                repeat = same_bytes
            else:
                repeat = False
            if not repeat:
                fresh.append(message)
        return fresh

    def is_fresh_event(self, slot: int, message: Message, payload: bytes) -> bool:
        """Remember a message other than telemetry; return whether it is no repeat.

        Events are few and repeated for long, so one that fell below the window is still known by its bytes.
        """
        if not self.fresh(slot, (message,), payload):
            return False
        numbered = message.seq is not None and message.boot is not None
        return not (numbered and self._is_recent(slot, payload))

    def _is_repeat(self, slot: int, boot: int, seq: int) -> bool:
        """Remember (boot, seq); a late message of the boot before the newest is judged by that one, not as a restart."""
        known = self._boots.get(slot)
        if known is not None and known.boot == boot:
            return known.take(seq)
        previous = self._previous.get(slot)
        if previous is not None and previous.boot == boot:
            return previous.take(seq)
        if known is not None:
            self._previous[slot] = known
        self._boots[slot] = _Boot(boot, seq)
        return False

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


def _row(slot: int, boot: _Boot) -> _Row:
    missing = boot.missing.to_bytes(
        (boot.missing.bit_length() + 7) // 8, "little"
    )  # up to 1,023 bits: no msgpack integer
    return slot, boot.boot, boot.top, boot.base, missing


def _boot(row: _Row) -> tuple[int, _Boot]:
    slot, boot, top, base, missing = row
    bits = int.from_bytes(missing, "little")
    return slot, _Boot(boot, top, base, _ALL if bits == _ALL else bits)
