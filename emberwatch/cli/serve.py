"""`run`, `demo` and `simulate`: things that go on until they are told to stop."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.logging import RichHandler

from emberwatch.cli.common import ERR, OUT, ConfigOption, DataOption, settings_of
from emberwatch.demo import demonstrate
from emberwatch.service import running
from emberwatch.settings import Settings
from emberwatch.simulation import Order, simulate


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("demo")(demo)
    app.command("run")(run)
    app.command("simulate")(simulate_command)


def demo(
    data: Annotated[Path, typer.Option("--data", "-d", help="Where the demo keeps its state.")] = Path("demo-data"),
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the screen; a busy one picks the next.")] = 8800,
    seed: Annotated[int, typer.Option(help="Another seed, another day.")] = 1,
) -> None:
    """Show a district in a box: broker, stores, simulated devices, service and screen in one process."""
    _logging("warning")
    uvloop.run(_until_stopped(lambda stop: demonstrate(data, port, seed, OUT, stop)))


def run(
    config: ConfigOption = None,
    data: DataOption = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port, over the one in the settings.", show_default=False)
    ] = None,
) -> None:
    """Run the service until Ctrl-C or SIGTERM. `emberwatch config show` prints the settings it would use."""
    serve(settings_of(config, data), port)


def serve(settings: Settings, port: int | None) -> None:
    """Run the service in this process until it is told to stop."""
    _logging(settings.log)
    uvloop.run(_until_stopped(lambda stop: _serve(settings, port, stop)))


async def _serve(settings: Settings, port: int | None, stop: asyncio.Event) -> None:
    async with running(settings, lambda text: OUT.print(f"[dim]· {text}[/]"), port) as service:
        address = service.address
        OUT.print(f"emberwatch is up: [bold]{service.url}[/]  broker {address.name} on {address.host}:{address.port}")
        if not service.parts.books.accounts.accounts():
            OUT.print("nobody can log in yet; in another terminal: [bold]emberwatch user add admin --role admin[/]")
        await stop.wait()
    OUT.print("stopped; everything is saved")


def simulate_command(
    scenario: Annotated[str, typer.Argument(help="Name of a built-in scenario, or a TOML file; `list` names them.")],
    broker: Annotated[str, typer.Option(help="Where to publish.")] = "mqtt://127.0.0.1:1883",
    speed: Annotated[float, typer.Option(min=0.01, help="Times as fast as life.")] = 1.0,
    seed: Annotated[int | None, typer.Option(help="Over the scenario's own seed.", show_default=False)] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Write the ground truth to this CSV file.", show_default=False)
    ] = None,
    username: Annotated[str | None, typer.Option(help="Broker account.", show_default=False)] = None,
    password: Annotated[
        str | None, typer.Option(envvar="EMBERWATCH_MQTT_PASSWORD", help="Its password.", show_default=False)
    ] = None,
) -> None:
    """Play a scenario: simulated devices publish to a broker as real ones would."""
    _logging("warning")
    order = Order(scenario, broker, speed, seed, truth, username, password)
    uvloop.run(_until_stopped(lambda stop: simulate(order, OUT, stop)))


async def _until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await work(stop)


def _logging(level: str) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)  # a new folder's first tables are no news
    logging.basicConfig(
        level=level.upper(), format="%(name)s: %(message)s", handlers=[RichHandler(console=ERR, show_path=False)]
    )
