"""The thread in which the pipeline runs: reads on when the journal grew, commits, takes snapshots, waits out a failing store."""

import logging
import threading
import time
from collections.abc import Callable

from domain.errors import EngineError
from emberwatch.pipeline import Pipeline

_LOG = logging.getLogger(__name__)
_COMMIT_EVERY_S = 1.0
_SNAPSHOT_EVERY_S = 60.0
_MOST_BACKOFF_S = 10.0
_REST_S = 0.02
_MANY = 2_000
"""Fewer records than this at a time are worth a rest: every detector has a price a segment, whatever is in it."""


class Worker:
    """Owns the pipeline between `start` and `stop`; `failed` is called once if it dies of a bug."""

    def __init__(self, pipeline: Pipeline, failed: Callable[[BaseException], None]) -> None:
        self.pipeline = pipeline
        self.healthy = True
        self._failed = failed
        self._grew = threading.Event()
        self._stopping = threading.Event()
        self._committed_at = self._saved_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)

    def start(self) -> None:
        """Begin; the pipeline must have recovered."""
        self._thread.start()

    def wake(self) -> None:
        """Say that the journal grew; from any thread."""
        self._grew.set()

    def stop(self, timeout_s: float = 30.0) -> None:
        """Decide what is left in the journal, commit, save a snapshot, end."""
        self._stopping.set()
        self._grew.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except BaseException as error:  # noqa: BLE001  whatever it is, the service must not look alive without its pipeline
            self.healthy = False
            _LOG.exception("the pipeline stopped")
            self._failed(error)

    def _turn(self) -> bool:
        """Read and commit once; return whether to go on."""
        self._grew.clear()
        try:
            count = self.pipeline.read()
            self._commit_if_due()
        except EngineError as error:
            self._wait_out(error)
            return not self._stopping.is_set()
        if count == 0 and self._stopping.is_set():
            self._save()
            return False
        if count == 0:
            self._grew.wait(_COMMIT_EVERY_S)
        elif count < _MANY:
            self._stopping.wait(_REST_S)
        return True

    def _commit_if_due(self) -> None:
        now = time.monotonic()
        if now - self._saved_at >= _SNAPSHOT_EVERY_S:
            self._save()
            self._saved_at = now
        elif self.pipeline.matters or now - self._committed_at >= _COMMIT_EVERY_S:
            self.pipeline.commit()
            self._committed_at = now

    def _save(self) -> None:
        self.pipeline.commit()
        self.pipeline.save()

    def _wait_out(self, error: EngineError) -> None:
        """Keep what was decided and try to commit it until it works; read nothing more meanwhile."""
        _LOG.error("decisions wait: %s", error)
        self.healthy, delay = False, 0.2
        while not self._stopping.wait(delay):
            try:
                self.pipeline.commit()
            except EngineError:
                delay = min(delay * 2, _MOST_BACKOFF_S)
            else:
                _LOG.warning("decisions are committed again")
                self.healthy = True
                return
