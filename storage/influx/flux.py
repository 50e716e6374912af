"""How readings are read from InfluxDB 2: by Flux, the curve reduced by the server.

It keeps ns, and its write-ahead log is on disk before it answers 204.
"""

import datetime as dt
import json
from collections.abc import Sequence

import msgspec
import numpy as np

from domain.history import HistoryInfo, Series
from storage.curves import bucket_ms
from storage.influx.connection import Connection
from storage.influx.lines import NS

_END_MS = (2**63 - 2) // NS
"""The last instant the server knows, in 2262."""
_DAY_S = 86_400
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_STAMP = "map(fn: (r) => ({r with ns: int(v: r._time)}))"


class _Rule(msgspec.Struct, rename="camel"):
    every_seconds: int = 0


class _Bucket(msgspec.Struct, rename="camel"):
    retention_rules: list[_Rule] = []


class _Buckets(msgspec.Struct):
    buckets: list[_Bucket] = []


class InfluxServer:
    """`storage.influx.server.Server` of InfluxDB 2."""

    name = "InfluxDB 2"
    measurement = "reading"
    durable = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self) -> str:
        return ""

    def kept_days(self) -> float | None:
        answer = self._connection.get("/api/v2/buckets", name=self._connection.bucket, org=self._connection.org)
        buckets = msgspec.json.decode(answer, type=_Buckets).buckets
        seconds = [rule.every_seconds for bucket in buckets for rule in bucket.retention_rules if rule.every_seconds]
        return min(seconds) / _DAY_S if seconds else None

    def series(self, device: str, measurand: str, from_ms: int, to_ms: int, points: int) -> Series:
        if from_ms >= to_ms:  # an error to the server
            return _series([], 0)
        curve = self._readings(from_ms, to_ms, device=device, measurand=measurand)
        total = self._count(curve)
        if total <= points:
            return _series(self._connection.flux(f"{curve} |> {_STAMP}"), total)
        (first,), (last,) = (self._connection.flux(f"{curve} |> {end}() |> {_STAMP}") for end in ("first", "last"))
        first_ms, last_ms = int(first["ns"]) // NS, int(last["ns"]) // NS
        width = bucket_ms(first_ms, last_ms, points // 2)
        windows = f"{curve} |> window(every: {width}ms, offset: {first_ms % width}ms)"
        rows = [self._connection.flux(f"{windows} |> {peak}() |> group() |> {_STAMP}") for peak in ("min", "max")]
        return _series([row for part in rows for row in part], total)

    def latest(self, device: str) -> dict[str, tuple[int, float]]:
        newest = f"{self._readings(0, _END_MS, device=device)} |> last() |> group() |> {_STAMP}"
        rows = self._connection.flux(newest)
        return {row["measurand"]: (int(row["ns"]) // NS, float(row["_value"])) for row in rows}

    def drop_before(self, before_ms: int) -> int:
        before_ms = min(before_ms, _END_MS)
        dropped = self._count(self._readings(0, before_ms))
        if dropped:
            last = _EPOCH + dt.timedelta(milliseconds=before_ms - 1)
            stop = f"{last:%Y-%m-%dT%H:%M:%S}.{last.microsecond // 1000:03d}999999Z"  # the last ns before it
            self._connection.delete("1970-01-01T00:00:00Z", stop, '_measurement="reading"')
        return dropped

    def info(self) -> HistoryInfo:
        every = self._readings(0, _END_MS)
        total = self._count(every)
        first = self._connection.flux(f'{every} |> first() |> group() |> {_STAMP} |> min(column: "ns")')
        last = self._connection.flux(f'{every} |> last() |> group() |> {_STAMP} |> max(column: "ns")')
        return HistoryInfo(total, _first_ms(first), _first_ms(last), 0)

    def _readings(self, from_ms: int, to_ms: int, **tags: str) -> str:
        span = f"start: time(v: {max(from_ms, 0) * NS}), stop: time(v: {min(to_ms, _END_MS) * NS})"
        tests = "".join(f" and r.{tag} == {_quoted(text)}" for tag, text in tags.items())
        return (
            f"from(bucket: {_quoted(self._connection.bucket)}) |> range({span})"
            f' |> filter(fn: (r) => r._measurement == "reading" and r._field == "value"{tests})'
        )

    def _count(self, readings: str) -> int:
        rows = self._connection.flux(f"{readings} |> count() |> group() |> sum()")
        return int(rows[0]["_value"]) if rows else 0


def _series(rows: Sequence[dict[str, str]], total: int) -> Series:
    """Return the points in order, a reading that is least and greatest of its bucket once."""
    points = sorted({(int(row["ns"]), float(row["_value"])) for row in rows})
    time_ns = np.array([at for at, _ in points], np.int64)
    return Series(time_ns // NS, np.array([value for _, value in points], np.float64), total)


def _first_ms(rows: Sequence[dict[str, str]]) -> int | None:
    return int(rows[0]["ns"]) // NS if rows else None


def _quoted(text: str) -> str:
    """Return a Flux string; `${` would begin an expression in it."""
    return json.dumps(text).replace("${", "\\${")
