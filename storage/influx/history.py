"""Readings on a server that takes line protocol, for those who have one: InfluxDB 2 or VictoriaMetrics.

A point is idempotent by (series, time), so sending again doubles nothing. The offset is ours (progress.py) and moves only
when what lies before it is safe: at once where a 204 is durable; else after `settle_s` in which the server did not
restart. After a restart in between, everything since the last safe offset is asked for again.
"""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from domain.errors import EngineError, InputError
from domain.history import MIN_POINTS, HistoryInfo, Series
from domain.readings import Readings
from storage.influx.connection import Connection
from storage.influx.lines import LineWriter
from storage.influx.progress import ProgressFile
from storage.influx.server import Server, find_server

_MOST_LINES = 20_000
"""In one request: about 2 MB."""


class InfluxHistory:
    """`domain.history.History` on a server, which may be down when this is made; thread-safe.

    `progress`: the file of our offset. `settle_s`: how long VictoriaMetrics may keep readings in memory only (its own
    `-inmemoryDataFlushInterval`, 5 s, with room). `clock` in seconds.

    Two readings of one device, measurand and ms: InfluxDB keeps both; VictoriaMetrics both if their values differ, with
    `-dedup.minScrapeInterval` one of them. Fresh readings are seen after about a second.
    """

    def __init__(
        self,
        connection: Connection,
        progress: Path,
        *,
        settle_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._progress = ProgressFile(progress, f"{connection.url} {connection.org}/{connection.bucket}")
        self._settle_s = settle_s
        self._clock = clock
        self._lock = threading.Lock()
        self._found: Server | None = None
        self._lines: LineWriter | None = None
        self._run = ""
        self._stored = self._sent = self._progress.load()
        self._mark: tuple[float, int] | None = None

    def server(self) -> Server:
        """Return which server it is; raise EngineError while none answers."""
        if self._found is None:
            self._found = find_server(self._connection)
        return self._found

    def write(self, readings: Readings, paths: Sequence[str], end_offset: int) -> None:
        with self._lock:
            if end_offset <= self._sent:
                return
            server = self.server()
            if self._lines is None:
                self._lines, self._run = LineWriter(server.measurement), server.run()
            lines = self._lines.lines(readings.take(readings.offset >= self._sent), paths)
            for first in range(0, len(lines), _MOST_LINES):
                self._connection.write("\n".join(lines[first : first + _MOST_LINES]).encode())
            self._sent = end_offset
            self._settle(server)

    def _settle(self, server: Server) -> None:
        """Move the offset up to a mark that is old enough, if the server has not forgotten what came before it."""
        if self._mark is None:
            self._mark = (self._clock(), self._sent)
        marked, offset = self._mark
        if not server.durable and self._clock() - marked < self._settle_s:
            return
        run = server.run()
        if run != self._run:
            self._run, self._sent, self._mark = run, self._stored, None
            raise EngineError(
                f"history {self._connection.url}: the server restarted; all since record {self._stored} is sent again"
            )
        self._progress.save(offset)
        self._stored, self._mark = offset, None

    def offset(self) -> int:
        return self._stored

    def series(self, device: str, measurand: str, from_ms: int, to_ms: int, points: int) -> Series:
        if points < MIN_POINTS:
            raise InputError(f"a curve needs at least {MIN_POINTS} points")
        return self.server().series(device, measurand, from_ms, to_ms, points)

    def latest(self, device: str) -> dict[str, tuple[int, float]]:
        return self.server().latest(device)

    def drop_before(self, before_ms: int) -> int:
        return self.server().drop_before(before_ms)

    def info(self) -> HistoryInfo:
        return self.server().info()

    def close(self) -> None:
        with self._lock:
            self._connection.close()
