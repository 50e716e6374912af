"""Every setting there is, with its default and its meaning: one TOML file, then environment variables over it.

`EMBERWATCH_BROKER` sets `broker`, `EMBERWATCH_API_PORT` sets `api.port`. `describe()` writes the reference page.
"""

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from domain.errors import ConfigurationError

Port = Annotated[int, Meta(ge=0, le=65_535)]
PREFIX = "EMBERWATCH_"
NO_SETTINGS = frozenset({PREFIX + "CONFIG", PREFIX + "PASSWORD"})
"""Variables that belong to the command line: which file to read, and a password for `user add`."""
DEFAULT_FILE = "emberwatch.toml"
SECRETS = frozenset({"mqtt.password", "influx.token"})
"""Settings that `config show` never prints."""


def _help(text: str) -> Meta:
    return Meta(description=text)


class MqttSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[mqtt] How to speak to the broker."""

    protocol: Annotated[
        Literal["auto", "5", "3.1.1"],
        _help(
            "`5` is the fast session, `3.1.1` serves older brokers; `auto` takes 5 unless the embedded broker lacks it"
        ),
    ] = "auto"
    client_id: Annotated[
        str, Meta(min_length=1, max_length=64), _help("fixed name of our session; unique on the broker")
    ] = "emberwatch"
    username: Annotated[str | None, _help("broker account of the service")] = None
    password: Annotated[str | None, _help("its password; better given as EMBERWATCH_MQTT_PASSWORD")] = None
    ca_file: Annotated[str | None, _help("PEM file of the authority that signed the broker's certificate (mqtts)")] = (
        None
    )
    receive_max: Annotated[int, Meta(ge=1, le=65_535), _help("most messages unacknowledged with us")] = 20_000
    publish_alarms: Annotated[bool, _help("publish every alarm transition on emberwatch/v1/{area}/{site}/alarm")] = True


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[api] The screens and the REST interface."""

    host: Annotated[str, _help("address to listen on; 0.0.0.0 serves other machines (put TLS in front)")] = "127.0.0.1"
    port: Annotated[Port, _help("port to listen on; a busy one is an error here, the demo takes the next")] = 8800
    secure_cookies: Annotated[bool, _help("send cookies over https only; set it when TLS stands in front")] = False
    metrics_open: Annotated[
        bool, _help("serve /metrics without login to a Prometheus on this machine (the loopback)")
    ] = False


class RetentionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[retention] How long things are kept."""

    journal_days: Annotated[int, Meta(ge=1), _help("days of raw messages kept for replay")] = 30
    history_days: Annotated[int, Meta(ge=1), _help("days of readings kept for curves")] = 400
    dead_letter_days: Annotated[int, Meta(ge=1), _help("days of messages kept that nobody could read")] = 90
    dead_letter_mib: Annotated[
        int,
        Meta(ge=1),
        _help("most space for them; the oldest of the loudest give way, one topic has an eighth at most"),
    ] = 256
    disk_free_mib: Annotated[
        int,
        Meta(ge=512),
        _help(
            "below so much free space old messages and readings go before their time; below an eighth nothing is taken"
        ),
    ] = 2048


class InfluxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[influx] The server that keeps readings when `history` is `influx`."""

    url: Annotated[
        str,
        Meta(pattern="^https?://"),
        _help("address of an InfluxDB 2 or a VictoriaMetrics; which one is found out"),
    ] = "http://127.0.0.1:8086"
    token: Annotated[
        str | None, _help("API token that may read and write the bucket; better given as EMBERWATCH_INFLUX_TOKEN")
    ] = None
    org: Annotated[str, _help("organisation of the bucket (InfluxDB only)")] = ""
    bucket: Annotated[
        str,
        Meta(pattern="^[A-Za-z0-9_.-]+$"),
        _help("bucket that readings go to; on VictoriaMetrics, which has none, a label"),
    ] = "emberwatch"


class OverloadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[overload] What is done when more arrives than the machine can decide."""

    lag_s: Annotated[
        int, Meta(ge=2), _help("seconds that decisions may be behind before routine telemetry is thinned")
    ] = 10
    interval_s: Annotated[int, Meta(ge=1), _help("meanwhile a quiet device is heard once in so many seconds")] = 10


class NoticeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[notices] How inspectors are told."""

    file: Annotated[str, _help("file the `file` channel appends to, relative to `data`")] = "notices.jsonl"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings; the tables of the TOML file are the nested structs."""

    data: Annotated[str, _help("folder of journal, database, history and snapshots")] = "emberwatch-data"
    broker: Annotated[
        str,
        _help("`embedded` starts a private one; else `mqtt://host:port` or `mqtts://host:port`"),
    ] = "embedded"
    log: Annotated[Literal["debug", "info", "warning", "error"], _help("how much is written to the log")] = "info"
    history: Annotated[
        Literal["duckdb", "influx"],
        _help("where readings are kept: `duckdb` is a file in `data`, `influx` a server, see `[influx]`"),
    ] = "duckdb"
    mqtt: MqttSettings = MqttSettings()
    api: ApiSettings = ApiSettings()
    retention: RetentionSettings = RetentionSettings()
    influx: InfluxSettings = InfluxSettings()
    overload: OverloadSettings = OverloadSettings()
    notices: NoticeSettings = NoticeSettings()
    rules: Annotated[
        dict[str, dict[str, float]],
        _help("per rule, parameters that differ from the catalogue's defaults, e.g. `[rules.G105]` `h = 9`"),
    ] = {}

    @property
    def folder(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.data).expanduser().absolute()


def load(file: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of `file` (else $EMBERWATCH_CONFIG, else ./emberwatch.toml if there) and the environment.

    Raises ConfigurationError that names the setting and what would be right.
    """
    environ = os.environ if environ is None else environ
    chosen = file or (Path(environ[PREFIX + "CONFIG"]) if PREFIX + "CONFIG" in environ else None)
    tree = _read(chosen or Path(DEFAULT_FILE), must_exist=chosen is not None)
    for name, text in sorted(environ.items()):
        if name.startswith(PREFIX) and name not in NO_SETTINGS:
            _set(tree, name, text)
    return _convert(tree)


def _read(file: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise ConfigurationError(f"there is no settings file {file}") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot read settings file {file}: {error}") from error


def _set(tree: dict[str, Any], name: str, text: str) -> None:
    known = {PREFIX + path.replace(".", "_").upper(): path for path, _ in walk()}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise ConfigurationError(
            f"unknown environment variable {name}" + (f"; did you mean {near[0]}?" if near else "")
        )
    *tables, leaf = known[name].split(".")
    for table in tables:
        tree = tree.setdefault(table, {})
    tree[leaf] = text


def _convert(tree: dict[str, Any]) -> Settings:
    known = {path for path, _ in walk()} | set(_tables())
    for path in _paths(tree):
        if path not in known:
            near = get_close_matches(path, known, n=1)
            raise ConfigurationError(f"unknown setting '{path}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    try:
        return msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"settings: {_wrong_parameter(tree.get('rules')) or error}") from error


def _wrong_parameter(rules: Any) -> str | None:
    """Name the first parameter of a rule that is no number: the conversion itself names no keys of a table."""
    tables = rules.items() if isinstance(rules, dict) else ()
    for rule, parameters in tables:
        for name, value in parameters.items() if isinstance(parameters, dict) else ():
            if not isinstance(value, int | float):
                return f"rules.{rule}.{name} must be a number, not {value!r}"
    return None


def _tables() -> list[str]:
    return [f.name for f in msgspec.structs.fields(Settings) if isinstance(f.default, msgspec.Struct)]


def _paths(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        yield prefix + name
        if isinstance(value, dict) and prefix + name in _tables():
            yield from _paths(value, f"{prefix}{name}.")


def walk() -> Iterator[tuple[str, Any]]:
    """Yield (dotted path, default) of every setting."""
    for field in msgspec.structs.fields(Settings):
        if isinstance(field.default, msgspec.Struct):
            yield from (
                (f"{field.name}.{inner.name}", inner.default) for inner in msgspec.structs.fields(type(field.default))
            )
        else:
            yield field.name, {} if field.name == "rules" else field.default


def describe() -> str:
    """Return the reference page of all settings as Markdown."""
    lines = [
        "# Settings",
        "",
        "One TOML file (`--config`, else `$EMBERWATCH_CONFIG`, else `emberwatch.toml` in the current folder), then the",
        "environment over it.",
        "",
        "| setting | environment | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    structs: list[tuple[str, type[msgspec.Struct]]] = [("", Settings)]
    structs += [(f"{t}.", type(getattr(Settings(), t))) for t in _tables()]
    defaults = dict(walk())
    for prefix, struct in structs:
        for name, text in _meanings(struct).items():
            path = prefix + name
            shown = "none" if defaults[path] is None else f"`{msgspec.json.encode(defaults[path]).decode()}`"
            variable = "file only" if path == "rules" else f"`{PREFIX}{path.replace('.', '_').upper()}`"
            lines.append(f"| `{path}` | {variable} | {shown} | {text} |")
    return "\n".join(lines) + "\n"


def _meanings(struct: type[msgspec.Struct]) -> dict[str, str]:
    found = {}
    for name, annotation in struct.__annotations__.items():
        metas = [m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, Meta) and m.description]
        if metas:
            found[name] = str(metas[0].description)
    return found


if __name__ == "__main__":
    sys.stdout.write(describe())
