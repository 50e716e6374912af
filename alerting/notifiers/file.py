"""The channel of last resort and of demonstrations: messages as JSON lines in a file, the recipient by code only."""

import asyncio
import os
from pathlib import Path

import msgspec

from alerting.notifier import DeliveryError, Message


class FileNotifier:
    """Appends to `path` (made with its folder when missing), each message safe on disk before `send` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._one_at_a_time = asyncio.Lock()

    async def send(self, message: Message) -> None:
        line = msgspec.json.encode(_masked(message)) + b"\n"
        async with self._one_at_a_time:
            try:
                await asyncio.to_thread(self._append, line)
            except OSError as error:
                raise DeliveryError(f"cannot write {self._path.name}: {error.strerror}") from error

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _masked(message: Message) -> dict[str, object]:
    """Return the message's fields with the recipient's code in place of the recipient."""
    return {**msgspec.structs.asdict(message), "recipient": message.recipient.code}
