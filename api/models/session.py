"""Logging in and who one is."""

from typing import Annotated

from pydantic import Field, SecretStr

from api.models.base import Body, EpochMs, View
from registers.account import Role

Password = Annotated[SecretStr, Field(max_length=1024)]


class Login(Body):
    """Name and password."""

    name: Annotated[str, Field(min_length=1, max_length=64, examples=["admin"])]
    password: Password


class PasswordChange(Body):
    """The old password proves that it is still the same person at the screen."""

    old: Password
    new: Password


class Me(View):
    """Who is asking. `expires_ms`: when the session ends at the latest (null for a token without an end)."""

    name: str
    role: Role
    via: str = Field(examples=["session"])
    expires_ms: EpochMs | None
