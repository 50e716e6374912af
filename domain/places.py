"""Who speaks and from where: the `area/site/device` path that a topic carries and that is a device's identity."""

import re
from typing import NamedTuple, Self

from domain.errors import InputError

ALL = "-"
"""Stands in an alarm's path for all of them: `area/site/-` is a whole site, `area/-/-` a whole area."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_name(name: str, what: str = "name") -> str:
    """Return `name` if it is 1-64 characters of `A-Z a-z 0-9 _ -`; raise InputError otherwise."""
    if _NAME.fullmatch(name) is None:
        raise InputError(f"{what} {name[:80]!r} is not 1-64 characters of A-Z a-z 0-9 _ -")
    return name


class DevicePath(NamedTuple):
    """Area, site and device of one topic; build it with `parse` or `of`, which refuse illegal names."""

    area: str
    site: str
    device: str

    @classmethod
    def of(cls, area: str, site: str, device: str) -> Self:
        """Return the path of three legal names; raise InputError naming the first illegal one."""
        return cls(check_name(area, "area"), check_name(site, "site"), check_name(device, "device"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the path written as `area/site/device`; raise InputError otherwise."""
        parts = text.split("/")
        if len(parts) != len(cls._fields):
            raise InputError(f"{text[:200]!r} is not area/site/device")
        return cls.of(*parts)

    def __str__(self) -> str:
        return f"{self.area}/{self.site}/{self.device}"
