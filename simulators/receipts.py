"""Events on their way: a device repeats each until its receipt comes (wire.md), since a PUBACK only says that a broker has it."""

from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from domain.errors import InputError
from ingest.codecs.native import Receipt
from ingest.topics import Kind, Topic
from simulators.device import TimedMessage

_REPEAT_S = (5.0, 60.0)
_REPEATS = 10  # then the device's buffer is full of newer things

_receipt = msgspec.json.Decoder(Receipt)  # an event names itself in the same two fields


@dataclass(slots=True)
class _Waiting:
    message: TimedMessage
    due_s: float
    pause_s: float = _REPEAT_S[0]
    tries: int = 1


@dataclass(slots=True)
class Unconfirmed:
    """Events that were sent and whose receipt has not come, by device path and what their receipt will say."""

    events: dict[tuple[str, Receipt], _Waiting] = field(default_factory=dict)

    def add(self, message: TimedMessage, now_s: float) -> None:
        """Remember an event; a device that loses its power forgets its events instead."""
        address = Topic.parse(message.topic)
        if message.will:
            self.events = {key: waiting for key, waiting in self.events.items() if key[0] != str(address.path)}
        elif address.kind is Kind.EVENT:
            key = str(address.path), _receipt.decode(message.payload)
            self.events.setdefault(key, _Waiting(message, now_s + _REPEAT_S[0]))

    def confirm(self, receipt_topic: str, payload: bytes) -> None:
        """Forget an event whose receipt came; a receipt that cannot be read is none."""
        with suppress(msgspec.DecodeError, InputError):
            self.events.pop((str(Topic.parse(receipt_topic).path), _receipt.decode(payload)), None)

    def due(self, now_s: float) -> list[TimedMessage]:
        """Return the events to send again, each after a pause twice as long as the last; give up after ten times."""
        self.events = {key: waiting for key, waiting in self.events.items() if waiting.tries <= _REPEATS}
        due = [waiting for waiting in self.events.values() if waiting.due_s <= now_s]
        for waiting in due:
            waiting.tries += 1
            waiting.pause_s = min(2 * waiting.pause_s, _REPEAT_S[1])
            waiting.due_s = now_s + waiting.pause_s
        return [waiting.message for waiting in due]
