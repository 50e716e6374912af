"""Accounts, tokens and secrets in SQL."""

import secrets
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from domain.errors import NotFoundError, RefusedError
from registers.account import Account, Token
from storage.sql.account_tables import ACCOUNT, SECRET, TOKEN
from storage.sql.engine import reading, writing
from storage.sql.rows import convert

_SECRET_BYTES = 32
_T = TypeVar("_T", Account, Token)


class SqlAccounts:
    """Implements registers.account.Accounts."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def account(self, name: str) -> Account:
        return self._one(Account, ACCOUNT, ACCOUNT.c.name == name, f"no account '{name}'")

    def accounts(self) -> list[Account]:
        return self._all(Account, ACCOUNT)

    def put_account(self, account: Account) -> None:
        self._put(ACCOUNT, account)

    def record_failure(self, name: str, *, most: int, locked_until_ms: int) -> None:
        failures = ACCOUNT.c.failures + 1
        self._update(
            name,
            failures=sa.case((failures >= most, 0), else_=failures),
            locked_until_ms=sa.case((failures >= most, locked_until_ms), else_=ACCOUNT.c.locked_until_ms),
        )

    def clear_failures(self, name: str) -> None:
        self._update(name, failures=0)

    def _update(self, name: str, **values: Any) -> None:
        with writing(self._engine) as connection:
            connection.execute(ACCOUNT.update().where(ACCOUNT.c.name == name).values(values))

    def token_by_digest(self, digest: str) -> Token:
        return self._one(Token, TOKEN, TOKEN.c.digest == digest, "no such token")

    def tokens(self) -> list[Token]:
        return self._all(Token, TOKEN)

    def put_token(self, token: Token) -> None:
        self._put(TOKEN, token)

    def secret(self, name: str) -> bytes:
        with reading(self._engine) as connection:
            value = _secret(connection, name)
        return value if value is not None else self._make_secret(name)

    def _make_secret(self, name: str) -> bytes:
        with writing(self._engine) as connection:
            value = _secret(connection, name)  # another process may have been first
            if value is None:
                value = secrets.token_bytes(_SECRET_BYTES)
                connection.execute(SECRET.insert().values(name=name, value=value))
        return value

    def _one(self, cls: type[_T], table: sa.Table, where: sa.ColumnElement[bool], missing: str) -> _T:
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(table).where(where)).one_or_none()
        if row is None:
            raise NotFoundError(missing)
        return convert(row, cls)

    def _all(self, cls: type[_T], table: sa.Table) -> list[_T]:
        with reading(self._engine) as connection:
            return [convert(row, cls) for row in connection.execute(sa.select(table).order_by(table.c.name))]

    def _put(self, table: sa.Table, kept: Account | Token) -> None:
        values = msgspec.to_builtins(kept)
        with writing(self._engine) as connection:
            try:
                done = connection.execute(table.update().where(table.c.name == kept.name).values(values))
                if not done.rowcount:
                    connection.execute(table.insert().values(values))
            except IntegrityError as error:
                raise RefusedError(f"{table.name} '{kept.name}': its secret already belongs to another") from error


def _secret(connection: sa.Connection, name: str) -> bytes | None:
    value: bytes | None = connection.execute(
        sa.select(SECRET.c.value).where(SECRET.c.name == name)
    ).scalar_one_or_none()
    return value
