"""What a device's clock is worth: the time a message is filed under, and whether it is old news.

No duration is ever the difference of two clocks, so the only use of the difference here is to judge the device's clock itself.
"""

from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from domain.readings import Int32, Int64, Quality, UInt8

SYNCED_MS = 1_577_836_800_000
"""2020-01-01: a device time before it is a clock that was never set (devices start at 1970), so it is no time at all."""
LATE_MS = 300_000
"""A message older than this on arrival is old news."""
AHEAD_MS = 5_000
"""A clock this little ahead is ordinary; the time is clamped to ours, not flagged."""

_CLAMPED = int(Quality.CLAMPED)
_LATE = int(Quality.LATE)
_UNTIMED = int(Quality.UNTIMED)


_SINCE, _HALF, _LEAST, _BEFORE = range(4)
"""Since when (ms; 0: it is not behind), the number of the current half of `late_ms`, the least age (ms) in it, and before it."""


def is_set(ts: int | None) -> TypeGuard[int]:
    """Whether a device gave a time of a clock that was ever set."""
    return ts is not None and ts >= SYNCED_MS


class Clocks:
    """Per slot: since when every message looked old, and the least age of late.

    A message older than `late_ms` is late, until everything the device said for `late_ms` of our time was: then its clock is
    wrong rather than its news old, and only what is `late_ms` older than the freshest of its last messages is late. The last
    ones are those of the current and the latest other half of `late_ms`: a clock may be set back again, or stand still. (A
    device that takes longer than `late_ms` to hand over a backlog, oldest first and nothing fresh between, is taken for one
    with a wrong clock.)
    """

    def __init__(self, late_ms: int) -> None:
        self._late_ms = late_ms
        self._behind: Int64 = np.zeros((0, 4), np.int64)

    def judge(self, slot: int, ts: int | None, received_ms: int) -> tuple[int, int]:
        """Return (event_ms, Quality bits) of a message, in the order of receipt."""
        if not is_set(ts):
            return received_ms, _UNTIMED
        known = slot < len(self._behind) and self._behind[slot, _SINCE]
        if 0 <= received_ms - ts <= self._late_ms and not known:  # nearly always
            return ts, 0
        columns = np.array([slot], np.int32), np.array([ts]), np.array([received_ms])
        event_ms, quality = self._judge_once(*columns)
        return int(event_ms[0]), int(quality[0])

    def judge_all(self, slot: Int32, ts: Int64, received_ms: Int64) -> tuple[Int64, UInt8]:
        """Return what `judge` says of each message in turn; shape (n,), any `ts` before SYNCED_MS for one without."""
        has_time = ts >= SYNCED_MS
        event_ms = np.where(has_time, ts, received_ms)
        quality = np.where(has_time, 0, _UNTIMED).astype(np.uint8)
        rest = self._apart(slot, received_ms - event_ms) & has_time
        rows = np.flatnonzero(rest)
        while len(rows):  # each slot once a round, in order; nearly always there is one round or none
            first = np.unique(slot[rows], return_index=True)[1]
            turn = rows[first]
            event_ms[turn], quality[turn] = self._judge_once(slot[turn], ts[turn], received_ms[turn])
            rows = np.delete(rows, first)
        return event_ms, quality

    def _apart(self, slot: Int32, age: Int64) -> NDArray[np.bool_]:
        """Return which messages are of slots of which something is odd, now or from before."""
        odd = (age < 0) | (age > self._late_ms)
        known = slot < len(self._behind)
        if known.any():
            odd[known] |= self._behind[slot[known], _SINCE] != 0
        return np.isin(slot, slot[odd]) if odd.any() else odd

    def _judge_once(self, slot: Int32, ts: Int64, received_ms: Int64) -> tuple[Int64, UInt8]:
        """Return event_ms and quality of timed messages, each of another slot, and remember them."""
        age = received_ms - ts
        old = age > self._late_ms
        ahead = np.where(age < -AHEAD_MS, _CLAMPED, 0)
        quality = np.where(old, np.where(self._is_late(slot, age, received_ms, old), _LATE, 0), ahead)
        return np.minimum(ts, received_ms), quality.astype(np.uint8)

    def _is_late(self, slot: Int32, age: Int64, received_ms: Int64, old: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which of the old messages are late; a slot that said something fresh is no longer behind."""
        self._grow(int(slot.max()) + 1)
        since, last_half, least, before = self._behind[slot].T
        half = 2 * received_ms // self._late_ms
        known = since != 0
        since = np.where(known, since, received_ms)
        moved = known & (half != last_half)
        before = np.where(moved, least, np.where(known, before, age))
        least = np.where(known & ~moved, np.minimum(least, age), age)
        self._behind[slot] = np.where(old, (since, half, least, before), 0).T
        late: NDArray[np.bool_] = (received_ms - since < self._late_ms) | (
            age - np.minimum(least, before) > self._late_ms
        )
        return late

    def _grow(self, size: int) -> None:
        have = len(self._behind)
        if size > have:
            self._behind = np.concatenate((self._behind, np.zeros((max(size, have + have // 2) - have, 4), np.int64)))

    def snapshot(self) -> dict[str, Any]:
        """Return all state as msgpack-able values and arrays."""
        slots = np.flatnonzero(self._behind[:, _SINCE])
        return {"slots": slots, "behind": self._behind[slots]}

    def restore(self, state: dict[str, Any]) -> None:
        """Become the state that `snapshot` gave."""
        slots = state["slots"]
        self._behind = np.zeros((int(slots.max(initial=-1)) + 1, 4), np.int64)
        self._behind[slots] = state["behind"]
