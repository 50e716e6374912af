"""`user` and `token`: who may log in, and which programs may ask."""

from typing import Annotated

import typer

from api.accounts import create_account, generate_password, issue_token, revoke_token, set_password
from emberwatch.cli.common import OUT, ConfigOption, DataOption, settings_of, table
from emberwatch.parts import clock_ms
from emberwatch.stores import open_books
from registers.account import Role

_DAY_MS = 86_400_000
_GENERATE = "-"
users = typer.Typer(no_args_is_help=True, help="Accounts of people.")


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(users, name="user")
    app.command("token")(token)


PasswordOption = Annotated[
    str | None,
    typer.Option(
        "--password", envvar="EMBERWATCH_PASSWORD", help="Else it is asked for; `-` generates one.", show_default=False
    ),
]


@users.command("add")
def add(
    name: str,
    role: Annotated[Role, typer.Option(help="viewer watches, operator acts, admin also administers.")] = Role.OPERATOR,
    password: PasswordOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Add an account."""
    with open_books(settings_of(config, data)) as books:
        chosen = _password(password)
        create_account(books.accounts, name, role, chosen)
    _tell(password, chosen)
    OUT.print(f"account {name} ({role}) is there")


@users.command("passwd")
def passwd(name: str, password: PasswordOption = None, config: ConfigOption = None, data: DataOption = None) -> None:
    """Set a new password; sessions under the old one end."""
    with open_books(settings_of(config, data), new=False) as books:
        books.accounts.account(name)
        chosen = _password(password)
        set_password(books.accounts, name, chosen)
    _tell(password, chosen)
    OUT.print(f"the password of {name} is changed")


@users.command("list")
def list_users(config: ConfigOption = None, data: DataOption = None) -> None:
    """List the accounts."""
    with open_books(settings_of(config, data), new=False) as books:
        rows = [(a.name, a.role, "disabled" if a.disabled else "") for a in books.accounts.accounts()]
    OUT.print(table(("name", "role", "state"), rows))


def _password(given: str | None) -> str:
    if given == _GENERATE:
        return generate_password()
    return given or str(typer.prompt("password", hide_input=True, confirmation_prompt=True))


def _tell(given: str | None, chosen: str) -> None:
    """Show a generated password, once it is in force."""
    if given == _GENERATE:
        OUT.print(f"generated password: [bold]{chosen}[/]")


def token(
    name: Annotated[str, typer.Argument(help="What the program is, e.g. prometheus.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days until it runs out; else never.", show_default=False)
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="End this token instead, at once.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Issue an API token; the secret is printed once. `curl -H "Authorization: Bearer SECRET" …/api/v1/status`."""
    with open_books(settings_of(config, data)) as books:
        if revoke:
            revoke_token(books.accounts, name)
            OUT.print(f"token {name} is ended")
            return
        now = clock_ms()
        secret = issue_token(books.accounts, name, role, now, None if days is None else now + days * _DAY_MS)
    OUT.print(secret)
