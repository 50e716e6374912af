"""Fixtures that any test may ask for: real servers, private to one test, and what happens where they are not installed."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from domain.errors import EngineError
from ingest.mosquitto import Mosquitto, find_mosquitto, free_port


def missing(what: str, how: str) -> NoReturn:
    """Skip on a laptop, fail in CI: a test that silently never runs proves nothing."""
    message = f"{what} is not installed ({how})"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture
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
