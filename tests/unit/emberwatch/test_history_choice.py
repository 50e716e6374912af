"""Where readings are kept is a setting: what is opened, what is said about it, and what is never shown."""

import datetime as dt
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from domain.errors import ConfigurationError
from emberwatch.cli.operations import _shown
from emberwatch.doctor import Finding, examine
from emberwatch.settings import InfluxSettings, RetentionSettings, Settings, load
from emberwatch.stores import export_history, locked, open_history
from storage.duckdb.history import DuckdbHistory
from storage.influx.history import InfluxHistory


class _Influx(BaseHTTPRequestHandler):
    """An InfluxDB 2 that keeps readings for ten days."""

    def log_message(self, *_arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        kept = {"buckets": [{"retentionRules": [{"everySeconds": 864_000}]}]}
        health = {"name": "influxdb", "version": "v2.7.11"}
        body = json.dumps(health if self.path == "/health" else kept).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Influx)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def on_server(folder: Path, url: str, days: int = 400) -> Settings:
    retention = RetentionSettings(history_days=days)
    return Settings(data=str(folder), history="influx", influx=InfluxSettings(url=url), retention=retention)


def look(settings: Settings) -> Finding:
    (finding,) = examine(settings, only=("history",))
    return finding


def test_the_setting_chooses_the_engine(tmp_path: Path) -> None:
    """A file of ours by default; a server that need not be up."""
    for settings, kind in (
        (Settings(data=str(tmp_path)), DuckdbHistory),
        (on_server(tmp_path, "http://x"), InfluxHistory),
    ):
        history = open_history(settings)
        assert isinstance(history, kind)
        history.close()


def test_the_client_is_loaded_only_when_it_is_chosen() -> None:
    """It takes most of half a second, which nobody with a file should wait."""
    program = "import sys, emberwatch.cli; sys.exit('influxdb_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_token_is_never_shown() -> None:
    """Not by `config show`."""
    settings = load(environ={"EMBERWATCH_INFLUX_TOKEN": "very-secret"})
    assert settings.influx.token == "very-secret"
    assert _shown(settings, "influx.token") == "(hidden)"


@pytest.mark.parametrize("text", ['url = "10.0.0.5:8086"', 'bucket = "a b"', 'bucket = ""'])
def test_a_server_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    """Before anything is opened."""
    file = tmp_path / "emberwatch.toml"
    file.write_text(f"[influx]\n{text}\n", "utf-8")
    with pytest.raises(ConfigurationError, match="influx"):
        load(file, {})


def test_the_doctor_looks_at_the_server(tmp_path: Path, url: str) -> None:
    """Well; keeping readings for less time than the settings want; not there at all."""
    well, short, away = (look(on_server(tmp_path, *at)) for at in ((url, 10), (url, 400), ("http://127.0.0.1:1", 10)))
    assert (well.ok, short.ok, away.ok) == (True, False, False)
    assert "InfluxDB 2" in well.detail
    assert "400 days" in short.advice
    assert "influx.url" in away.advice


def test_the_doctor_says_how_big_the_file_is(tmp_path: Path) -> None:
    """Without opening it: the service may have it."""
    assert look(Settings(data=str(tmp_path))) == Finding("history", ok=True, detail="history.duckdb, 0 MiB")


def test_an_export_wants_a_file_that_nobody_has_open(tmp_path: Path) -> None:
    """A history on a server, none at all, and one of a running service are each refused in words."""
    settings, day = Settings(data=str(tmp_path)), dt.date(2026, 1, 1)

    def export(settings: Settings) -> None:
        list(export_history(settings, day, tmp_path / "out", drop=False))

    with pytest.raises(ConfigurationError, match="on a server"):
        export(on_server(tmp_path, "http://x"))
    with pytest.raises(ConfigurationError, match="no history"):
        export(settings)
    open_history(settings).close()
    with locked(tmp_path), pytest.raises(ConfigurationError, match="in use"):
        export(settings)
    export(settings)
