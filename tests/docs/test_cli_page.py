"""The page of the command line is what the commands say."""

from pathlib import Path

from emberwatch.cli.describe import commands, describe

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_is_what_the_commands_say() -> None:
    """Run `python -m emberwatch.cli.describe > docs/reference/cli.md` after changing a command."""
    assert PAGE.read_text("utf-8") == describe()


def test_every_command_has_a_help_text() -> None:
    """A command that does not say what it does teaches nobody."""
    assert not [command.words for command in commands().values() if not command.help]


def test_every_command_has_a_heading_of_its_own() -> None:
    """Other pages link to the heading."""
    lines = describe().splitlines()
    assert [line for line in lines if line.startswith("## ")] == [f"## emberwatch {' '.join(w)}" for w in commands()]
