"""`emberwatch demo`: a district in a box, from nothing to a screen with alarms in under a minute."""

import asyncio
import datetime as dt
from pathlib import Path

from rich.console import Console

from api.accounts import create_account, generate_password
from domain.errors import ConfigurationError
from emberwatch.service import listen, running
from emberwatch.settings import Settings
from emberwatch.stores import Books
from registers.account import Accounts, Role
from simulators.districts import demo_registers
from simulators.scenario import load_scenario
from simulators.sending import run as play

_PORTS_TRIED = 20


async def demonstrate(data: Path, port: int, seed: int, console: Console, stop: asyncio.Event) -> None:
    """Run everything until `stop`; progress and the login go to `console`."""
    settings = Settings(data=str(data))
    known = (settings.folder / "emberwatch.db").exists()
    free = free_port(settings.api.host, port)
    if free != port:
        console.print(f"port {port} is busy: taking {free}")
    async with running(settings, lambda text: console.print(f"[dim]· {text}[/]"), free) as service:
        _fill_registers(service.parts.books)
        login = first_login(service.parts.books.accounts)
        scenario = load_scenario("demo", seed=seed)
        players = asyncio.create_task(
            play(scenario, service.address.host, service.address.port, stop=stop), name="simulators"
        )
        _greet(console, service.url, login, settings.folder, going_on=known)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({players, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.gather(players, return_exceptions=False)
    console.print(f"stopped; state is kept in {settings.folder}")


def free_port(host: str, first: int) -> int:
    """Return the first port from `first` on that nobody uses; raise ConfigurationError when 20 are busy."""
    for port in range(first, min(first + _PORTS_TRIED, 65_536)):
        try:
            listen(host, port).close()
        except ConfigurationError:
            continue
        return port
    raise ConfigurationError(
        f"ports {first} to {first + _PORTS_TRIED - 1} on {host} are all busy; choose another with --port"
    )


def _fill_registers(books: Books) -> None:
    now = dt.datetime.now(dt.UTC)
    for entries in demo_registers(now.astimezone().date(), now).values():
        books.registers.put(entries, by="user:demo")


def first_login(accounts: Accounts) -> tuple[str, str] | None:
    """Make the first account with a generated password; return name and password, or None when accounts exist."""
    if accounts.accounts():
        return None
    password = generate_password()
    create_account(accounts, "admin", Role.ADMIN, password)
    return "admin", password


def _greet(console: Console, url: str, login: tuple[str, str] | None, folder: Path, *, going_on: bool) -> None:
    console.print()
    console.print(f"  screen    [bold]{url}[/]")
    if login is not None:
        console.print(f"  login     [bold]{login[0]}[/]  password [bold]{login[1]}[/]   (generated; shown this once)")
    else:
        console.print(f"  login     as before; a new password: emberwatch user passwd admin --data {folder}")
    console.print(f"  state     {folder}" + ("  (going on from last time)" if going_on else ""))
    console.print("  stop      Ctrl-C")
    console.print()
    console.print(
        "Within a minute: a gas leak, an unregistered machine, an uncertified welder, a fire alarm, a silent detector."
    )
