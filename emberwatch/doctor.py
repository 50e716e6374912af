"""`emberwatch doctor`: everything the service leans on, checked from outside, each with advice."""

import datetime as dt
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from typing import NamedTuple

from domain.errors import ConfigurationError, EmberwatchError, EngineError
from emberwatch import __version__
from emberwatch.connection import parse_broker
from emberwatch.service import listen, new_machine
from emberwatch.settings import Settings
from emberwatch.stores import history_file, locked, open_books, open_history_server, prepare

_LOW_DISK_BYTES = 5 << 30
_OLDEST_PLAUSIBLE = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
_LIBRARIES = ("numpy", "duckdb", "sqlalchemy", "mqtt5", "paho-mqtt", "fastapi")


class Finding(NamedTuple):
    """One thing looked at; `advice` says what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def examine(settings: Settings, only: tuple[str, ...] = ()) -> list[Finding]:
    """Return what was found; never raises."""
    checks: dict[str, Callable[[Settings], Finding]] = {
        "versions": _versions,
        "settings": _settings,
        "folder": _folder,
        "disk": _disk,
        "clock": _clock,
        "books": _books,
        "history": _history,
        "broker": _broker,
        "port": _port,
    }
    return [_guarded(name, check, settings) for name, check in checks.items() if not only or name in only]


def _guarded(name: str, check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return check(settings)
    except (EmberwatchError, OSError) as error:
        return Finding(name, ok=False, detail=str(error))


def _versions(_: Settings) -> Finding:
    found = ", ".join(_library_versions())
    old = sqlite3.sqlite_version_info < (3, 35)
    text = f"emberwatch {__version__}, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, {found}"
    return Finding("versions", not old, text, "SQLite 3.35 or newer is needed: use a newer Python build")


def _library_versions() -> Iterator[str]:
    for name in _LIBRARIES:
        yield f"{name} {version(name)}"


def _settings(settings: Settings) -> Finding:
    new_machine(settings)
    if settings.broker != "embedded":
        parse_broker(settings.broker, settings.mqtt.ca_file)
    return Finding("settings", ok=True, detail="known and possible")


def _folder(settings: Settings) -> Finding:
    prepare(settings.folder)
    try:
        with locked(settings.folder):
            return Finding("folder", ok=True, detail=f"{settings.folder}, no service is running on it")
    except ConfigurationError as error:
        return Finding("folder", ok=True, detail=str(error))


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(prepare(settings.folder)).free
    return Finding(
        "disk",
        free > _LOW_DISK_BYTES,
        f"{free / (1 << 30):.1f} GiB free",
        "make room, or shorten `retention.journal_days` and `retention.history_days`",
    )


def _clock(_: Settings) -> Finding:
    now = dt.datetime.now(dt.UTC)
    return Finding(
        "clock", now > _OLDEST_PLAUSIBLE, now.isoformat(timespec="seconds"), "set the clock; run an NTP client"
    )


def _books(settings: Settings) -> Finding:
    with open_books(settings, new=False) as books:
        devices = books.registers.count("device")
        people = len(books.accounts.accounts())
    advice = "emberwatch user add admin --role admin" if not people else "emberwatch register import FOLDER"
    return Finding("books", bool(people and devices), f"{devices} devices in the register, {people} accounts", advice)


def _history(settings: Settings) -> Finding:
    if settings.history == "duckdb":
        file = history_file(settings)
        size = file.stat().st_size if file.exists() else 0
        return Finding("history", ok=True, detail=f"{file.name}, {size / (1 << 20):.0f} MiB")
    advice = "start the server, or correct `influx.url`; readings wait in the journal meanwhile"
    with closing(open_history_server(settings)) as history:
        try:
            server = history.server()
            kept, wanted = server.kept_days(), settings.retention.history_days
        except EngineError as error:
            return Finding("history", ok=False, detail=str(error), advice=advice)
    detail = f"{server.name} at {settings.influx.url}, keeps readings " + (
        "for ever" if kept is None else f"{kept:g} days"
    )
    advice = f"lengthen the server's retention to the {wanted} days of `retention.history_days`"
    return Finding("history", kept is None or kept >= wanted, detail, advice)


def _broker(settings: Settings) -> Finding:
    if settings.broker == "embedded":
        kind = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        return Finding(
            "broker",
            ok=True,
            detail=f"embedded: {'private Mosquitto' if kind else 'in process (slow; install mosquitto)'}",
        )
    address = parse_broker(settings.broker, settings.mqtt.ca_file)
    advice = "start the broker, or correct `broker` in the settings"
    try:
        socket.create_connection((address.host, address.port), timeout=5).close()
    except OSError as error:
        return Finding("broker", ok=False, detail=f"{address.host}:{address.port}: {error}", advice=advice)
    return Finding("broker", ok=True, detail=f"{address.host}:{address.port} answers")


def _port(settings: Settings) -> Finding:
    api = settings.api
    try:
        listen(api.host, api.port).close()
    except ConfigurationError:
        return Finding("port", ok=True, detail=f"{api.host}:{api.port} is taken (by a running emberwatch?)")
    return Finding("port", ok=True, detail=f"{api.host}:{api.port} is free")
