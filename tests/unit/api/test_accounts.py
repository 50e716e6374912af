"""Passwords and names: what is accepted, what is generated, what is kept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accounts import check_policy, create_account, generate_password, hash_password, issue_token, verify_password
from domain.errors import InputError, RefusedError
from registers.account import Role


@pytest.mark.parametrize("password", ["Short-1", "onlylowercase", "lowerUPPERcase", "alice-and-her-horse-1", ""])
def test_weak_passwords_are_refused(password: str) -> None:
    """Too short, too uniform, or built on the account's name."""
    with pytest.raises(InputError):
        check_policy("alice", password)


@pytest.mark.parametrize("password", ["Abcdefgh12", "sixteen lower ch", "安全第一预防为主Ab", "预防为主" * 4])
def test_good_passwords_are_accepted(password: str) -> None:
    """Ten of three kinds, or sixteen of any; any script."""
    check_policy("alice", password)


def test_generated_passwords_pass_and_differ() -> None:
    """The first login is never a default."""
    made = {generate_password() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        check_policy("admin", password)
        assert not set(password) & set("0O1lI")


@given(st.text(max_size=40), st.text(max_size=40))
def test_only_the_same_password_verifies(one: str, other: str) -> None:
    """Any text can be a password, and no other text opens it."""
    kept = hash_password(one)
    assert one not in kept or not one.strip("$=,abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/ ")
    assert verify_password(kept, one)
    assert verify_password(kept, other) is (one == other)


def test_broken_hash_verifies_nothing() -> None:
    """A damaged row locks out rather than lets in."""
    assert not verify_password("not a hash", "x")


def test_names_are_unique_and_legal(house: Any) -> None:
    """A second account of a name is refused, and so is a name that would break a log line."""
    books = house.services.accounts
    create_account(books, "bob", Role.VIEWER, "Correct-Horse-1")
    with pytest.raises(RefusedError):
        create_account(books, "bob", Role.ADMIN, "Correct-Horse-2")
    assert books.account("bob").role is Role.VIEWER
    for name in ("", "a b", "x\ny", "x" * 65):
        with pytest.raises(InputError):
            create_account(books, name, Role.VIEWER, "Correct-Horse-1")


def test_token_names_are_unique_while_valid(house: Any) -> None:
    """A token is never replaced unawares."""
    books = house.services.accounts
    issue_token(books, "scrape", Role.VIEWER, 0)
    with pytest.raises(RefusedError):
        issue_token(books, "scrape", Role.ADMIN, 0)
