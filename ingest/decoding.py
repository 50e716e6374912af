"""Journal records in, segments out: the one place where bytes of devices become readings and signals.

Everything here is a function of the records before: the same records give the same segments, however they are cut into
batches and however often the process restarted between (with `snapshot` and `restore`).
"""

import itertools
import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from domain.changes import RegisterChange
from domain.errors import CorruptionError, InputError, MalformedPayloadError
from domain.places import DevicePath
from domain.readings import Quality, Signal
from domain.records import (
    COMMAND,
    REGISTER,
    RETAINED,
    SERVICE,
    START,
    THINNED,
    TICK,
    Record,
    RecordBatch,
    thinned,
    troubles,
)
from domain.slots import SlotTable
from ingest.clocks import LATE_MS, Clocks
from ingest.codecs import native
from ingest.draft import Control, Decoded, Draft, Receipt
from ingest.duplicates import Duplicates
from ingest.telemetry import Reader, Run
from ingest.topics import Kind, Topic

__all__ = ["Decoded", "Decoder", "Receipt"]

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)
_RETAINED = int(Quality.RETAINED)
_CHANGES = msgspec.json.Decoder(list[RegisterChange])
_TOLD = msgspec.json.Decoder(native.Command)
_FEW = 24
"""Shorter runs of telemetry are read one by one, since arrays have a price of their own."""
_WINDOW, _MOST = 64, 4096
"""So far ahead a run is looked for after one that was cut short, and at most."""

_OURSELVES = "emberwatch/service/self"

ONLINE = "status.online"
OFFLINE = "status.offline"
REPLY = "reply"
COMMANDED = "command"
"""Signals that are no events of wire.md."""


class _Sender(NamedTuple):
    """Who published on a topic, and how to read it; no slot yet for a device that said nothing readable so far."""

    path: str
    device: str
    read: Callable[[Draft, int, Record, "_Sender"], bool]
    slot: int | None


class Decoder:
    """Decodes records in journal order; used by one thread.

    Slots are taken from `slots` as devices first say something readable, at most `unknown_allowance` of them for devices
    for which `is_registered` (asked with the device's name, the third level of its path) is False; further ones are dead
    letters. A dead record changes nothing here. It is no contact, and nor are duplicates and the `offline` that a broker
    publishes for a device that is gone. A retained message is never a duplicate, and is not remembered as seen.
    A record that a bug of ours cannot read is a dead letter too (`bug`), and changes as little as we can help.
    """

    def __init__(
        self,
        slots: SlotTable,
        *,
        is_registered: Callable[[str], bool],
        unknown_allowance: int = 10_000,
        late_ms: int = LATE_MS,
    ) -> None:
        self._slots = slots
        self._is_registered = is_registered
        self._allowance = unknown_allowance
        self._strangers = 0
        self._registers_changed = False
        self._duplicates = Duplicates(late_ms)
        self._clocks = Clocks(late_ms)
        self._reader = Reader(self._duplicates, self._clocks)
        self._speakers: dict[str, int] = {}
        self._window = _MOST
        self._readers = {
            Kind.TELEMETRY: self._telemetry,
            Kind.EVENT: self._event,
            Kind.STATUS: self._status,
            Kind.REPLY: self._reply,
        }

    def decode(self, batch: RecordBatch) -> Iterator[Decoded]:
        """Yield a segment for every control record and one for the rest.

        Lazy: process each before asking for the next, because a register change at its end may register devices. Raises
        CorruptionError when a record of ours cannot be read.
        """
        draft, at, records = Draft(batch.first_offset), 0, batch.records
        while at < len(records):
            ahead = records[at : at + self._window]
            run = self._run(ahead)
            is_whole = len(run.messages) == len(ahead)
            self._window = min(_MOST, 8 * self._window) if is_whole else max(_WINDOW, 2 * len(run.messages))
            if len(run.messages) >= _FEW:
                self._many(draft, batch.first_offset + at, run)
                at += len(run.messages)
                continue
            for record in records[at : at + len(run.messages) + 1]:
                offset, at = batch.first_offset + at, at + 1
                control = self._one(draft, offset, record)
                if control is not None:
                    yield draft.finish(offset + 1, control)
                    draft = Draft(offset + 1)
        if draft.first_offset < batch.end_offset:
            yield draft.finish(batch.end_offset, None)

    def _run(self, records: Sequence[Record]) -> Run:
        """Return the first records that can be read many at once: telemetry of known devices, one message each."""
        slots = _until_none([self._speakers.get(record.topic) for record in records])
        run = records[: len(slots)]
        if any(flags & RETAINED for flags in {record.flags for record in run}):
            run = _until_none([None if record.flags & RETAINED else record for record in run])
        messages = native.singles([record.payload for record in run])
        if any(message.device is not None or message.device_id is not None for message in messages):
            names = [self._slots.device(slot) for slot in slots]
            pairs = zip(messages, names, strict=False)
            messages = _until_none([message if native.is_of(message, name) else None for message, name in pairs])
        return Run(slots[: len(messages)], run[: len(messages)], messages)

    def _many(self, draft: Draft, first_offset: int, run: Run) -> None:
        before = draft.mark()
        try:
            fresh = self._reader.many(draft, first_offset, run)
        except Exception as error:  # noqa: BLE001  a bug of ours: what is wrong with one must not end the others
            _report(first_offset, error)
            draft.undo(before)
            # They may be remembered as seen by now: rather twice than not at all.
            for offset, record, slot, message in zip(
                itertools.count(first_offset), run.records, run.slots, run.messages
            ):
                with self._quarantine(draft, offset, record):
                    self._reader.add(draft, offset, record.received_ms, slot, (message,))
                    draft.decoded += 1
        else:
            draft.decoded += fresh
            draft.duplicate += len(run.messages) - fresh

    def _one(self, draft: Draft, offset: int, record: Record) -> Control | None:
        """Read one record of any kind; return what it says if it ends a segment."""
        if record.topic.startswith("$"):
            return self._ours(draft, offset, record)
        with self._quarantine(draft, offset, record):
            sender = self._sender(record.topic)
            is_new = sender.read(draft, offset, record, sender)
            draft.decoded += is_new
            draft.duplicate += not is_new
        return None

    @contextmanager
    def _quarantine(self, draft: Draft, offset: int, record: Record) -> Iterator[None]:
        """Read a record inside: it is read whole, or it is a dead letter and nothing comes of it."""
        before = draft.mark()
        try:
            yield
        except MalformedPayloadError as error:
            draft.dead(offset, record, error)
        except Exception as error:  # noqa: BLE001  a bug of ours: one record must not end the service, fire alarms with it
            _report(offset, error)
            draft.undo(before)
            draft.dead(offset, record, MalformedPayloadError("bug", type(error).__name__))

    def _ours(self, draft: Draft, offset: int, record: Record) -> Control | None:
        """Return what a record of ours says at the end of its segment, or None when it ends none."""
        if record.topic == THINNED:
            self._thinned(draft, offset, record)
            return None
        if record.topic == SERVICE:
            self._service(draft, offset, record)
            return None
        if record.topic.startswith(COMMAND):
            draft.signals.append(self._command(offset, record))
        return self._control(offset, record)

    def _thinned(self, draft: Draft, offset: int, record: Record) -> None:
        """Take a device whose messages were left out for what it is: alive, though we do not know what it said."""
        draft.control += 1
        for text, count in thinned(record).items():
            draft.thinned += count
            with suppress(MalformedPayloadError):  # a topic that is none of ours is nobody's sign of life
                sender = self._sender(text)
                if sender.slot is not None:
                    draft.message(offset, sender.slot, record.received_ms, record.received_ms, 0)

    def _service(self, draft: Draft, offset: int, record: Record) -> None:
        """Take what we say of ourselves as a signal, in order with what devices say."""
        draft.control += 1
        slot, at_ms = self._slots.take(_OURSELVES), record.received_ms
        draft.signals.append(Signal(offset, slot, SERVICE, troubles(record), at_ms, at_ms))

    def _control(self, offset: int, record: Record) -> Control:
        if record.topic == TICK:
            return Control(tick_ms=record.received_ms)
        if record.topic == START:
            return Control(started_ms=record.received_ms)
        if record.topic != REGISTER:
            return Control()
        self._registers_changed = True
        try:
            changes = _CHANGES.decode(record.payload)
        except ValueError as error:
            raise CorruptionError(f"record {offset} is no list of register changes: {error}") from error
        return Control(changes=tuple(changes), changed_ms=record.received_ms)

    def _command(self, offset: int, record: Record) -> Signal:
        """Return what we told a device as a signal of its slot, in order with what it answers."""
        try:
            path = DevicePath.parse(record.topic.removeprefix(COMMAND))
            told = _TOLD.decode(record.payload)
        except (InputError, ValueError) as error:
            raise CorruptionError(f"record {offset} is no command: {error}") from error
        data = {"id": told.id, "type": str(told.type), "by": told.by, "expires": told.expires}
        at_ms = record.received_ms
        return Signal(offset, self._slots.take(str(path)), COMMANDED, data, at_ms, at_ms)

    def _sender(self, text: str) -> _Sender:
        slot = self._speakers.get(text)
        if slot is not None:
            return _Sender(self._slots.path(slot), self._slots.device(slot), self._telemetry, slot)
        topic = Topic.parse(text)
        if topic.kind not in self._readers:
            raise MalformedPayloadError("topic", f"a {topic.kind} is not for devices to publish")
        path = str(topic.path)
        slot = self._slots.find(path)
        if slot is not None and topic.kind is Kind.TELEMETRY:
            self._speakers[text] = slot  # only here, so that what is remembered is bounded by the slots
        return _Sender(path, topic.path.device, self._readers[topic.kind], slot)

    def _slot(self, sender: _Sender) -> int:
        """Return the sender's slot: a new one if it may have one."""
        if sender.slot is not None:
            return sender.slot
        if not self._is_registered(sender.device):
            if self._strangers >= self._allowance and self._registers_changed:
                self._count_strangers()
            if self._strangers >= self._allowance:
                raise MalformedPayloadError(
                    "unknown_device_limit", f"{self._allowance} unregistered devices speak already"
                )
            self._strangers += 1
        return self._slots.take(sender.path)

    def _count_strangers(self) -> None:
        """Count again, because some may have been registered since they first spoke."""
        names = (path.rpartition("/")[2] for path in self._slots.paths())
        self._strangers = sum(not self._is_registered(name) for name in names)
        self._registers_changed = False

    def _telemetry(self, draft: Draft, offset: int, record: Record, sender: _Sender) -> bool:
        messages = native.telemetry(record.payload, sender.device)
        slot = self._slot(sender) if sender.slot is None else sender.slot
        return self._reader.one(draft, offset, record, slot, messages, _retained(record))

    def _event(self, draft: Draft, offset: int, record: Record, sender: _Sender) -> bool:
        event = native.event(record.payload, sender.device)
        slot = self._slot(sender)
        if event.seq is not None:
            draft.receipts.append(Receipt(sender.path, event.boot, event.seq))
        return self._rare(draft, offset, record, slot, event, event.type, event.data)

    def _status(self, draft: Draft, offset: int, record: Record, sender: _Sender) -> bool:
        status = native.status(record.payload, sender.device)
        kind = ONLINE if status.online else OFFLINE
        return self._rare(draft, offset, record, self._slot(sender), status, kind, {})

    def _reply(self, draft: Draft, offset: int, record: Record, sender: _Sender) -> bool:
        reply = native.reply(record.payload, sender.device)
        data = {"id": reply.id, "ok": reply.ok, "state": reply.state}
        return self._rare(draft, offset, record, self._slot(sender), reply, REPLY, data)

    def _rare(
        self,
        draft: Draft,
        offset: int,
        record: Record,
        slot: int,
        message: native.Message,
        kind: str,
        data: dict[str, Any],
    ) -> bool:
        """Add one signal, unless it is a repeat."""
        retained = _retained(record)
        if not retained and not self._duplicates.is_fresh_event(slot, message, record.payload, record.received_ms):
            return False
        received_ms = record.received_ms
        event_ms, quality = self._clocks.judge(slot, message.ts, received_ms)
        quality |= retained
        draft.signals.append(
            Signal(offset, slot, kind, data, event_ms, received_ms, quality, message.boot, message.seq)
        )
        if kind != OFFLINE:
            draft.message(offset, slot, received_ms, event_ms, quality, head=message)
        return True

    @property
    def unknown_measurands(self) -> dict[str, int]:
        """How many readings came by names that are in no table, since this object was made; they are not stored."""
        return self._reader.unknown_measurands

    def snapshot(self) -> dict[str, Any]:
        """Return all state as msgpack-able values; the slots are the caller's to keep."""
        return {
            "strangers": self._strangers,
            "registers_changed": self._registers_changed,
            "duplicates": self._duplicates.snapshot(),
            "clocks": self._clocks.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Become the state that `snapshot` gave; `slots` must be what they were then."""
        self._strangers = state["strangers"]
        self._registers_changed = state["registers_changed"]
        self._duplicates.restore(state["duplicates"])
        self._clocks.restore(state["clocks"])
        self._speakers.clear()


def _report(offset: int, error: Exception) -> None:
    where = "".join(traceback.format_tb(error.__traceback__))  # without its words: they may quote a device
    _LOG.error("record %d cannot be read: %s\n%s", offset, type(error).__name__, where)


def _until_none(items: Sequence[_T | None]) -> list[_T]:
    """Return the items before the first None."""
    return cast("list[_T]", list(items[: items.index(None)] if None in items else items))


def _retained(record: Record) -> int:
    return _RETAINED if record.flags & RETAINED else 0
