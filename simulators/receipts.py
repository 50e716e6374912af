"""Events on their way: a device repeats each until its receipt comes (wire.md), since a PUBACK only says that a broker has it."""

from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from domain.errors import InputError
from ingest.topics import Kind, Topic
from simulators.device import TimedMessage

_REPEAT_S = (5.0, 60.0)
_REPEATS = 10  # then the device's buffer is full of newer things


class Receipt(msgspec.Struct, frozen=True):
    """Which event has arrived; also how an event names itself."""

    boot: int
    seq: int


_receipt = msgspec.json.Decoder(Receipt)


@dataclass(slots=True)
class _Waiting:
    message: TimedMessage
    due_s: float
    pause_s: float = _REPEAT_S[0]
    tries: int = 1


@dataclass(slots=True)
class Unconfirmed:
    """Events that were sent and whose receipt has not come, by device path, boot and seq."""

    events: dict[tuple[str, int, int], _Waiting] = field(default_factory=dict)

    def add(self, message: TimedMessage, now_s: float) -> None:
        """Remember an event; a device that loses its power forgets its events instead."""
        address = Topic.parse(message.topic)
        if message.will:
            self.events = {key: waiting for key, waiting in self.events.items() if key[0] != str(address.path)}
        elif address.kind is Kind.EVENT:
            event = _receipt.decode(message.payload)
            waiting = _Waiting(message, now_s + _REPEAT_S[0])
            self.events.setdefault((str(address.path), event.boot, event.seq), waiting)

    def confirm(self, receipt_topic: str, payload: bytes) -> None:
        """Forget an event whose receipt came; a receipt that cannot be read is none."""
        with suppress(msgspec.DecodeError, InputError):
            receipt = _receipt.decode(payload)
            self.events.pop((str(Topic.parse(receipt_topic).path), receipt.boot, receipt.seq), None)

    def due(self, now_s: float) -> list[TimedMessage]:
        """Return the events to send again, each after a pause twice as long as the last; give up after ten times."""
        self.events = {key: waiting for key, waiting in self.events.items() if waiting.tries <= _REPEATS}
        due = [waiting for waiting in self.events.values() if waiting.due_s <= now_s]
        for waiting in due:
            waiting.tries += 1
            waiting.pause_s = min(2 * waiting.pause_s, _REPEAT_S[1])
            waiting.due_s = now_s + waiting.pause_s
        return [waiting.message for waiting in due]
