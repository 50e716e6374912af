"""The door: what a failed login may write."""

from typing import Any

import pytest
from msgspec.structs import replace

from api import door
from api.accounts import hash_password
from api.problems import UnauthenticatedError
from registers.account import Account, Role


def test_password_reset_survives_a_login_that_fails_meanwhile(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checking takes long; what an administrator writes in that time is not undone."""
    accounts = house.services.accounts
    old = Account(name="stolen", role=Role.OPERATOR, password_hash=hash_password("old password of 20"))
    new = replace(old, password_hash=hash_password("new password of 20"), generation=2)
    accounts.put_account(old)

    def reset_while_checking(_hash: str, _password: str) -> bool:
        accounts.put_account(new)
        return False

    monkeypatch.setattr(door, "verify_password", reset_while_checking)
    with pytest.raises(UnauthenticatedError):
        door.Door(accounts, lambda: 0).login("stolen", "guess", "1.2.3.4")
    assert accounts.account("stolen") == replace(new, failures=1)
