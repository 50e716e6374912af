"""How readings are read from VictoriaMetrics.

Three traps, and the answers: a 204 is not durable (`durable = False`, so the offset waits: history.py); points sent twice stay
twice unless the server runs with `-dedup.minScrapeInterval=1ms` (curves count equal points once, whatever its flags); time is
kept in ms and values to 12 digits. It forgets by its own `-retentionPeriod` only, and in silence.
"""

import json
import re
import time

import msgspec
import numpy as np

from domain.errors import EngineError
from domain.history import HistoryInfo, Series
from domain.readings import Float64, Int64
from storage.curves import extremes
from storage.influx.connection import Connection

_AHEAD_S = 86_400
"""Queries look this far past now: a clock that was set back hides nothing."""
_ALL_TIME = "15000d"
"""Forty years. A window that begins within the first days of 1970 finds nothing at all (VictoriaMetrics 1.79)."""
_UNIT_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "y": 365.0, "": 31.0}
"""Of `-retentionPeriod`; a number without a unit is months."""


class _Exported(msgspec.Struct):
    values: list[float]
    timestamps: list[int]


class _Sample(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Vector(msgspec.Struct):
    result: list[_Sample]


class _Answer(msgspec.Struct):
    data: _Vector


_EXPORTED = msgspec.json.Decoder(_Exported)
_ANSWER = msgspec.json.Decoder(_Answer)


class VictoriaServer:
    """`storage.influx.server.Server`; it knows no buckets, so ours is a label."""

    name = "VictoriaMetrics"
    durable = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.measurement = f"reading,bucket={connection.bucket}"

    @staticmethod
    def answers(connection: Connection) -> bool:
        """Return whether it is a VictoriaMetrics that answers."""
        return b"\nvm_app_start_timestamp " in connection.get("/metrics")

    def run(self) -> str:
        (started,) = self._metrics(r"vm_app_start_timestamp (\S+)")
        return started

    def kept_days(self) -> float | None:
        (period,) = self._metrics(r'flag\{name="retentionPeriod", value="([\d.]+[hdwy]?)".*')
        return float(period.rstrip("hdwy")) * _UNIT_DAYS[period.lstrip("0123456789.")]

    def series(self, device: str, measurand: str, from_ms: int, to_ms: int, points: int) -> Series:
        time_ms, value = self._points(self._selector(device=device, measurand=measurand), from_ms, to_ms)
        if len(time_ms) <= points:
            return Series(time_ms, value, len(time_ms))
        kept = extremes(time_ms, value, points // 2)
        return Series(time_ms[kept], value[kept], len(time_ms))

    def latest(self, device: str) -> dict[str, tuple[int, float]]:
        newest = self._over_all_time("tlast_over_time", self._selector(device=device))
        found = {}
        for sample in newest:
            measurand, at_ms = sample.metric["measurand"], _ms(sample)
            _, value = self._points(self._selector(device=device, measurand=measurand), at_ms, at_ms + 1)
            found[measurand] = (at_ms, float(value[-1]))
        return found

    def drop_before(self, before_ms: int) -> int:  # noqa: ARG002  the server deletes whole series or nothing
        return 0

    def info(self) -> HistoryInfo:
        every = self._selector()
        readings = sum(int(sample.value[1]) for sample in self._over_all_time("count_over_time", every))
        first = [_ms(sample) for sample in self._over_all_time("tfirst_over_time", every)]
        last = [_ms(sample) for sample in self._over_all_time("tlast_over_time", every)]
        size = sum(int(text) for text in self._metrics(r"vm_data_size_bytes\{.*\} (\d+)"))
        return HistoryInfo(readings, min(first, default=None), max(last, default=None), size)

    def _selector(self, **labels: str) -> str:
        labels["bucket"] = self._connection.bucket
        return f"reading_value{{{','.join(f'{name}={json.dumps(text)}' for name, text in labels.items())}}}"

    def _points(self, selector: str, from_ms: int, to_ms: int) -> tuple[Int64, Float64]:
        """Return the points of one series in order of time, equal ones once."""
        span = {
            "start": f"{from_ms / 1000 - 1:.3f}",
            "end": f"{to_ms / 1000 + 1:.3f}",
        }  # seconds, rounded by the server
        answer = self._connection.get("/api/v1/export", **{"match[]": selector}, **span)
        parts = [_EXPORTED.decode(line) for line in answer.splitlines() if line]
        time_ms = np.array([at for part in parts for at in part.timestamps], np.int64)
        value = np.array([number for part in parts for number in part.values], np.float64)
        inside = (time_ms >= from_ms) & (time_ms < to_ms)
        return _once(time_ms[inside], value[inside])

    def _over_all_time(self, function: str, selector: str) -> list[_Sample]:
        now_s = int(time.time()) + _AHEAD_S
        query = f"{function}({selector}[{_ALL_TIME}])"
        answer = self._connection.get("/api/v1/query", query=query, time=str(now_s), nocache="1")
        return _ANSWER.decode(answer).data.result

    def _metrics(self, pattern: str) -> list[str]:
        """Return what the pattern finds on the lines of /metrics; raise EngineError when that is nothing."""
        found: list[str] = re.findall(f"^{pattern}$", self._connection.get("/metrics").decode(), re.MULTILINE)
        if not found:
            raise EngineError(f"history {self._connection.url}: its /metrics do not tell {pattern}")
        return found


def _once(time_ms: Int64, value: Float64) -> tuple[Int64, Float64]:
    """Return the points in order of time, then value, equal ones once."""
    if np.all(np.diff(time_ms) > 0):
        return time_ms, value
    order = np.lexsort((value, time_ms))
    time_ms, value = time_ms[order], value[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(time_ms) != 0) | (np.diff(value) != 0)
    return time_ms[fresh], value[fresh]


def _ms(sample: _Sample) -> int:
    """Return the instant that is the sample's value, in seconds."""
    return round(float(sample.value[1]) * 1000)
