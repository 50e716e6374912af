"""G108: a shut-off valve that should be closed and is not: told to close, or expected to by its own detector's high alarm.

The valve's word is its `valve` reading (0 open, 1 closed). From the order on it has `close_s` seconds; a device that says itself
that the valve was not reached needs no waiting. Only a closed valve, or that fault's own end, lets go.
"""

from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from detectors.arrays import grown
from detectors.base import Output, World
from detectors.holding import Holding, Moment
from detectors.parameters import Parameters
from detectors.withdrawals import leaves
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.measurands import INDEX
from domain.readings import NOT_LIVE, Segment, Signal

_RULE = "G108"
_VALVE = INDEX["valve"]
_CLOSED, _OPEN, _UNKNOWN = 1, 0, -1
_REACHED_NOT = "valve_not_reached"
_COMMANDED, _EXPECTED = "commanded_closed", "expected_closed"
_CAUSES = (_COMMANDED, _EXPECTED, _REACHED_NOT)
_SIGNALS = frozenset({"command", "alarm.high", "fault", "fault.clear"})


class _Word(NamedTuple):
    """A live reading of a valve."""

    offset: int
    slot: int
    closed: bool
    received_ms: int
    event_ms: int


class _Order(NamedTuple):
    """That a valve must close: why, since when and until when (our clock)."""

    cause: str
    since_ms: int
    due_ms: int


class Valves:
    """Implements Detector for G108. One byte a slot, and an entry for each valve that should be closed."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._close_ms = int(parameters.of(_RULE)["close_s"] * 1000)
        self._state = np.empty(0, np.int8)
        self._orders: dict[int, _Order] = {}
        self._alarms = Holding(_RULE)

    def observe(self, segment: Segment, world: World) -> Output:
        self._state = grown(self._state, len(world.slots), fill=_UNKNOWN)
        signals = [s for s in segment.signals if s.type in _SIGNALS and not s.quality & NOT_LIVE]
        events: list[_Word | Signal] = [*_words(segment), *signals]
        found: list[Finding] = []
        for event in sorted(events, key=attrgetter("offset")):
            path = world.slots.path(event.slot)
            found += self._said(event, path) if isinstance(event, _Word) else self._signalled(event, path)
        return Output(found)

    def _said(self, word: _Word, path: str) -> list[Finding]:
        self._state[word.slot] = _CLOSED if word.closed else _OPEN
        if not word.closed:
            return []
        order = self._orders.pop(word.slot, None)
        took = {} if order is None else {"took_s": (word.received_ms - order.since_ms) // 1000}
        moment = Moment(word.offset, word.received_ms, word.event_ms)
        return [f for cause in _CAUSES for f in self._alarms.release(path, cause, moment, took)]

    def _signalled(self, signal: Signal, path: str) -> list[Finding]:
        """Take in an order to close, the high alarm that implies one, or the fault that says it failed."""
        kind, code = signal.type, signal.data.get("code")
        if kind == "command" and signal.data.get("type") == "valve.close":
            self._order(signal, _COMMANDED)
        elif kind == "alarm.high" and self._state[signal.slot] == _OPEN:
            self._order(signal, _EXPECTED)
        elif kind == "fault" and code == _REACHED_NOT:
            return self._alarms.hold(path, _REACHED_NOT, Moment.of(signal), {})
        elif kind == "fault.clear" and code in (_REACHED_NOT, None):
            return self._alarms.release(path, _REACHED_NOT, Moment.of(signal))
        return []

    def _order(self, signal: Signal, cause: str) -> None:
        if self._state[signal.slot] != _CLOSED and signal.slot not in self._orders:
            self._orders[signal.slot] = _Order(cause, signal.received_ms, signal.received_ms + self._close_ms)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        found: list[Finding] = []
        for slot, order in sorted(self._orders.items()):
            if now_ms >= order.due_ms:
                evidence = {
                    "waited_s": (now_ms - order.since_ms) // 1000,
                    "heard_open": bool(self._state[slot] == _OPEN),
                }
                found += self._alarms.hold(
                    world.slots.path(slot), order.cause, Moment(offset, now_ms, now_ms), evidence
                )
        return Output(found)

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        # What closed while nobody listened says so in its next report: it gets its time again.
        self._orders = {
            slot: order._replace(due_ms=max(order.due_ms, now_ms + self._close_ms))
            for slot, order in self._orders.items()
        }
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        for signal in leaves(self._orders, offset, now_ms, changes, world):
            del self._orders[signal.slot]
        return Output(self._alarms.withdraw(offset, now_ms, changes))

    def snapshot(self) -> dict[str, Any]:
        orders = [[slot, *order] for slot, order in self._orders.items()]
        return {"state": self._state.copy(), "orders": orders, "alarms": self._alarms.snapshot()}

    def restore(self, state: dict[str, Any]) -> None:
        self._state = np.array(state["state"])
        self._orders = {slot: _Order(*order) for slot, *order in state["orders"]}
        self._alarms.restore(state["alarms"])


def _words(segment: Segment) -> list[_Word]:
    chosen = segment.of((_VALVE,), NOT_LIVE)
    if not len(chosen):
        return []
    columns = (chosen.offset, chosen.slot, chosen.value > 0, chosen.received_ms, chosen.event_ms)
    return [_Word(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
