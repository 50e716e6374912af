"""`register import` and `register export`: who and what may work, from and to CSV."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from domain.errors import InputError
from emberwatch.cli.common import ERR, OUT, ConfigOption, DataOption, settings_of, table
from emberwatch.stores import open_books
from registers.exchange import ImportReport, export_rows, import_folder, import_rows
from registers.nouns import NOUNS
from registers.store import Registers

app = typer.Typer(
    no_args_is_help=True, help="Registers of sites, devices, machines, welders, certificates, permits, inspectors."
)
_BY = "user:command-line"


def add_to(parent: typer.Typer) -> None:
    """Add this file's commands."""
    parent.add_typer(app, name="register")


@app.command("import")
def import_(
    path: Annotated[
        Path, typer.Argument(help="A CSV file named after its register (device.csv), or a folder of them.")
    ],
    noun: Annotated[
        str | None, typer.Option("--as", help="The register, when the file has another name.", show_default=False)
    ] = None,
    partial: Annotated[bool, typer.Option(help="Import the good rows even when some are bad.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Import registers from CSV. Every bad row is reported by line, column and reason; a running service learns at once.

    A row is the whole entry. Columns are in docs/reference/registers.md; `register export device` shows the form.
    """
    if not path.exists():
        raise InputError(f"there is no file or folder {path}")
    with open_books(settings_of(config, data)) as books:
        reports = _import(books.registers, path, noun, partial=partial)
    OUT.print(
        table(
            ("register", "read", "imported", "unchanged"), ((r.noun, r.read, r.imported, r.unchanged) for r in reports)
        )
    )
    for report in reports:
        _explain(report)
    if any(report.problems for report in reports):
        raise typer.Exit(2)


def _import(store: Registers, path: Path, noun: str | None, *, partial: bool) -> list[ImportReport]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=ERR, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("rows", total=None)

        def told(name: str, done: int, total: int) -> None:
            bar.update(task, description=name, completed=done, total=total)

        if path.is_dir():
            return import_folder(store, path, by=_BY, partial=partial, progress=told)
        name = noun or path.stem
        if name not in NOUNS:
            raise InputError(f"{path.name} is not named after a register; say which with --as ({', '.join(NOUNS)})")
        return [
            import_rows(store, name, path.read_bytes(), by=_BY, partial=partial, progress=lambda d, t: told(name, d, t))
        ]


def _explain(report: ImportReport, most: int = 50) -> None:
    for kind, rows in (("[red]bad[/]", report.problems), ("[yellow]note[/]", report.warnings)):
        for row in rows[:most]:
            value = f" ({row.value})" if row.value else ""
            OUT.print(f"{kind} {report.noun}.csv line {row.line}, column {row.column}: {row.reason}{value}")
        if len(rows) > most:
            OUT.print(f"… and {len(rows) - most} more")
    if report.problems and not report.imported:
        OUT.print(f"nothing of {report.noun} was imported; mend the rows, or take the good ones with --partial")


@app.command("export")
def export(
    noun: Annotated[str, typer.Argument(help=f"One of {', '.join(NOUNS)}.")],
    out: Annotated[Path | None, typer.Option(help="File to write; else standard output.", show_default=False)] = None,
    unmasked: Annotated[
        bool, typer.Option(help="With names, numbers and telephones in full. Handle with care.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Write a register as CSV, personal data masked."""
    with open_books(settings_of(config, data), new=False) as books:
        text = export_rows(books.registers, noun, unmasked=unmasked)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, "utf-8")
        OUT.print(f"wrote {out}")
