"""The channel of last resort and of demonstrations: messages as JSON lines in a file, the recipient by code only."""

import os
from pathlib import Path

import msgspec

from alerting.notifier import DeliveryError, Message
from alerting.together import Together


class FileNotifier:
    """Appends to `path` (made with its folder when missing), each message safe on disk before `send` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._append_together = Together(self._append)

    async def send(self, message: Message) -> None:
        try:
            await self._append_together(msgspec.json.encode(_masked(message)) + b"\n")
        except OSError as error:
            raise DeliveryError(f"cannot write {self._path.name}: {error.strerror}") from error

    def _append(self, lines: list[bytes]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())


def _masked(message: Message) -> dict[str, object]:
    """Return the message's fields with the recipient's code in place of the recipient."""
    return {**msgspec.structs.asdict(message), "recipient": message.recipient.code}
