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
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []

    async def send(self, message: Message) -> None:
        line = msgspec.json.encode(_masked(message)) + b"\n"
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((line, written))
        async with self._one_at_a_time:  # whoever is next writes what all wait for
            if not written.done():
                await self._write()
        try:
            await written
        except OSError as error:
            raise DeliveryError(f"cannot write {self._path.name}: {error.strerror}") from error

    async def _write(self) -> None:
        lines, self._waiting = self._waiting, []
        error: OSError | None = None
        try:
            await asyncio.to_thread(self._append, b"".join(line for line, _ in lines))
        except OSError as failure:
            error = failure
        for _, written in lines:
            if written.cancelled():
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _masked(message: Message) -> dict[str, object]:
    """Return the message's fields with the recipient's code in place of the recipient."""
    return {**msgspec.structs.asdict(message), "recipient": message.recipient.code}
