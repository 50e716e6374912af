"""A private Mosquitto with the settings we ship, for the length of a block."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.mosquitto import Mosquitto, find_mosquitto, free_port


@contextmanager
def broker() -> Iterator[int]:
    """Run one on the loopback and yield its port."""
    program = find_mosquitto()
    if program is None:
        raise SystemExit("this needs mosquitto (Debian: apt-get install mosquitto)")
    with tempfile.TemporaryDirectory() as folder:
        mosquitto = Mosquitto(program, Path(folder), free_port())
        mosquitto.start()
        try:
            yield mosquitto.port
        finally:
            mosquitto.stop()
