"""What it costs to keep a reading: DuckDB in process, our line protocol to a server, and influxdb-client's own `Point`.

    python -m bench.history [--readings 500000] [--json]

The server is a private VictoriaMetrics (Debian: apt-get install victoria-metrics). CPU microseconds of our process, and
beside them those of the server, which DuckDB does without. `Point` writes a tenth of the readings, by the same writer.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import SYNCHRONOUS

from bench.measure import Stopwatch, arguments, cores, tell
from domain.history import History
from domain.measurands import INDEX, MEASURANDS
from domain.readings import Readings
from ingest.mosquitto import free_port
from storage.duckdb.history import DuckdbHistory
from storage.influx.connection import Connection
from storage.influx.history import InfluxHistory
from storage.influx.lines import LineWriter

DEVICES = 10_000
BATCH = 50_000
_NAMES = ("ch4_lel", "co_ppm", "temp_c", "rh", "voltage_v")
_PATHS = tuple(f"bench/hall/d{slot}" for slot in range(DEVICES))
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Server(NamedTuple):
    """A running VictoriaMetrics."""

    url: str
    pid: int

    @property
    def cpu_s(self) -> float:
        """User and system seconds spent so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_S


@contextmanager
def victoria_metrics(folder: str, affinity: set[int]) -> Iterator[Server]:
    """Run one on a private port until the end of the block."""
    program = shutil.which("victoria-metrics") or sys.exit("victoria-metrics is not installed")
    port = free_port()
    flags = [f"-storageDataPath={folder}/server", f"-httpListenAddr=127.0.0.1:{port}"]
    with subprocess.Popen([program, *flags], stderr=subprocess.DEVNULL) as process:
        os.sched_setaffinity(process.pid, affinity)
        while process.poll() is None and not _answers(port):
            time.sleep(0.02)
        yield Server(f"http://127.0.0.1:{port}", process.pid)
        process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def batches(readings: int) -> list[Readings]:
    """Return batches as the decoder makes them: messages of five measurands, one device after another."""
    now_ms = time.time_ns() // 1_000_000 - readings
    noise = np.random.default_rng(1)
    return [_batch(first, min(BATCH, readings - first), now_ms, noise) for first in range(0, readings, BATCH)]


def _batch(first: int, count: int, now_ms: int, noise: np.random.Generator) -> Readings:
    row = np.arange(first, first + count, dtype=np.int64)
    message, columns = row // len(_NAMES), np.array([INDEX[name] for name in _NAMES], np.int16)
    slot, at = (message % DEVICES).astype(np.int32), now_ms + message
    value = np.round(noise.normal(20, 1, count), 2)
    return Readings(message, slot, columns[row % len(_NAMES)], value, at, at, np.zeros(count, np.uint8))


def _into(history: History) -> Callable[[Readings], object]:
    return lambda batch: history.write(batch, _PATHS, int(batch.offset[-1]) + 1)


def _points(url: str) -> Callable[[Readings], object]:
    client, point = cast("Any", InfluxDBClient), cast("Any", Point)  # their annotations are incomplete
    writer = client(url, token="").write_api(write_options=SYNCHRONOUS)

    def write(batch: Readings) -> None:
        columns = (batch.slot, batch.measurand, batch.value, batch.event_ms)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        points = [
            point("reading")
            .tag("device", _PATHS[slot])
            .tag("measurand", MEASURANDS[measurand].name)
            .field("value", value)
            .time(at)
            for slot, measurand, value, at in rows
        ]
        writer.write("points", "", points, "ms")

    return write


def measure(store: str, write: Callable[[Readings], object], work: list[Readings], server: Server) -> dict[str, Any]:
    """Return what writing the batches cost a reading."""
    count, spent, watch = sum(map(len, work)), server.cpu_s, Stopwatch()
    for batch in work:
        write(batch)
    cost = watch.read(count)
    return {
        "store": store,
        "us_per_reading": cost.us_per_msg,
        "server_us_per_reading": round(1e6 * (server.cpu_s - spent) / count, 2),
        "readings_per_s": cost.msgs_per_s,
    }


def main() -> None:
    chosen = arguments(__doc__ or "", readings=500_000)
    work, (ours, others) = batches(chosen.readings), cores()
    with tempfile.TemporaryDirectory() as folder, victoria_metrics(folder, others) as server:
        os.sched_setaffinity(0, ours)
        duck, lines = DuckdbHistory(Path(folder) / "history.duckdb"), LineWriter("reading")
        adapter = InfluxHistory(Connection(server.url), Path(folder) / "offset.json")
        rows = [
            measure("DuckDB", _into(duck), work, server),
            measure("influx", _into(adapter), work, server),
            measure("its lines alone", lambda batch: lines.lines(batch, _PATHS), work, server),
            measure("Point", _points(server.url), work[: max(1, len(work) // 10)], server),
        ]
        tell(rows, as_json=chosen.json)
        duck.close()
        adapter.close()


if __name__ == "__main__":
    main()
