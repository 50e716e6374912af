"""Who may use the service: accounts of people and tokens of programs, and the port they are kept behind."""

from enum import StrEnum
from typing import Protocol

import msgspec


class Role(StrEnum):
    """What an account may do: watch; act (acknowledge, transitions); or also change registers and accounts."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A login. `password_hash` is an argon2id string; `generation` grows with each password change and ends old sessions."""

    name: str
    role: Role
    password_hash: str
    generation: int = 1
    failures: int = 0
    locked_until_ms: int = 0
    disabled: bool = False


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A program's key: only the SHA-256 of the secret is kept. `name` says what it is for."""

    name: str
    role: Role
    digest: str
    created_at_ms: int
    expires_ms: int | None = None
    revoked: bool = False


class Accounts(Protocol):
    """Accounts and tokens. Methods raise NotFoundError, RefusedError (name taken) and EngineError."""

    def account(self, name: str) -> Account:
        """Return one account."""
        ...

    def accounts(self) -> list[Account]:
        """Return all, by name."""
        ...

    def put_account(self, account: Account) -> None:
        """Insert or replace."""
        ...

    def record_failure(self, name: str, *, most: int, locked_until_ms: int) -> None:
        """Count a failed login and nothing else; at the `most`th begin again at 0 and lock the account until then.

        A password or role that somebody changes at the same time stays changed; an unknown name is passed over.
        """
        ...

    def clear_failures(self, name: str) -> None:
        """Forget failed logins, and touch nothing else."""
        ...

    def token_by_digest(self, digest: str) -> Token:
        """Return the token with this digest."""
        ...

    def tokens(self) -> list[Token]:
        """Return all, by name."""
        ...

    def put_token(self, token: Token) -> None:
        """Insert or replace by name."""
        ...

    def secret(self, name: str) -> bytes:
        """Return a 32-byte random key kept under `name` (cookie signing, search hashes), made at first use."""
        ...
