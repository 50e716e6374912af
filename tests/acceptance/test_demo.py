"""`emberwatch demo` as a stranger meets it: everything promised appears, a busy port is no obstacle, a kill is survived."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emberwatch.settings import Settings
from emberwatch.stores import open_books
from ledger.alarm import AlarmFilter
from ledger.hazard import HazardFilter

PROMISED = {"G102", "G101", "W101", "W103", "W104", "F101", "D101"}
GRAVE = {"G101", "W101", "W103", "F101"}
PATIENCE_S = 120


class Demo:
    """One process of the demo; `said` is what it printed so far."""

    def __init__(self, folder: Path, port: int) -> None:
        command = [sys.executable, "-m", "emberwatch", "demo", "--data", str(folder), "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.said += line

    def wait_for(self, word: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while word not in self.said:
            assert time.monotonic() < end, f"{word!r} never came: {self.said}"
            assert self.process.poll() is None, self.said
            time.sleep(0.1)

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join(10)
        return code


def rules_in(folder: Path) -> tuple[dict[str, int], set[str | None]]:
    """Return how many alarms each rule has, and the rules of the hazards."""
    with open_books(Settings(data=str(folder))) as books:
        alarms = books.ledger.alarms.alarms(AlarmFilter(open_only=False, limit=1000))
        hazards = books.ledger.hazards.hazards(HazardFilter(open_only=False, limit=1000))
    counts: dict[str, int] = {}
    for alarm in alarms:
        counts[alarm.rule] = counts.get(alarm.rule, 0) + 1
    return counts, {hazard.rule for hazard in hazards}


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_the_demo_keeps_its_promise_and_goes_on_after_a_kill(tmp_path: Path, busy_port: int) -> None:
    """All promised alarms, hazards for the grave ones; killed and started again it goes on; Ctrl-C ends it cleanly."""
    folder = tmp_path / "demo"
    first = Demo(folder, busy_port)
    first.wait_for("Ctrl-C")
    assert re.search(rf"port {busy_port} is busy: taking \d+", first.said)
    assert re.search(r"password \S{16,}", first.said)
    end = time.monotonic() + PATIENCE_S
    while not (rules_in(folder)[0].keys() >= PROMISED and rules_in(folder)[1] >= GRAVE):
        assert time.monotonic() < end, rules_in(folder)
        time.sleep(0.5)
    before, _ = rules_in(folder)
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    second = Demo(folder, busy_port)
    second.wait_for("Ctrl-C")
    assert "going on from last time" in second.said
    assert "password " not in second.said.replace("a new password", "")
    assert second.stop(signal.SIGINT) == 0
    assert "state is kept in" in second.said
    after, _ = rules_in(folder)
    assert all(after[rule] >= count for rule, count in before.items())
