"""D107: whether a device's clock and numbers can be believed: a clock that is wrong, messages lost, two devices with one name.

`seq` counts up within one `boot` (wire.md). A jump forward is a loss until the missing messages come; a jump back to newer
news is a restart, unless the old count then goes on too: then two devices speak under one name, and turn about.
"""

from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown
from detectors.base import Output, World
from detectors.counting import Chain, Count, advance
from detectors.holding import Holding, Moment
from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.readings import UNNUMBERED, Contacts, Int64, Segment

_RULE = "D107"
_CLOCK, _LOST, _TWO = "clock_skew", "messages_lost", "two_devices"
_STRIKES = 3
"""Messages in a row that must say that the clock is wrong, and then that it is right again."""


class _Row(NamedTuple):
    """One contact."""

    offset: int
    slot: int
    received_ms: int
    event_ms: int
    skew_ms: int
    boot: int
    seq: int


class Identity:
    """Implements Detector for D107. Arrays by slot: 25 bytes a device; more only of devices out of order."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        values = parameters.of(_RULE)
        self._skew_ms = values["skew_min"] * 60_000
        self._lost_limit, self._turns_limit = values["lost"], values["turns"]
        self._window_ms = values["window_min"] * 60_000
        self._boot = np.empty(0, np.int64)
        self._seq = np.empty(0, np.int64)
        self._event_ms = np.empty(0, np.int64)
        self._strikes = np.empty(0, np.int8)
        self._counts: dict[int, Count] = {}
        """Slots whose numbers were out of order within the window."""
        self._alarms = Holding(_RULE)

    def observe(self, segment: Segment, world: World) -> Output:
        contacts = segment.contacts
        live = np.flatnonzero(~contacts.retained)
        if not len(live):
            return Output()
        self._grow(len(world.slots))
        slots = contacts.slot[live]
        closer = [*self._counts, *self._disordered(contacts, live), *self._askew(contacts, live)]
        chosen = world.among(slots, closer) | (self._strikes[slots] > 0)
        findings = []
        for row in _rows(contacts, live[chosen]):
            findings += self._look(row, world)
        plain = live[~chosen]
        self._boot[contacts.slot[plain]] = contacts.boot[plain]
        self._seq[contacts.slot[plain]] = contacts.seq[plain]
        self._event_ms[contacts.slot[plain]] = contacts.event_ms[plain]
        return Output(findings)

    def _grow(self, size: int) -> None:
        self._boot, self._seq = grown(self._boot, size, UNNUMBERED), grown(self._seq, size, UNNUMBERED)
        self._event_ms, self._strikes = grown(self._event_ms, size), grown(self._strikes, size)

    def _disordered(self, contacts: Contacts, live: Int64) -> list[int]:
        """Return the slots that have a message which is not the successor of the one before."""
        order = live[np.argsort(contacts.slot[live], kind="stable")]
        slot, boot, seq = contacts.slot[order], contacts.boot[order], contacts.seq[order]
        boot_before, seq_before = self._boot[slot], self._seq[slot]
        again = np.flatnonzero(slot[1:] == slot[:-1])
        boot_before[again + 1], seq_before[again + 1] = boot[again], seq[again]
        odd = (seq != seq_before + 1) | (boot != boot_before)
        odd &= (seq != UNNUMBERED) & (seq_before != UNNUMBERED)
        slots: list[int] = slot[odd].tolist()
        return slots

    def _askew(self, contacts: Contacts, live: Int64) -> list[int]:
        """Return the slots whose clock looks wrong in a message."""
        slots: list[int] = contacts.slot[live[np.abs(contacts.skew_ms[live]) >= self._skew_ms]].tolist()
        return slots

    def _look(self, row: _Row, world: World) -> list[Finding]:
        return self._clock(row, world.slots.path(row.slot)) + self._number(row, world.slots.path(row.slot))

    def _clock(self, row: _Row, path: str) -> list[Finding]:
        wrong = abs(row.skew_ms) >= self._skew_ms
        strikes = int(self._strikes[row.slot])
        self._strikes[row.slot] = strikes = min(_STRIKES, strikes + 1) if wrong else max(0, strikes - 1)
        moment = Moment(row.offset, row.received_ms, row.event_ms)
        if strikes == _STRIKES:
            facts = {"skew_s": round(row.skew_ms / 1000), "allowed_s": round(self._skew_ms / 1000)}
            return self._alarms.hold(path, _CLOCK, moment, facts)
        return self._alarms.release(path, _CLOCK, moment) if strikes == 0 else []

    def _number(self, row: _Row, path: str) -> list[Finding]:
        slot = row.slot
        count = self._counts.get(slot)
        if count is None:
            chain = Chain(int(self._boot[slot]), int(self._seq[slot]), int(self._event_ms[slot]))
            count = Count(chain if chain.seq != UNNUMBERED else None)
        advance(count, Chain(row.boot, row.seq, row.event_ms), row.received_ms)
        last = count.chain or Chain(UNNUMBERED, UNNUMBERED, 0)
        self._boot[slot], self._seq[slot], self._event_ms[slot] = last
        if count.is_orderly:
            self._counts.pop(slot, None)
            return []
        self._counts[slot] = count
        moment = Moment(row.offset, row.received_ms, row.event_ms)
        return self._lost(count, path, moment) + self._two(count, path, moment)

    def _lost(self, count: Count, path: str, moment: Moment) -> list[Finding]:
        if count.lost < self._lost_limit:
            return []
        minutes = (moment.at_ms - count.since_ms) // 60_000
        return self._alarms.hold(path, _LOST, moment, {"lost": count.lost, "within_min": minutes})

    def _two(self, count: Count, path: str, moment: Moment) -> list[Finding]:
        if count.turns < self._turns_limit or count.chain is None or count.other is None:
            return []
        numbers = [{"boot": chain.boot, "seq": chain.seq} for chain in (count.chain, count.other)]
        return self._alarms.hold(path, _TWO, moment, {"counts": numbers, "turns": count.turns})

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        findings = []
        moment = Moment(offset, now_ms, now_ms)
        for slot in [s for s, count in self._counts.items() if now_ms - count.last_ms > self._window_ms]:
            del self._counts[slot]
            path = world.slots.path(slot)
            for cause in (_LOST, _TWO):
                findings += self._alarms.release(path, cause, moment, {"quiet_min": int(self._window_ms // 60_000)})
        return Output(findings)

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        """Expect any number next: what was missed while we were away is our loss, not the device's."""
        self._seq[:] = UNNUMBERED
        for count in self._counts.values():
            count.chain = None
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        return {
            "boot": self._boot.copy(),
            "seq": self._seq.copy(),
            "event_ms": self._event_ms.copy(),
            "strikes": self._strikes.copy(),
            "counts": [[slot, count.snapshot()] for slot, count in self._counts.items()],
            "alarms": self._alarms.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._boot, self._seq = np.array(state["boot"]), np.array(state["seq"])
        self._event_ms, self._strikes = np.array(state["event_ms"]), np.array(state["strikes"])
        self._counts = {slot: Count.restored(count) for slot, count in state["counts"]}
        self._alarms.restore(state["alarms"])


def _rows(contacts: Contacts, rows: Int64) -> list[_Row]:
    return [_Row(*row) for row in zip(*(getattr(contacts, name)[rows].tolist() for name in _Row._fields), strict=True)]
