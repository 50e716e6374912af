"""The reference page of the command line, made from its commands: `python -m emberwatch.cli.describe > docs/reference/cli.md`.

`commands` is also what the documentation's tests look up, so that no page names a command or an option that does not exist.
"""

import re
import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

from typer.main import get_command

from emberwatch.cli import app

_INTRODUCTION = """\
# Command line

Made from the commands in `emberwatch/cli/` by `python -m emberwatch.cli.describe`; a test keeps it equal. Every command also
explains itself with `--help`.

A mistake is explained on standard error, never by a traceback.
Exit codes: 0 done; 1 an engine failed, or a check found something wrong;
2 a mistake in what was given (arguments, settings, files); 130 Ctrl-C where nothing runs that could be stopped in order.
"""
_NO_DEFAULT = (None, False)


class Parameter(NamedTuple):
    """One argument or option: how it is written, what it takes when left out, what it means."""

    names: tuple[str, ...]
    is_option: bool
    takes_value: bool
    required: bool
    default: str
    help: str

    @property
    def shown(self) -> str:
        """Return it as one writes it."""
        return ", ".join(self.names) if self.is_option else self.names[0].upper()


class Command(NamedTuple):
    """One command: its words after `emberwatch`, its help text and its parameters."""

    words: tuple[str, ...]
    help: str
    parameters: tuple[Parameter, ...]

    @property
    def usage(self) -> str:
        """Return the line one types, arguments and required options named."""
        needed = [p.shown for p in self.parameters if not p.is_option]
        needed += [f"{p.names[0]} …" for p in self.parameters if p.is_option and p.required]
        return " ".join(["emberwatch", *self.words, *needed])


def commands() -> dict[tuple[str, ...], Command]:
    """Return every command by its words, in the order of the help."""
    return {command.words: command for command in _walk(get_command(app), ())}


def _walk(node: Any, words: tuple[str, ...]) -> Iterator[Command]:
    if hasattr(node, "commands"):
        for name, child in node.commands.items():
            yield from _walk(child, (*words, name))
    else:
        yield Command(words, node.help or "", tuple(_parameter(p) for p in node.params if not p.hidden))


def _parameter(param: Any) -> Parameter:
    is_option = param.param_type_name == "option"
    default = param.default.value if isinstance(param.default, Enum) else param.default
    variable = f" Also `{param.envvar}`." if param.envvar else ""
    return Parameter(
        names=tuple(param.opts),
        is_option=is_option,
        takes_value=not getattr(param, "is_flag", False),
        required=param.required,
        default="" if default in _NO_DEFAULT else str(default),
        help=(param.help or "").strip() + variable,
    )


def describe() -> str:
    """Return the page as Markdown."""
    return "\n".join([_INTRODUCTION, *(line for command in commands().values() for line in _section(command))])


def _section(command: Command) -> Iterator[str]:
    yield f"## emberwatch {' '.join(command.words)}\n"
    yield f"`{command.usage}`\n"
    yield _one_line_each(command.help) + "\n"
    if command.parameters:
        yield from ("| | default | |", "|---|---|---|")
        yield from (_row(parameter) for parameter in command.parameters)
        yield ""


def _one_line_each(text: str) -> str:
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def _row(p: Parameter) -> str:
    default = "required" if p.required else f"`{p.default}`" if p.default else ""
    return f"| `{p.shown}` | {default} | {p.help} |"


if __name__ == "__main__":
    sys.stdout.write(describe())
