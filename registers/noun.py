"""What every register entry has in common: a key, a validated shape, and a public projection without personal data."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec

Code = Annotated[str, msgspec.Meta(pattern=r"\A(?!-\Z)[A-Za-z0-9_-]{1,64}\Z")]
"""A key: 1-64 characters of `A-Z a-z 0-9 _ -`, but not `-` alone, which stands for all of them (domain.places)."""
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=604_800)]
"""A reporting interval: at most a week."""
MASK = "*"
"""What hides a character of a personal value; never part of a real one."""
Remarks = list[tuple[str, str]]
"""(column, reason) pairs; a reason never repeats the value of a private field."""


class Noun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every register entry; values are validated when built by `registers.nouns.build`.

    `private` names the personal fields: masked at every exit, absent from `projection`. `references`: field → the noun
    whose key it holds (a tuple field holds several). `unique`: groups of fields that no two entries may share.
    """

    noun: ClassVar[str]
    title: ClassVar[str]
    private: ClassVar[frozenset[str]] = frozenset()
    references: ClassVar[Mapping[str, str]] = {}
    unique: ClassVar[tuple[tuple[str, ...], ...]] = ()

    @property
    def key(self) -> str:
        """The entry's identity within its register."""
        return str(getattr(self, "code"))  # noqa: B009  subclasses define it

    def problems(self) -> Remarks:
        """Return (column, reason) of every rule of the field that this entry breaks; empty when it is sound."""
        return []

    def warnings(self) -> Remarks:
        """Return (column, reason) of what may be kept but deserves a second look."""
        return []

    def projection(self) -> dict[str, Any]:
        """Return the fields that may travel through the journal, as JSON-able values."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in fields.items() if name not in self.private}


def half_a_place(lat: float | None, lon: float | None) -> Remarks:
    """Return the problem of a latitude without a longitude, or the other way round."""
    if (lat is None) == (lon is None):
        return []
    return [("lat", "a longitude without a latitude")] if lat is None else [("lon", "a latitude without a longitude")]
