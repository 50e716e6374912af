"""Accounts and tokens: making, proving and changing them. Used by the login routes and by the command line.

Passwords are kept as argon2id (RFC 9106, second recommended option), tokens as SHA-256 of 256 random bits.
"""

import hashlib
import secrets
import string

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import InputError, NotFoundError, RefusedError
from domain.places import check_name
from registers.account import Account, Accounts, Role, Token

TOKEN_PREFIX = "ew_"  # noqa: S105  a mark, not a secret
_SHORTEST = 10
_LONG_ENOUGH = 16
_CLASSES_NEEDED = 3
_GENERATED = 20
# Without letters and digits that are mistaken for one another when read aloud.
_ALPHABET = "".join(c for c in string.ascii_letters + string.digits if c not in "0O1lI")

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """Return an argon2id string."""
    return _hasher.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Return whether the password is the one behind the hash; takes the same time either way."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def check_policy(name: str, password: str) -> None:
    """Raise InputError unless the password has 16 characters, or 10 of three kinds, and is not built on the name."""
    if len(password) < _SHORTEST:
        raise InputError(f"a password needs at least {_SHORTEST} characters")
    if len(password) < _LONG_ENOUGH and _classes(password) < _CLASSES_NEEDED:
        raise InputError(
            f"a password under {_LONG_ENOUGH} characters needs three of: lower case, upper case, digits, other characters"
        )
    if name.lower() in password.lower():
        raise InputError("a password must not contain the account's name")


def _classes(password: str) -> int:
    kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isascii() or not c.isalnum())
    return sum(any(kind(c) for c in password) for kind in kinds)


def generate_password() -> str:
    """Return a random password of 20 unmistakable characters (115 bits), fit for reading off a terminal."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GENERATED))


def create_account(accounts: Accounts, name: str, role: Role, password: str) -> Account:
    """Add an account; raise InputError for a bad name or password, RefusedError when the name is taken."""
    check_name(name, "account name")
    check_policy(name, password)
    if _exists(accounts, name):
        raise RefusedError(f"there is already an account '{name}'")
    account = Account(name=name, role=role, password_hash=hash_password(password))
    accounts.put_account(account)
    return account


def _exists(accounts: Accounts, name: str) -> bool:
    try:
        accounts.account(name)
    except NotFoundError:
        return False
    return True


def set_password(accounts: Accounts, name: str, password: str) -> Account:
    """Give an account a new password, lift its lock, and end its sessions; raise NotFoundError, InputError."""
    account = accounts.account(name)
    check_policy(name, password)
    changed = msgspec.structs.replace(
        account,
        password_hash=hash_password(password),
        generation=account.generation + 1,
        failures=0,
        locked_until_ms=0,
    )
    accounts.put_account(changed)
    return changed


def issue_token(accounts: Accounts, name: str, role: Role, now_ms: int, expires_ms: int | None = None) -> str:
    """Make a token and return its secret, which can never be shown again; raise RefusedError when the name is in use."""
    check_name(name, "token name")
    if any(token.name == name and not token.revoked for token in accounts.tokens()):
        raise RefusedError(f"there is already a token '{name}'; revoke it first")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    accounts.put_token(Token(name=name, role=role, digest=_digest(secret), created_at_ms=now_ms, expires_ms=expires_ms))
    return secret


def revoke_token(accounts: Accounts, name: str) -> None:
    """End a token at once; raise NotFoundError."""
    token = next((token for token in accounts.tokens() if token.name == name), None)
    if token is None:
        raise NotFoundError(f"no token '{name}'")
    accounts.put_token(msgspec.structs.replace(token, revoked=True))


def find_token(accounts: Accounts, secret: str, now_ms: int) -> Token:
    """Return the valid token behind a secret; raise NotFoundError for an unknown, revoked or expired one."""
    token = accounts.token_by_digest(_digest(secret))
    if token.revoked or (token.expires_ms is not None and token.expires_ms <= now_ms):
        raise NotFoundError(f"token '{token.name}' is no longer valid")
    return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
