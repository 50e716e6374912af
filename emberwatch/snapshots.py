"""Detector state on disk, so that a restart replays minutes instead of years.

A snapshot is never the truth (the journal is): one that cannot be read is set aside and an older one, or none, is used.
"""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import zstandard

import detectors
import domain
import ingest
import registers
from domain.errors import CorruptionError, EngineError
from emberwatch import __version__

_LOG = logging.getLogger(__name__)
_ARRAY = 1
_DIGEST = 32


class Snapshot(NamedTuple):
    """State after all records before `offset`; `version` of the code that made it."""

    offset: int
    version: str
    state: dict[str, Any]


def encode(state: Any) -> bytes:
    """Return msgpack bytes of plain values and NumPy arrays."""
    return msgspec.msgpack.encode(state, enc_hook=_pack)


def decode(data: bytes) -> Any:
    """Return what `encode` was given; arrays are fresh and writable."""
    return msgspec.msgpack.decode(data, ext_hook=_unpack)


def _pack(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        parts = (value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes())
        return msgspec.msgpack.Ext(_ARRAY, msgspec.msgpack.encode(parts))
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"a snapshot cannot hold {type(value).__name__}")


def _unpack(code: int, data: memoryview) -> Any:
    if code != _ARRAY:
        raise CorruptionError(f"a snapshot holds unknown type {code}")
    dtype, shape, raw = msgspec.msgpack.decode(bytes(data))
    return np.frombuffer(raw, dtype=np.dtype(dtype)).reshape(shape).copy()


def code_version(rules: Mapping[str, Mapping[str, float]]) -> str:
    """Return a digest of all that gives state its meaning, code and rule settings: other state is replayed, not restored."""
    digest = hashlib.sha256(msgspec.json.encode(rules, order="deterministic"))
    for room in (detectors, domain, ingest, registers):
        folder = Path(room.__path__[0])
        for file in sorted(folder.rglob("*.py")):
            digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return f"{__version__}-{digest.hexdigest()[:16]}"


class SnapshotStore:
    """Snapshots in one folder, named by offset; written whole or not at all."""

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self.version = version
        """Of the code and rule settings whose state is kept."""
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, offset: int, state: dict[str, Any]) -> None:
        """Write the state after all records before `offset`; raise EngineError when the disk refuses."""
        body = zstandard.compress(encode((offset, self.version, state)), 3)
        target = self._path(offset)
        temporary = target.with_suffix(".tmp")
        try:
            with temporary.open("wb") as file:
                file.write(hashlib.sha256(body).digest() + body)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except OSError as error:
            raise EngineError(f"cannot write snapshot {target}: {error}") from error

    def newest(self, at_most: int) -> Snapshot | None:
        """Return the newest readable snapshot with offset ≤ `at_most`: one of our own version, else of another."""
        other = None
        for path in self._files():
            if int(path.stem) > at_most:
                continue
            snapshot = self._load(path)
            if snapshot is not None and self.is_ours(snapshot):
                return snapshot
            other = other or snapshot
        return other

    def is_ours(self, snapshot: Snapshot) -> bool:
        """Whether the snapshot was made by the same code with the same rule settings: only then its state means the same."""
        return snapshot.version == self.version

    def prune(self, needed_offset: int, keep: int = 2) -> int:
        """Drop all but the newest `keep` and the newest at or before `needed_offset`; return the oldest offset left."""
        files = list(self._files())
        behind = [path for path in files if int(path.stem) <= needed_offset]
        kept = set(files[:keep]) | set(behind[:1])
        for path in files:
            if path not in kept:
                path.unlink(missing_ok=True)
        return min((int(path.stem) for path in kept), default=0)

    def _load(self, path: Path) -> Snapshot | None:
        try:
            data = path.read_bytes()
            body = data[_DIGEST:]
            if hashlib.sha256(body).digest() == data[:_DIGEST]:
                return Snapshot(*decode(zstandard.decompress(body)))
        except OSError as error:
            _LOG.error("snapshot %s cannot be read: %s", path.name, error)
            return None
        _LOG.error("snapshot %s is damaged; using an older one", path.name)
        return None

    def _path(self, offset: int) -> Path:
        return self._folder / f"{offset:020d}.snapshot"

    def _files(self) -> Iterator[Path]:
        files = (path for path in self._folder.glob("*.snapshot") if path.stem.isdecimal())
        yield from sorted(files, reverse=True)
