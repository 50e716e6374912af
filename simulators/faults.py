"""What goes wrong with a device and on its line: worn sensors, silence, outages with late resends, losses, repeats, rubbish.

Faults of the device itself act on what it says; faults of the line act on finished messages and only ever lose or delay
them, so that a small heap is enough to keep the stream in order of time.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from simulators.device import Clock, Saying, TimedMessage, event, status
from simulators.incidents import (
    Duplicates,
    Event,
    Fault,
    Frozen,
    Incident,
    Losses,
    Malformed,
    Outage,
    Reordering,
    Silence,
    Timetable,
    Worn,
    active,
    of_kind,
)

_RUBBISH: tuple[bytes, ...] = (
    b"",
    b"{",
    b"not json",
    b"\xff\xfe\x00",
    b"[1, 2, 3]",
    b'{"v": {"ch4_lel": "high"}}',
    b'{"v": {"ch4_lel": 1e999}}',
    b'{"ts": "yesterday", "v": {"ch4_lel": 1.0}}',
)


def with_faults(sayings: Iterable[Saying], incidents: Sequence[Incident], seed: str) -> Iterator[Saying]:
    """Spoil readings, add faults and other events, and take away what a device without power cannot say."""
    more = [*map(_fault, of_kind(Fault, incidents)), *map(_said, of_kind(Event, incidents))]
    spoilt = _frozen(_worn(sayings, of_kind(Worn, incidents), Random(seed)), of_kind(Frozen, incidents))
    said = heapq.merge(spoilt, *more, key=lambda saying: saying.at_s)
    silences = of_kind(Silence, incidents)
    return _silenced(said, silences) if silences else said


def _frozen(sayings: Iterable[Saying], freezes: Sequence[Frozen]) -> Iterable[Saying]:
    timetable = Timetable(freezes)
    return (_still(saying, timetable.near(saying.at_s)) for saying in sayings) if freezes else sayings


def _still(saying: Saying, freezes: Sequence[Incident]) -> Saying:
    values = [freeze.value for freeze, _ in active(Frozen, freezes, saying.at_s)]
    if saying.kind != "telemetry" or not values:
        return saying
    return saying._replace(body=dict.fromkeys(saying.body, values[-1]))


def _worn(sayings: Iterable[Saying], worn: Sequence[Worn], rng: Random) -> Iterable[Saying]:
    timetable = Timetable(worn)
    return (_spoilt(saying, timetable.near(saying.at_s), rng) for saying in sayings) if worn else sayings


def _spoilt(saying: Saying, worn: Sequence[Incident], rng: Random) -> Saying:
    if saying.kind != "telemetry":
        return saying
    body = saying.body
    for sensor, _ in active(Worn, worn, saying.at_s):
        body = {m: round(sensor.gain * v + sensor.offset + rng.gauss(0.0, sensor.noise), 6) for m, v in body.items()}
    return saying._replace(body=body)


def _fault(fault: Fault) -> Iterator[Saying]:
    for start_s in fault.starts():
        yield event(start_s, "fault", code=fault.code)
        yield event(start_s + fault.lasts_s, "fault.clear", code=fault.code)


def _said(said: Event) -> Iterator[Saying]:
    for start_s in said.starts():
        yield event(start_s, said.type, **said.data)
        if said.until is not None:
            yield event(start_s + said.lasts_s, said.until, **said.data)


def _silenced(sayings: Iterable[Saying], silences: Sequence[Silence]) -> Iterator[Saying]:
    is_silent, timetable = False, Timetable(silences)
    for saying in sayings:
        silence = next((silence for silence, _ in active(Silence, timetable.near(saying.at_s), saying.at_s)), None)
        if silence is not None and not is_silent and silence.will:
            yield status(saying.at_s, online=False, will=True)
        if silence is None and is_silent:
            yield status(saying.at_s, online=True)
        is_silent = silence is not None
        if not is_silent:
            yield saying


class Line:
    """The way from one device to the broker; `clock` turns scenario seconds into epoch ms."""

    def __init__(self, incidents: Sequence[Incident], clock: Clock, seed: str) -> None:
        self._incidents = Timetable(incidents)
        self._clock = clock
        self._rng = Random(seed)

    def deliver(self, said: Iterable[tuple[float, TimedMessage]]) -> Iterator[TimedMessage]:
        """Yield the messages in the order in which they arrive."""
        waiting: list[tuple[int, int, TimedMessage]] = []
        count = 0
        for at_s, message in said:
            while waiting and waiting[0][0] < message.at_ms:
                yield heapq.heappop(waiting)[2]
            for delayed in self._transmit(at_s, message):
                heapq.heappush(waiting, (delayed.at_ms, count, delayed))
                count += 1
        yield from (heapq.heappop(waiting)[2] for _ in range(len(waiting)))

    def _transmit(self, at_s: float, message: TimedMessage) -> Iterator[TimedMessage]:
        now = self._incidents.near(at_s)
        held_s = next((outage.lasts_s - age for outage, age in active(Outage, now, at_s)), 0.0)
        for reordering, _ in active(Reordering, now, at_s):
            if self._rng.random() < reordering.share:
                held_s += self._rng.uniform(0.0, reordering.delay_s)
        if any(self._rng.random() < losses.share for losses, _ in active(Losses, now, at_s)):
            return
        arrived = message._replace(at_ms=max(message.at_ms, self._clock(at_s + held_s)))
        yield arrived
        yield from self._extras(at_s, arrived)

    def _extras(self, at_s: float, message: TimedMessage) -> Iterator[TimedMessage]:
        now = self._incidents.near(at_s)
        for duplicates, _ in active(Duplicates, now, at_s):
            if self._rng.random() < duplicates.share:
                yield message._replace(at_ms=message.at_ms + self._rng.randrange(100, 3000))
        for malformed, _ in active(Malformed, now, at_s):
            if self._rng.random() < malformed.share and not message.will:
                rubbish = self._rng.choice(_RUBBISH)
                topic = message.topic.rpartition("/")[0] + "/telemetry"
                yield message._replace(topic=topic, payload=rubbish, retain=False)
