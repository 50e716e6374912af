"""`history`: readings out of the house, for those who want to look at them with other tools."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from emberwatch.cli.common import OUT, ConfigOption, DataOption, settings_of
from emberwatch.stores import export_history

history_app = typer.Typer(no_args_is_help=True, help="The history of readings.")


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(history_app, name="history")


@history_app.command("export")
def export(
    before: Annotated[
        dt.datetime,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Export the days before this one (local, 2026-11-01)."),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files go.")],
    *,
    drop: Annotated[
        bool,
        typer.Option("--drop", help="Then drop the exported readings from the history; the service reuses the space."),
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Write old readings to Parquet, one sorted file a day, while the service is stopped. Doing it again adds what came late.

    Example: `emberwatch history export --before 2026-11-01 --out archive --drop`
    """
    total = 0
    for day in export_history(settings_of(config, data), before.date(), out, drop=drop):
        OUT.print(f"{day.file}: {day.readings:,} readings", markup=False)
        total += day.readings
    OUT.print(f"{total:,} readings in all" if total else f"no readings before {before.date()}")
