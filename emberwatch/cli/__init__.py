"""The command line: one small file a group of commands; every mistake ends in one helpful line, never in a traceback."""

import sys

import typer
from rich.console import Console
from rich.markup import escape

from domain.errors import EmberwatchError, InputError
from emberwatch.cli import accounts, backtest, history, operations, registers, serve

app = typer.Typer(
    name="emberwatch",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Watches gas detectors, fire detectors and coded welding machines, and keeps the hazard ledger.

New here? `emberwatch demo` shows a district in a box. Then `emberwatch run` with your own broker, and `emberwatch doctor` when
something seems wrong.""",
)
for module in (serve, registers, backtest, operations, history, accounts):
    module.add_to(app)

_INTERRUPTED = 130


def main() -> None:
    """Run the command line; exit with 2 for a mistake of the caller, 1 for a failing engine."""
    try:
        app()
    except InputError as error:
        _fail(str(error), 2)
    except EmberwatchError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _fail(message: str, code: int) -> None:
    Console(stderr=True, soft_wrap=True).print(f"[bold red]error[/]: {escape(message)}", highlight=False)
    sys.exit(code)
