"""What the pages say can be followed: links, commands, make targets and file names in every Markdown file of the project."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
from typer.exceptions import TyperException
from typer.main import get_command

from emberwatch.cli import app

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")})
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
ROOMS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PREFIX = re.compile(r"^(?:sudo (?:-u \w+ )?|exec |[A-Z_]+=\S+ )+")
_PLACEHOLDER = re.compile(r"[…<>{}*]|[A-Z]{4,}")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


class Page(NamedTuple):
    """A page taken apart: prose without fenced blocks, the lines of its shell blocks, and the code within its prose."""

    prose: str
    shell: list[str]
    inline: list[str]


def read(path: Path) -> Page:
    text = path.read_text("utf-8")
    prose = _FENCE.sub("", text)
    blocks = [body for language, body in _FENCE.findall(text) if language == "sh"]
    return Page(prose, [line for block in blocks for line in _commands(block)], _INLINE.findall(prose))


def _commands(block: str) -> Iterator[str]:
    """Yield each simple command of a shell block, substitutions and pipes taken apart."""
    joined = re.sub(r"\\\n\s*", " ", block).replace("$(", "\n")
    for line in re.split(r"\n|\||;|&& ", joined):
        yield _PREFIX.sub("", line.strip()).rstrip(")").split(" #")[0].strip()


def anchors(path: Path) -> set[str]:
    """Return the anchors that a reader of Markdown makes of the headings."""
    prose = _FENCE.sub("", path.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in _HEADING.findall(prose)}


def calls(lines: list[str]) -> list[list[str]]:
    """Return the arguments of each call of our command line."""
    found = [line.removeprefix(".venv/bin/") for line in lines]
    return [shlex.split(re.sub(r" [<>&].*", "", line))[1:] for line in found if re.match(r"emberwatch( |$)", line)]


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    """Relative links name a file that is there, and a heading in it; addresses of other hosts are not looked at."""
    for target in _LINK.findall(read(page).prose):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target}: no such file"
        assert not anchor or anchor in anchors(file), f"{target}: no such heading"


@each_page
def test_every_command_in_a_block_can_be_typed(page: Path) -> None:
    """Each call of emberwatch in a shell block is understood as it stands: command, options, arguments."""
    for arguments in calls(read(page).shell):
        parse(arguments)


def parse(arguments: list[str]) -> None:
    """Let the command line read the arguments without running anything."""
    node: Any = get_command(app)
    rest = list(arguments)
    while hasattr(node, "commands") and rest and not rest[0].startswith("-"):
        assert rest[0] in node.commands, f"emberwatch {' '.join(arguments)}: no such command"
        node = node.commands[rest.pop(0)]
    if "--help" not in rest:
        node.make_context("emberwatch", rest)


@each_page
def test_every_command_in_the_prose_exists(page: Path) -> None:
    """Calls within a sentence may leave arguments out; their words and options exist."""
    for arguments in calls(read(page).inline):
        node: Any = get_command(app)
        for word in arguments:
            if word in getattr(node, "commands", {}):
                node = node.commands[word]
            elif word.startswith("-"):
                options = {name for param in node.params for name in param.opts} | {"--help"}
                assert word.partition("=")[0] in options, f"{' '.join(arguments)}: no option {word}"
            else:
                shown = f"emberwatch {' '.join(arguments)}"
                assert not hasattr(node, "commands") or _PLACEHOLDER.search(word), f"{shown}: no {word}"


@each_page
def test_every_make_target_exists(page: Path) -> None:
    """Each word after `make` is a target of the Makefile (settings of variables left out)."""
    parts = read(page)
    for line in (*parts.shell, *parts.inline):
        if line.startswith("make "):
            words = {word for word in line.split()[1:] if "=" not in word}
            assert words <= TARGETS, line


@each_page
def test_every_file_named_is_there(page: Path) -> None:
    """What looks like a path into one of our folders is one; a name with a placeholder in capitals is left out."""
    for code in read(page).inline:
        name = code.partition("::")[0]
        if name.partition("/")[0] in ROOMS and "/" in name and " " not in name and not _PLACEHOLDER.search(name):
            assert (ROOT / name).exists(), name


@each_page
def test_no_page_names_a_place_on_somebodys_machine(page: Path) -> None:
    """A reader has none of the author's folders."""
    assert not re.findall(r"(?<![\w.])/(?:work|root|home|Users)/\S*", page.read_text("utf-8"))


def test_every_page_of_docs_is_in_the_index() -> None:
    """A page nobody can find is not there."""
    linked = {
        (ROOT / "docs" / target.partition("#")[0]).resolve()
        for target in _LINK.findall(read(ROOT / "docs/README.md").prose)
    }
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs") and page != ROOT / "docs/README.md"}
    assert pages <= linked, sorted(str(page.relative_to(ROOT)) for page in pages - linked)


def test_a_shell_block_is_taken_apart_as_a_shell_would() -> None:
    """Continued lines, pipes, substitutions, variables and sudo do not hide a call from the checks above."""
    block = (
        "TOKEN=$(emberwatch token x)\nsudo -u ew .venv/bin/emberwatch ledger \\\n  verify | cat > f\ncd emberwatch\n"
    )
    assert calls(list(_commands(block))) == [["token", "x"], ["ledger", "verify"]]


@pytest.mark.parametrize("wrong", [["register", "imprt"], ["doctor", "--fast"], ["history", "export", "--out", "f"]])
def test_a_call_that_cannot_be_typed_is_noticed(wrong: list[str]) -> None:
    """An unknown command, an unknown option, and a required option that is missing."""
    with pytest.raises((AssertionError, TyperException)):
        parse(wrong)
