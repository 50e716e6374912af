"""The port behind which a way of telling people stands: one message, one person, sent or not."""

from typing import Protocol

import msgspec

from domain.errors import EngineError
from registers.inspector import Inspector


class DeliveryError(EngineError):
    """A message was not delivered. `permanent`: trying the same way again is useless. Its text must hold no personal data."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What one inspector is told of one notice. `title` and `text` are Chinese and free of personal data.

    `kind` and `subject` are the notice's (`alarm.raise`, `alarm/17`); `reason` says why this inspector is told.
    A notifier takes the address from `recipient` and writes it nowhere.
    """

    notice: int
    kind: str
    subject: str
    at_ms: int
    severity: int | None
    title: str
    text: str
    reason: str
    recipient: Inspector


class Notifier(Protocol):
    """One channel."""

    async def send(self, message: Message) -> None:
        """Deliver, durably on return; raise DeliveryError otherwise. May be called twice for one message after a crash."""
        ...
