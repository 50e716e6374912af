"""What InfluxDB 2 and VictoriaMetrics do differently behind the same `/api/v2/write`, and how to find out which one answers."""

from typing import Protocol

import msgspec

from domain.errors import EngineError
from domain.history import HistoryInfo, Series
from storage.influx.connection import Connection
from storage.influx.flux import InfluxServer
from storage.influx.victoria import VictoriaServer


class Server(Protocol):
    """The reading side of a server, and what must be known before its 204 is believed. Every method raises EngineError.

    `measurement` begins every line we write. `durable`: what is acknowledged survives a power cut.
    """

    name: str
    measurement: str
    durable: bool

    def run(self) -> str:
        """Return what tells one run of the server's process from another, as far as it matters."""
        ...

    def kept_days(self) -> float | None:
        """Return after how many days the server drops readings of its own accord; None when it never does."""
        ...

    def series(self, device: str, measurand: str, from_ms: int, to_ms: int, points: int) -> Series:
        """As `domain.history.History.series`."""
        ...

    def latest(self, device: str) -> dict[str, tuple[int, float]]:
        """As `domain.history.History.latest`."""
        ...

    def drop_before(self, before_ms: int) -> int:
        """As `domain.history.History.drop_before`."""
        ...

    def info(self) -> HistoryInfo:
        """As `domain.history.History.info`; `bytes` is 0 where the server does not say."""
        ...


class _Health(msgspec.Struct):
    name: str = ""
    version: str = ""


def find_server(connection: Connection) -> Server:
    """Ask which server this is; raise EngineError when it is down or neither of the two."""
    answer = connection.get("/health")
    if answer.strip() == b"OK" and VictoriaServer.answers(connection):
        return VictoriaServer(connection)
    if _is_influx_2(answer):
        return InfluxServer(connection)
    raise EngineError(
        f"history {connection.url}: neither InfluxDB 2 nor VictoriaMetrics answers there (InfluxDB 1 cannot be used)"
    )


def _is_influx_2(answer: bytes) -> bool:
    try:
        health = msgspec.json.decode(answer, type=_Health)
    except msgspec.DecodeError:
        return False
    return health.name == "influxdb" and health.version.lstrip("v").startswith("2")
