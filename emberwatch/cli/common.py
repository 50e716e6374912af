"""What the commands share: the settings option, the console, tables."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from emberwatch.settings import Settings, load

OUT = Console(soft_wrap=True, highlight=False)
ERR = Console(stderr=True, soft_wrap=True, highlight=False)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Settings file (else $EMBERWATCH_CONFIG, else ./emberwatch.toml).", show_default=False
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", "-d", help="Data folder, over the one in the settings.", show_default=False),
]


def settings_of(config: Path | None, data: Path | None = None) -> Settings:
    """Return the settings, with the data folder of the command line if one was given."""
    settings = load(config)
    return settings if data is None else msgspec.structs.replace(settings, data=str(data))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a plain table for the console."""
    made = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made
