"""The service as a process to be killed, for the crash bench: forked from one that has imported everything, for short lives."""

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Self

from emberwatch import worker
from emberwatch.cli import serve
from emberwatch.settings import Settings

_UP = b"is up"
_UP_WITHIN_S = 60.0
_LOOK_S = 0.01
_SNAPSHOT_EVERY_S = 0.5
"""Far more often than in real life, so that some die while a snapshot is written."""

_FORK = multiprocessing.get_context("forkserver")
_FORK.set_forkserver_preload([__name__, "emberwatch.cli"])


class Service:
    """`with Service(settings, log) as service`: alive in the block, killed with SIGKILL at its end. `log` is appended to."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._log = log
        self._process = _FORK.Process(target=_serve, args=(settings, log), daemon=True)
        self._said = 0

    def __enter__(self) -> Self:
        self._said = self._log.stat().st_size if self._log.exists() else 0
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def wait_until_up(self) -> None:
        """Wait until it says that it is up; raise RuntimeError with its last words when it does not."""
        end = time.monotonic() + _UP_WITHIN_S
        while _UP not in (said := self._log.read_bytes()[self._said :] if self._log.exists() else b""):
            if not self._process.is_alive() or time.monotonic() > end:
                raise RuntimeError(f"the service did not start: {said[-2000:].decode(errors='replace')}")
            time.sleep(_LOOK_S)


def _serve(settings: Settings, log: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bench, which kills us then
    with log.open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    worker._SNAPSHOT_EVERY_S = _SNAPSHOT_EVERY_S  # noqa: SLF001  nobody else wants it otherwise
    serve.serve(settings, 0)
