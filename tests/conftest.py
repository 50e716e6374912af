"""Fixtures that any test may ask for: real servers, private to one test, and what happens where they are not installed."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from domain.errors import EngineError
from ingest.mosquitto import Mosquitto, find_mosquitto, free_port

# A slow machine refutes no claim.
hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("house")


def missing(what: str, how: str) -> NoReturn:
    """Skip on a laptop, fail in CI: a test that silently never runs proves nothing."""
    message = f"{what} is not installed ({how})"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def lacking() -> Callable[[str, str], NoReturn]:
    """Return what ends a test for want of something, which a program of ours found out: a skip, in CI a failure."""
    return missing


@pytest.fixture(scope="session")
def installed() -> Callable[[str, str], str]:
    """Return a finder of programs: the path, or the test is skipped with how to install it (in CI: fails)."""
    return lambda program, how: shutil.which(program) or missing(program, how)


@pytest.fixture
def mosquitto_program() -> str:
    """Return the path of the mosquitto program."""
    return find_mosquitto() or missing("mosquitto", "Debian: apt-get install mosquitto")


@pytest.fixture
def mosquitto(mosquitto_program: str, tmp_path: Path) -> Iterator[Mosquitto]:
    """Run a private Mosquitto at `.host`, `.port`; the test may `stop`, `kill` and `start` it: its folder stays."""
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    broker = _started(mosquitto_program, folder)
    yield broker
    broker.stop()


def _started(program: str, folder: Path, attempts: int = 5) -> Mosquitto:
    for _ in range(attempts):
        broker = Mosquitto(program, folder, free_port())
        try:
            broker.start()
        except EngineError:  # somebody took the port in between
            continue
        return broker
    pytest.fail("mosquitto does not start")


class VictoriaMetrics:
    """A private server at `.url`; it may be stopped, killed and started again: its folder stays."""

    def __init__(self, program: str, folder: Path, *flags: str) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._command = [program, f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{self._port}", *flags]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers (it says that it serves before it does)."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        while not self._answers():
            if self._process.poll() is not None:
                raise EngineError("victoria-metrics does not start")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def stop(self) -> None:
        """End it in good order: what it holds is on disk."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a power cut would; not in the second of its start, which is how it tells its runs apart."""
        started = int(time.time())
        while int(time.time()) == started:
            time.sleep(0.05)
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self._process.wait(60)
            self._process = None


@pytest.fixture(scope="session")
def start_victoria_metrics() -> Iterator[Callable[..., VictoriaMetrics]]:
    """Give a starter of private VictoriaMetrics: a folder, and flags of its own; they end with the tests."""
    program = shutil.which("victoria-metrics") or missing(
        "victoria-metrics", "Debian: apt-get install victoria-metrics"
    )
    started: list[VictoriaMetrics] = []

    def start(folder: Path, *flags: str, attempts: int = 5) -> VictoriaMetrics:
        server = VictoriaMetrics(program, folder, *flags)
        started.append(server)
        try:
            server.start()
        except EngineError:  # somebody took the port in between
            if not attempts:
                raise
            return start(folder, *flags, attempts=attempts - 1)
        return server

    yield start
    for server in started:
        server.stop()
