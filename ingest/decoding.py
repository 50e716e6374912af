"""Journal records in, segments out: the one place where bytes of devices become readings and signals.

Everything here is a function of the records before: the same records give the same segments, however they are cut into
batches and however often the process restarted between (with `snapshot` and `restore`).
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import numpy as np

from domain.changes import RegisterChange
from domain.errors import CorruptionError, InputError, MalformedPayloadError
from domain.measurands import INDEX
from domain.places import DevicePath
from domain.readings import Quality, Signal
from domain.records import COMMAND, REGISTER, RETAINED, START, THINNED, TICK, Record, RecordBatch, thinned
from domain.slots import SlotTable
from ingest.clocks import LATE_MS, Clocks
from ingest.codecs import native
from ingest.draft import Control, Decoded, Draft, Receipt
from ingest.duplicates import Duplicates
from ingest.topics import Kind, Topic

__all__ = ["Decoded", "Decoder", "Receipt"]

_RETAINED = int(Quality.RETAINED)
_CHANGES = msgspec.json.Decoder(list[RegisterChange])
_TOLD = msgspec.json.Decoder(native.Command)
_BATTERY = np.array([INDEX["battery_pct"]], np.int16).tobytes()
_MAX_SHAPES = 4096  # sets of measurand names remembered: far more than makes of devices
_MAX_UNKNOWN = 256
_MAX_NAME = 64  # longer names are not remembered, so that what is remembered is bounded whatever devices send
_OTHER = "(other)"

ONLINE = "status.online"
OFFLINE = "status.offline"
REPLY = "reply"
COMMANDED = "command"
"""Signals that are no events of wire.md."""


class _Sender(NamedTuple):
    """Who published on a topic, and how to read it; no slot yet for a device that said nothing readable so far.

    `path` and `device` are texts that others keep as well: there is one of each for every topic ever heard.
    """

    path: str
    device: str
    read: Callable[[Draft, int, Record, "_Sender"], bool]
    slot: int | None


class _Shape(NamedTuple):
    """What a set of measurand names comes to: the columns of the `known` ones (int16 as bytes), and the other names."""

    columns: bytes
    known: int
    unknown: tuple[str, ...]


class Decoder:
    """Decodes records in journal order; used by one thread.

    Slots are taken from `slots` as devices first say something readable, at most `unknown_allowance` of them for devices
    for which `is_registered` (asked with the device's name, the third level of its path) is False; further ones are dead
    letters. A dead record changes nothing here. It is no contact, and nor are duplicates and the `offline` that a broker
    publishes for a device that is gone. A retained message is never a duplicate, and is not remembered as seen.

    `unknown_measurands` counts readings by names that are in no table, since this object was made; they are not stored.
    """

    def __init__(
        self,
        slots: SlotTable,
        *,
        is_registered: Callable[[str], bool],
        unknown_allowance: int = 10_000,
        late_ms: int = LATE_MS,
    ) -> None:
        self.unknown_measurands: dict[str, int] = {}
        self._slots = slots
        self._is_registered = is_registered
        self._allowance = unknown_allowance
        self._strangers = 0
        self._registers_changed = False
        self._duplicates = Duplicates(late_ms)
        self._clocks = Clocks(late_ms)
        self._senders: dict[str, _Sender] = {}
        self._shapes: dict[tuple[str, ...], _Shape] = {}
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
        draft, senders = Draft(batch.first_offset), self._senders
        for offset, record in enumerate(batch.records, batch.first_offset):
            sender = senders.get(record.topic)  # first, since it is there for nearly every record
            if sender is None and record.topic.startswith("$"):
                control = self._ours(draft, offset, record)
                if control is not None:
                    yield draft.finish(offset + 1, control)
                    draft = Draft(offset + 1)
                continue
            try:  # a record is read whole, or nothing comes of it
                sender = sender or self._sender(record.topic)
                is_new = sender.read(draft, offset, record, sender)
            except MalformedPayloadError as error:
                draft.dead(offset, record, error)
            else:
                draft.decoded += is_new
                draft.duplicate += not is_new
        if draft.first_offset < batch.end_offset:
            yield draft.finish(batch.end_offset, None)

    def _ours(self, draft: Draft, offset: int, record: Record) -> Control | None:
        """Return what a record of ours says at the end of its segment, or None when it ends none."""
        if record.topic == THINNED:
            self._thinned(draft, offset, record)
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
                sender = self._senders.get(text) or self._sender(text)
                if sender.slot is not None:
                    draft.message(offset, sender.slot, record.received_ms, record.received_ms, 0)

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
        topic = Topic.parse(text)
        if topic.kind not in self._readers:
            raise MalformedPayloadError("topic", f"a {topic.kind} is not for devices to publish")
        path, device = str(topic.path), sys.intern(topic.path.device)
        slot = self._slots.find(path)
        if slot is None:
            return _Sender(path, device, self._readers[topic.kind], None)
        sender = _Sender(self._slots.path(slot), device, self._readers[topic.kind], slot)
        self._senders[text] = sender  # only here, so that what is remembered is bounded by the slots
        return sender

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
        received_ms, payload = record.received_ms, record.payload
        messages = native.telemetry(payload, sender.device)
        slot = self._slot(sender) if sender.slot is None else sender.slot
        retained = _RETAINED if record.flags & RETAINED else 0
        fresh = messages if retained else self._duplicates.fresh(slot, messages, payload, received_ms)
        for message in fresh:
            values = message.v
            names = tuple(values)
            shape = self._shapes.get(names) or self._shape(names)
            if shape.unknown:
                self._count_unknown(shape.unknown)
                values = {name: value for name, value in values.items() if name in INDEX}
            draft.value += values.values()
            draft.measurand += shape.columns
            size = shape.known
            if message.bat is not None:
                draft.measurand += _BATTERY
                draft.value.append(message.bat)
                size += 1
            event_ms, quality = self._clocks.judge(slot, message.ts, received_ms)
            draft.message(offset, slot, received_ms, event_ms, quality | retained, size, message)
        return bool(fresh) or not messages

    def _shape(self, names: tuple[str, ...]) -> _Shape:
        known = [INDEX[name] for name in names if name in INDEX]
        unknown = tuple(name for name in names if name not in INDEX)
        shape = _Shape(np.array(known, np.int16).tobytes(), len(known), unknown)
        if len(self._shapes) < _MAX_SHAPES and all(len(name) <= _MAX_NAME for name in unknown):
            self._shapes[names] = shape
        return shape

    def _count_unknown(self, names: tuple[str, ...]) -> None:
        counts = self.unknown_measurands
        for name in names:
            fits = name in counts or (len(counts) < _MAX_UNKNOWN and len(name) <= _MAX_NAME)
            counted = name if fits else _OTHER
            counts[counted] = counts.get(counted, 0) + 1

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
        retained = _RETAINED if record.flags & RETAINED else 0
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
        self._senders.clear()
