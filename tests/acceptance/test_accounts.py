"""The accounts of a real process balance at every scrape, however often it is killed, and at rest they are what was sent."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.crash_devices import Plan, Publisher
from ingest.mosquitto import Mosquitto, free_port

pytestmark = pytest.mark.mosquitto
PATIENCE_S = 90.0


class Accounts(NamedTuple):
    """What one scrape says of messages of devices."""

    received: int
    decoded: int
    dead: int
    duplicate: int
    thinned: int
    in_flight: int
    lag: int

    @property
    def balance(self) -> bool:
        return self.received == sum(self[1:6]) and self.in_flight >= 0 and self.in_flight <= self.lag

    @property
    def at_rest(self) -> bool:
        return self.received > 0 and self.in_flight == 0


class Scraper(threading.Thread):
    """Scrapes without a pause until told to stop; `seen` holds every answer, and from which life it came."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.seen: list[Accounts] = []
        self.stopping = threading.Event()
        self._url = url

    def run(self) -> None:
        while not self.stopping.wait(0.01):
            try:
                with urllib.request.urlopen(self._url, timeout=5) as answer:  # noqa: S310 - our own address
                    self.seen.append(read(answer.read().decode()))
            except OSError:
                continue  # it is dead just now


def read(text: str) -> Accounts:
    values = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[0] != "#"}
    outcomes = [f'records_total{{outcome="{o}"}}' for o in ("decoded", "dead", "duplicate", "thinned")]
    names = ["received_total", *outcomes, "records_in_flight", "journal_lag_records"]
    return Accounts(*(int(values[f"emberwatch_{name}"]) for name in names))


@contextmanager
def service(folder: Path, broker: Mosquitto, port: int) -> Iterator[None]:
    """Run the service for the length of the block, then kill -9."""
    environment = {
        **os.environ,
        "EMBERWATCH_BROKER": f"mqtt://{broker.host}:{broker.port}",
        "EMBERWATCH_DATA": str(folder / "data"),
        "EMBERWATCH_API_METRICS_OPEN": "true",
    }
    command = [sys.executable, "-m", "emberwatch", "run", "--port", str(port)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def until(scraper: Scraper, wanted: int) -> None:
    """Wait for so many more answers."""
    end, wanted = time.monotonic() + PATIENCE_S, len(scraper.seen) + wanted
    while len(scraper.seen) < wanted:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_accounts_balance_through_kills(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Three lives, scraped all the while: no scrape is out of balance, no counter goes back, nothing is decoded twice or not."""
    port = free_port()
    scraper = Scraper(f"http://127.0.0.1:{port}/metrics")
    scraper.start()
    with service(tmp_path, mosquitto, port):
        until(scraper, 5)  # it has subscribed: from now on the broker keeps messages for it
    publisher = Publisher(Plan(40, 40, seed=1), mosquitto.host, mosquitto.port)
    publisher.start()
    for _ in range(2):
        with service(tmp_path, mosquitto, port):
            until(scraper, 10)
    publisher.enough.set()
    with service(tmp_path, mosquitto, port):
        publisher.join(PATIENCE_S)
        end = time.monotonic() + PATIENCE_S
        while not (scraper.seen[-1].at_rest and scraper.seen[-1].decoded >= publisher.sent):
            assert time.monotonic() < end, (scraper.seen[-1], publisher.sent)
            time.sleep(0.1)
    scraper.stopping.set()
    scraper.join()
    last = scraper.seen[-1]
    assert [seen for seen in scraper.seen if not seen.balance] == []
    for name in ("received", "decoded", "dead", "duplicate", "thinned"):
        column = [getattr(seen, name) for seen in scraper.seen]
        assert column == sorted(column), name
    assert (last.decoded, last.dead, last.thinned) == (publisher.sent, 0, 0)
    assert publisher.waiting == 0
