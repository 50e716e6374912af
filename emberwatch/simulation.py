"""`emberwatch simulate`: play a scenario against any broker, and write down what is true."""

import asyncio
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from emberwatch.connection import parse_broker
from simulators.scenario import load_scenario, scenario_names, truth, write_truth
from simulators.sending import Progress
from simulators.sending import run as play


class Order(NamedTuple):
    """What to play, where, how fast."""

    scenario: str
    broker: str
    speed: float
    seed: int | None
    truth: Path | None
    username: str | None
    password: str | None


async def simulate(order: Order, console: Console, stop: asyncio.Event) -> None:
    """Play until the scenario ends or `stop`; raises InputError for an unknown scenario, EngineError without a broker."""
    if order.scenario == "list":
        _list(console)
        return
    scenario = load_scenario(order.scenario, seed=order.seed)
    address = parse_broker(order.broker)
    start_ms = time.time_ns() // 1_000_000
    if order.truth is not None:
        with order.truth.open("w", encoding="utf-8", newline="") as file:
            write_truth(truth(scenario, start_ms, speed=order.speed), file)
        console.print(f"wrote {order.truth}")
    console.print(f"playing {scenario.name} on {address.host}:{address.port}; Ctrl-C stops")
    with console.status("connecting") as status:

        def told(progress: Progress) -> None:
            status.update(f"{progress.elapsed_s:.0f} s, {progress.sent:,} messages sent")

        done = await play(
            scenario,
            address.host,
            address.port,
            speed=order.speed,
            username=order.username,
            password=order.password,
            tls=address.tls,
            start_ms=start_ms,
            stop=stop,
            on_progress=told,
        )
    console.print(f"{done.sent:,} messages sent, {done.unconfirmed} events without receipt")


def _list(console: Console) -> None:
    made = Table("scenario", "what happens", box=None)
    for name in scenario_names():
        made.add_row(name, load_scenario(name).title)
    console.print(made)
