"""`backtest`: a recorded series through the real path, and what came of it."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from domain.errors import EngineError
from emberwatch.backtest.job import Job, Result, perform
from emberwatch.cli.common import ERR, OUT, ConfigOption, settings_of, table


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("backtest")(backtest)


OutOption = Annotated[Path | None, typer.Option(help="Folder for findings.csv and report.html.", show_default=False)]
TruthOption = Annotated[
    Path | None,
    typer.Option(help="Known events: CSV of start and end, of moments or labels, or JSON.", show_default=False),
]
ScoresOption = Annotated[
    Path | None, typer.Option(help="Write every statistical score to this CSV.", show_default=False)
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COLUMN=DEVICE:MEASURAND",
        help="What a column measures; repeat it. `{file}` in DEVICE is the file's name, `{COLUMN}` that column's cell.",
        show_default="every column of numbers, by its header",
    ),
]


def backtest(
    files: Annotated[list[Path], typer.Argument(help="Tables (CSV and the like, or .xlsx), one row a moment.")],
    time: Annotated[str | None, typer.Option(help="Name of the time column.", show_default="found by its look")] = None,
    mapping: MapOption = None,
    truth: TruthOption = None,
    scores: ScoresOption = None,
    out: OutOption = None,
    only: Annotated[
        list[str] | None, typer.Option("--rule", help="Only this rule; repeat it.", show_default=False)
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="RULE.PARAMETER=VALUE", help="Change a parameter; both are shown.", show_default=False
        ),
    ] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option(help="Run with the [rules] of this TOML file too; repeat it.", show_default=False),
    ] = None,
    *,
    suggest: Annotated[bool, typer.Option("--suggest", help="Propose set points from this history.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
    config: ConfigOption = None,
) -> None:
    """Run a recording through decoding, detectors and alarm lifecycle, with the file's own time.

    Example: `emberwatch backtest readings.csv --map E=east:ch4_ppm --truth releases.csv --out report`. Without `--map` every
    column of numbers is taken for what its header says; how it was understood is printed.
    """
    job = Job(
        tuple(files),
        time,
        tuple(mapping or ()),
        truth,
        scores,
        out,
        settings_of(config).rules,
        sets=tuple(sets or ()),
        only=tuple(only or ()),
        compare=tuple(compare or ()),
        suggest=suggest,
    )
    result = _perform(job)
    if as_json:
        sys.stdout.write(msgspec.json.encode(result.summary).decode() + "\n")
    else:
        _print(result)


def _perform(job: Job) -> Result:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("rows", total=None)
        try:
            return perform(job, lambda done, total: bar.update(task, completed=done, total=total))
        except OSError as error:
            raise EngineError(f"cannot write: {error}") from error


def _print(result: Result) -> None:
    summary: dict[str, Any] = result.summary
    OUT.print(f"{summary['readings']:,} readings, {summary['readings_per_s']:,} a second")
    for note in result.notes:
        OUT.print(f"[yellow]note[/]: {escape(note)}", markup=True)
    _print_findings({summary.get("name", "findings"): summary, **summary.get("compare", {})})
    if "suggest" in summary:
        OUT.print(
            "proposed set points; at most: the standard's; passed: how often this history went above, known events left out"
        )
        OUT.print(table(_PROPOSAL, [_cells(proposal.values()) for proposal in summary["suggest"]]))
    for path in result.written:
        OUT.print(f"wrote {path}")


def _cells(values: Iterable[object]) -> list[str]:
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in values]


_PROPOSAL = ("device", "measurand", "unit", "level 1", "level 2", "at most", "at most", "passed 1", "passed 2", "days")


def _print_findings(variants: dict[str, dict[str, Any]]) -> None:
    """Print what came of each variant, side by side."""
    rules = sorted({rule for found in variants.values() for rule in found["findings"]})
    first, *_ = columns = list(variants.values())
    rows: list[list[object]] = [[rule, *(found["findings"].get(rule, 0) for found in columns)] for rule in rules]
    rows += [[name, *(found["truth"][name] for found in columns)] for name in first.get("truth", ())]
    OUT.print(table(("", *variants), rows) if rows else "no findings")
