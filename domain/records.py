"""What the journal holds: records in order, as the collector took them off the wire, and the port they are kept behind.

Topics that begin with `$` are ours: a tick (time went on), a register change, a start of the service. Everything later
in the house is a function of these records, so no other clock and no other input may reach a detector.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np

from domain.errors import CorruptionError

TICK = "$tick"
"""Payload empty: time went on to `received_ms`."""
REGISTER = "$register"
"""Payload: a JSON array of registers.changes.RegisterChange."""
COMMAND = "$command/"
"""Prefix of `$command/area/site/device`; payload: the bytes of the command that we sent to that device (wire.md)."""
START = "$start"
"""Payload empty: the service (re)started; silence before this record may be ours, not the devices'."""
THINNED = "$thinned"
"""Payload: a JSON object topic → how many messages were left out at the door because the machine could not keep up."""
SERVICE = "$service"
"""Payload: a JSON object trouble → facts: all that hampers the service itself now, told at its start and at every change."""

RETAINED = 1
"""Flag: the broker sent a stored message, not a fresh one."""
REDELIVERED = 2
"""Flag: the MQTT DUP bit; the message may have been journalled before."""


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One message: when we received it (epoch ms), topic, payload bytes as received, flags (RETAINED | REDELIVERED).

    A Struct, because it is made for every message: six times as cheap as a named tuple, and no work for the collector of cycles.
    """

    received_ms: int
    topic: str
    payload: bytes
    flags: int = 0


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Consecutive records; record `i` has offset `first_offset + i`."""

    first_offset: int
    records: Sequence[Record]

    @property
    def end_offset(self) -> int:
        """One past the last record's offset."""
        return self.first_offset + len(self.records)


STRETCH_BYTES = 8 * 1024 * 1024
"""About how much a stored batch may weigh, and a read may give: devices choose how long their messages are."""
RECORD_BYTES = 300
"""What a record takes in memory besides topic and payload; a tick is little else."""


def weights(records: Sequence[Record]) -> list[int]:
    """Return about how many bytes each record takes in memory."""
    return [len(record.topic) + len(record.payload) + RECORD_BYTES for record in records]


def stretches(records: Sequence[Record]) -> Iterator[tuple[tuple[Record, ...], int]]:
    """Cut records to be appended into stored batches: yield each, little heavier than STRETCH_BYTES, and its weight."""
    totals = np.cumsum(weights(records))
    begin = before = 0
    while begin < len(records):
        end = min(int(np.searchsorted(totals, before + STRETCH_BYTES)) + 1, len(records))
        total = int(totals[end - 1])
        yield tuple(records[begin:end]), total - before
        begin, before = end, total


class JournalInfo(NamedTuple):
    """`[start, end)` are the offsets held; `device_records` counts the messages of devices ever taken in (`taken_in`).

    `bytes`: the room it takes.
    """

    start: int
    end: int
    device_records: int
    bytes: int
    first_ms: int | None
    last_ms: int | None


class Journal(Protocol):
    """An append-only log of records with dense offsets from 0. One writer; readers may be other threads.

    Every method raises EngineError when the engine fails (nothing half-done is ever visible) and CorruptionError when
    stored bytes fail their checksum.
    """

    def append(self, records: Sequence[Record]) -> int:
        """Append all or nothing, durable on return (survives power loss); return the offset of the first.

        It becomes one stored batch, or several where it is long (`stretches`).
        """
        ...

    def read(self, offset: int, limit: int) -> RecordBatch:
        """Return up to about `limit` records and STRETCH_BYTES from `offset` on (empty at the end).

        Never splits a stored batch except at `offset`, so more than `limit` may come. An offset before `start` begins at `start`.
        """
        ...

    def info(self) -> JournalInfo:
        """Return what is held now."""
        ...

    def trim(self, before: int) -> int:
        """Drop whole stored batches that end at or before `before`; return the new start. Never drops the last batch."""
        ...

    def begin_at(self, offset: int, device_records: int) -> None:
        """Let an empty journal continue the count of a lost one: the next record gets `offset`, `device_records` were before it.

        Raises EngineError when it holds anything.
        """
        ...

    def skip(self, offset: int) -> tuple[int, int]:
        """Return where the stored batch after the one at `offset` begins, and how many messages of devices it is passed over.

        For a batch that `read` cannot give: what surrounds it tells how many there were.
        """
        ...

    def close(self) -> None:
        """Release files; further calls raise EngineError."""
        ...


_thinned = msgspec.json.Decoder(dict[str, int])


def thinned(record: Record) -> dict[str, int]:
    """Return how many messages of which topics a THINNED record stands for; raise CorruptionError if it is none."""
    try:
        return _thinned.decode(record.payload)
    except ValueError as error:
        raise CorruptionError(f"a record of what was left out cannot be read: {error}") from error


_troubles = msgspec.json.Decoder(dict[str, dict[str, Any]])


def troubles(record: Record) -> dict[str, dict[str, Any]]:
    """Return the facts of each trouble that a SERVICE record tells; raise CorruptionError if it is none."""
    try:
        return _troubles.decode(record.payload)
    except ValueError as error:
        raise CorruptionError(f"a record of what hampers us cannot be read: {error}") from error


def taken_in(records: Sequence[Record]) -> int:
    """Return how many messages of devices these records stand for: one each, more for THINNED, none for others of ours."""
    ours = [record for record in records if record.topic.startswith("$")]
    return len(records) - len(ours) + sum(sum(thinned(r).values()) for r in ours if r.topic == THINNED)


class Damage(NamedTuple):
    """Records `[offset, end)` cannot be read any more; among them were `messages` of devices."""

    offset: int
    end: int
    messages: int
    problem: str


def read_on(journal: Journal, offset: int, limit: int) -> tuple[RecordBatch, Damage | None]:
    """Return what `read` gives; where it cannot, an empty batch and the damage: go on at its end.

    One damaged batch must not silence all that came after it. What stands whole before it is given first.
    """
    try:
        return journal.read(offset, limit), None
    except CorruptionError:
        pass
    try:
        return journal.read(offset, 1), None
    except CorruptionError as error:
        end, messages = journal.skip(offset)
        return RecordBatch(end, ()), Damage(offset, end, messages, str(error))


def batches(journal: Journal, offset: int, end: int, limit: int = 10_000) -> Iterator[RecordBatch]:
    """Yield batches from `offset` up to `end` (records at or past `end` are cut off); what is damaged is passed over."""
    while offset < end:
        batch, damage = read_on(journal, offset, min(limit, end - offset))
        if damage is not None:
            offset = damage.end
            continue
        if not batch.records:
            return
        if batch.end_offset > end:
            batch = RecordBatch(batch.first_offset, batch.records[: end - batch.first_offset])
        yield batch
        offset = batch.end_offset
