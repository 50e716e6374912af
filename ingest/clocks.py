"""What a device's clock is worth: the time a message is filed under, and whether it is old news.

No duration is ever the difference of two clocks, so the only use of the difference here is to judge the device's clock itself.
"""

from typing import Any, TypeGuard

import numpy as np

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


_Behind = tuple[int, int, int, int]
"""Since when (ms), the number of the current half of `late_ms`, the least age (ms) in it, and in the one before."""


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
        self._behind: dict[int, _Behind] = {}

    def judge(self, slot: int, ts: int | None, received_ms: int) -> tuple[int, int]:
        """Return (event_ms, Quality bits) of a message, in the order of receipt."""
        if ts is None or ts < SYNCED_MS:
            return received_ms, _UNTIMED
        age = received_ms - ts
        if 0 <= age <= self._late_ms and not self._behind:  # nearly always
            return ts, 0
        if age > self._late_ms:
            return ts, _LATE if self._is_late(slot, age, received_ms) else 0
        if self._behind:
            self._behind.pop(slot, None)
        if age >= 0:
            return ts, 0
        return received_ms, _CLAMPED if age < -AHEAD_MS else 0

    def judge_all(self, slot: Int32, ts: Int64, received_ms: Int64) -> tuple[Int64, UInt8]:
        """Return what `judge` says of each message in turn; shape (n,), any `ts` before SYNCED_MS for one without."""
        has_time = ts >= SYNCED_MS
        event_ms = np.where(has_time, ts, received_ms)
        quality = np.where(has_time, 0, _UNTIMED).astype(np.uint8)
        age = received_ms - event_ms
        odd = (age < 0) | (age > self._late_ms)
        if self._behind or odd.any():
            apart = np.flatnonzero(np.isin(slot, [*self._behind, *slot[odd].tolist()]))
            turns = zip(*(column[apart].tolist() for column in (slot, ts, received_ms)), strict=True)
            judged = [self.judge(*turn) for turn in turns]
            event_ms[apart], quality[apart] = zip(*judged, strict=True) if judged else ((), ())
        return event_ms, quality

    def _is_late(self, slot: int, age: int, received_ms: int) -> bool:
        half = 2 * received_ms // self._late_ms
        since, last_half, least, before = self._behind.get(slot, (received_ms, half, age, age))
        if half != last_half:
            least, before = age, least
        least = min(least, age)
        self._behind[slot] = since, half, least, before
        return received_ms - since < self._late_ms or age - min(least, before) > self._late_ms

    def snapshot(self) -> dict[str, Any]:
        """Return all state as msgpack-able values."""
        return {"behind": [(slot, *behind) for slot, behind in self._behind.items()]}

    def restore(self, state: dict[str, Any]) -> None:
        """Become the state that `snapshot` gave."""
        self._behind = {slot: (since, half, least, before) for slot, since, half, least, before in state["behind"]}
