"""How far a history server has been filled, in a small file of ours beside the journal that the offset is of.

It names the server: with another one it begins at 0, and what the journal still holds is read again. Delete it for the same
effect, after the server was restored from an old backup, say.
"""

import os
from pathlib import Path

import msgspec

from domain.errors import CorruptionError, EngineError


class _Progress(msgspec.Struct):
    server: str
    offset: int


class ProgressFile:
    """One offset, replaced whole or not at all."""

    def __init__(self, path: Path, server: str) -> None:
        self._path = path
        self._server = server

    def load(self) -> int:
        """Return the offset, 0 when there is none for this server; raise CorruptionError when the file is damaged."""
        try:
            progress = msgspec.json.decode(self._path.read_bytes(), type=_Progress)
        except FileNotFoundError:
            return 0
        except (OSError, msgspec.DecodeError) as error:
            raise CorruptionError(f"cannot read {self._path}: {error}; delete it to fill the history again") from error
        return progress.offset if progress.server == self._server else 0

    def save(self, offset: int) -> None:
        """Store the offset durably; raise EngineError when the disk refuses."""
        temporary = self._path.with_suffix(".tmp")
        try:
            with temporary.open("wb") as file:
                file.write(msgspec.json.encode(_Progress(self._server, offset)))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            raise EngineError(f"cannot write {self._path}: {error}") from error
