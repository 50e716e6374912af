"""Looking after a running system: `doctor`, `config`, `rules`, `journal`, `ledger`, `deadletters`."""

import asyncio
import sys
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from detectors.catalogue import CATALOGUE
from domain.errors import CorruptionError, InputError
from emberwatch.backtest.runner import iso
from emberwatch.cli.common import OUT, ConfigOption, DataOption, settings_of, table
from emberwatch.doctor import examine
from emberwatch.parts import clock_ms
from emberwatch.replay import refuse_undated, replay
from emberwatch.settings import SECRETS, Settings, walk
from emberwatch.stores import open_books, open_journal_for_reading
from ingest.deadletters import preview
from ledger.hazard import Tampering

config_app = typer.Typer(no_args_is_help=True, help="Settings: what they are and whether they make sense.")
journal_app = typer.Typer(no_args_is_help=True, help="The journal of everything devices said.")
ledger_app = typer.Typer(no_args_is_help=True, help="The hazard ledger.")
letters_app = typer.Typer(no_args_is_help=True, help="Messages nobody could read.")
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("doctor")(doctor)
    app.command("rules")(rules)
    app.add_typer(config_app, name="config")
    app.add_typer(journal_app, name="journal")
    app.add_typer(ledger_app, name="ledger")
    app.add_typer(letters_app, name="deadletters")


def doctor(config: ConfigOption = None, data: DataOption = None) -> None:
    """Check broker, stores, clock, disk and versions, and say what to do. Exits with 1 when something is wrong."""
    checks = examine(settings_of(config, data))
    for check in checks:
        mark = "[green]ok[/]   " if check.ok else "[red]wrong[/]"
        OUT.print(
            f"{mark} {check.name:<10} {check.detail}"
            + (f"\n      → {check.advice}" if check.advice and not check.ok else "")
        )
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def rules(*, as_json: JsonOption = False) -> None:
    """List every rule: code, title, severity, hazard grade, basis, and whether it is built."""
    rows: list[dict[str, object]] = [
        {
            "code": rule.code,
            "title": rule.title,
            "severity": int(rule.severity),
            "grade": None if rule.grade is None else str(rule.grade),
            "basis": str(rule.basis),
            "built": rule.built,
        }
        for rule in CATALOGUE.values()
    ]
    if as_json:
        sys.stdout.write(msgspec.json.encode(rows).decode() + "\n")
        return
    for row in rows:
        state = "" if row["built"] else "  (not built)"
        grade = f", hazard {row['grade']}" if row["grade"] else ""
        OUT.print(f"[bold]{row['code']}[/] {row['title']}  severity {row['severity']}{grade}{state}")
        OUT.print(f"     {escape(str(row['basis']))}")


@config_app.command("show")
def config_show(config: ConfigOption = None) -> None:
    """Print every setting in force; secrets are hidden."""
    settings = settings_of(config)
    OUT.print(table(("setting", "value"), ((path, _shown(settings, path)) for path, _ in walk())))


@config_app.command("check")
def config_check(config: ConfigOption = None) -> None:
    """Say whether the settings make sense; exit with 2 and the reason when not."""
    settings = settings_of(config)
    for check in examine(settings, only=("settings",)):
        if not check.ok:
            raise InputError(check.detail)
    OUT.print("the settings are fine")


def _shown(settings: Settings, path: str) -> str:
    value: object = settings
    for name in path.split("."):
        value = getattr(value, name)
    return "(hidden)" if path in SECRETS and value is not None else str(value)


@journal_app.command("info")
def journal_info(config: ConfigOption = None, data: DataOption = None) -> None:
    """Say what the journal holds."""
    with open_journal_for_reading(settings_of(config, data)) as journal:
        info = journal.info()
    rows = [
        ("records", f"{info.start} to {info.end}"),
        ("of devices", info.device_records),
        ("from", iso(info.first_ms)),
        ("to", iso(info.last_ms)),
        ("bytes", f"{info.bytes:,}"),
    ]
    OUT.print(table(("", ""), rows))


@ledger_app.command("verify")
def ledger_verify(config: ConfigOption = None, data: DataOption = None) -> None:
    """Check the hash chain of the hazard ledger; names every edited, removed or reordered row. Exits with 1 if there is one."""
    with open_books(settings_of(config, data), new=False) as books:
        found = books.ledger.hazards.verify_chain()
    for tampering in found:
        OUT.print(f"[red]{_place(tampering)}[/]: {escape(tampering.problem)}")
    if found:
        raise CorruptionError(f"{len(found)} places where the ledger was changed behind its back")
    OUT.print("the ledger is whole")


def _place(tampering: Tampering) -> str:
    if tampering.sequence is None:
        return f"hazard {tampering.hazard}"
    return f"row {tampering.sequence} of the chain" + (f" (hazard {tampering.hazard})" if tampering.hazard else "")


@letters_app.command("list")
def letters_list(
    reason: Annotated[str | None, typer.Option(help="Only this reason.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """List dead letters, newest first."""
    with open_books(settings_of(config, data), new=False) as books:
        letters = books.ledger.dead_letters.dead_letters(reason=reason, limit=limit)
    rows = [(d.offset, iso(d.received_ms), d.reason, d.topic, len(d.payload)) for d in letters]
    OUT.print(table(("offset", "received", "reason", "topic", "bytes"), rows) if rows else "no dead letters")


@letters_app.command("show")
def letters_show(offset: int, config: ConfigOption = None, data: DataOption = None) -> None:
    """Show one dead letter, as text and as hex."""
    with open_books(settings_of(config, data), new=False) as books:
        letter = books.ledger.dead_letters.dead_letter(offset)
    OUT.print(
        f"received {iso(letter.received_ms)}\ntopic    {letter.topic}\nreason   {letter.reason}: {letter.detail}",
        markup=False,
    )
    OUT.print(preview(letter.payload), markup=False)


@letters_app.command("replay")
def letters_replay(
    offset: int,
    live: Annotated[bool, typer.Option("--live", help="Even if it says no time and so counts as said now.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Publish a dead letter again on its own topic, after what made it unreadable is mended."""
    settings = settings_of(config, data)
    with open_books(settings, new=False) as books:
        letter = books.ledger.dead_letters.dead_letter(offset)
        if not live:
            refuse_undated(letter)
        asyncio.run(replay(settings, letter))
        books.ledger.dead_letters.dead_letter_replayed(offset, clock_ms())
    OUT.print(f"published {len(letter.payload)} bytes on {letter.topic}", markup=False)
