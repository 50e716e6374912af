"""One server with `/api/v2/write`, spoken to through influxdb-client; every failure is an EngineError in our words.

Only the synchronous writer with prepared bytes is used: the batching one costs 75 times as much and retries behind our back.
"""

import csv
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from domain.errors import EngineError

_LOG = logging.getLogger(__name__)
_TIMEOUT_MS = (3_000, 30_000)
"""Connecting, answering."""
_BEYOND_RETENTION = 422
_MOST_WORDS = 300
_Client: Any = InfluxDBClient  # its annotations are incomplete


class Connection:
    """A pool of HTTP connections; thread-safe. Nothing is sent before it is needed."""

    def __init__(self, url: str, token: str | None = None, org: str = "", bucket: str = "emberwatch") -> None:
        self.url = url.rstrip("/")
        self.org = org
        self.bucket = bucket
        self._client = _Client(self.url, token=token, org=org, timeout=_TIMEOUT_MS)
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, body: bytes) -> None:
        """Send line protocol with ns; readings older than the bucket's retention are the server's to refuse."""
        try:
            with self._translated():
                self._writer.write(self.bucket, self.org, body, "ns")
        except _RefusedError as error:
            if error.status != _BEYOND_RETENTION:
                raise
            _LOG.warning("%s", error)  # the others of the body are stored; sending it again would change nothing

    def get(self, path: str, **query: str) -> bytes:
        """Return what the server answers."""
        return self._call(path, "GET", query_params=list(query.items()))

    def flux(self, query: str) -> list[dict[str, str]]:
        """Return the rows of a Flux query that yields one table, by column name."""
        with self._translated():
            answer = self._client.query_api().query_raw(query, self.org, {"header": True, "annotations": []})
            text = answer.data.decode()
        return list(csv.DictReader(io.StringIO(text)))

    def delete(self, start: str, stop: str, predicate: str) -> None:
        """Delete points from `start` to `stop`, RFC 3339 (whether `stop` counts is told differently for each edition)."""
        with self._translated():
            self._client.delete_api().delete(start, stop, predicate, self.bucket, self.org)

    def close(self) -> None:
        """Let the connections go."""
        if self._client.api_client is not None:
            self._client.close()

    def _call(self, path: str, method: str, **arguments: Any) -> bytes:
        with self._translated():
            call = self._client.api_client.call_api
            answer = call(path, method, _preload_content=False, _return_http_data_only=True, **arguments)
            data: bytes = answer.data
            return data

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._client.api_client is None:
            raise EngineError(f"history {self.url}: closed")
        try:
            yield
        except ApiException as error:
            raise _RefusedError(self.url, error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise EngineError(f"history {self.url}: {error}") from error


class _RefusedError(EngineError):
    """The server answered and said no."""

    def __init__(self, url: str, error: ApiException) -> None:
        body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or "")
        super().__init__(f"history {url}: {error.status} {error.reason}: {body[:_MOST_WORDS]}")
        self.status = error.status
