"""Claims about the thread that feeds history: it does not die unseen."""

import logging
import queue
from collections.abc import Sequence
from pathlib import Path

import pytest

from detectors.build import build_engine
from domain.readings import Readings
from emberwatch.history_feed import HistoryFeed
from emberwatch.pipeline import Machine
from emberwatch.snapshots import SnapshotStore
from storage.journals.memory import MemoryJournal
from storage.memory_history import MemoryHistory


class Buggy(MemoryHistory):
    """A history whose code is wrong."""

    def write(self, readings: Readings, paths: Sequence[str], end_offset: int) -> None:
        raise ZeroDivisionError(len(readings), paths, end_offset)


def test_a_bug_is_told_and_history_is_not_healthy(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever runs the service hears of it at once; what the store itself reports is waited out instead."""
    failures: queue.Queue[BaseException] = queue.Queue()
    feed = HistoryFeed(
        Buggy(), MemoryJournal(), SnapshotStore(tmp_path, "1"), lambda: Machine(build_engine), tuple, failures.put
    )
    feed.start(0)
    with caplog.at_level(logging.ERROR):
        feed.put(0, 1, Readings.concatenate([]))
        assert isinstance(failures.get(timeout=10), ZeroDivisionError)
    assert not feed.healthy
    assert "the history feed stopped" in caplog.text
