"""Bans on hot work hold where and when they say."""

import datetime as dt
from typing import Any

import pytest

from domain.errors import InputError
from registers.ban import Ban
from registers.local_time import LOCAL
from registers.nouns import build

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=LOCAL)
HOUR = dt.timedelta(hours=1)


def ban(**fields: Any) -> Ban:
    entry = build("ban", {"code": "B", "reason": "营业期间"} | fields)
    assert isinstance(entry, Ban)
    return entry


@pytest.mark.parametrize(
    ("fields", "covered"),
    [({}, True), ({"area": "a"}, True), ({"site": "s"}, True), ({"area": "b"}, False), ({"site": "t"}, False)],
)
def test_it_covers_its_site_its_area_or_everything(fields: dict[str, str], covered: bool) -> None:  # noqa: FBT001  a parameter of the table
    """What is left out does not narrow it."""
    assert ban(**fields).covers("a", "s") is covered


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({}, True),
        ({"starts_at": NOON, "ends_at": NOON + HOUR}, True),
        ({"starts_at": NOON + HOUR}, False),
        ({"ends_at": NOON}, False),
        ({"from_h": 9.5, "to_h": 12.5}, True),
        ({"from_h": 9, "to_h": 12}, False),
        ({"from_h": 22, "to_h": 6}, False),
        ({"from_h": 22, "to_h": 12.5}, True),
    ],
)
def test_it_holds_from_its_beginning_to_its_end_and_in_its_hours(fields: dict[str, Any], held: bool) -> None:  # noqa: FBT001  a parameter of the table
    """The end is not part of it; hours may go across midnight and are local whatever offset the time has."""
    assert ban(**fields).holds(NOON.astimezone(dt.UTC)) is held


@pytest.mark.parametrize(
    "fields", [{"starts_at": NOON, "ends_at": NOON}, {"from_h": 9}, {"from_h": 9, "to_h": 9}, {"from_h": 25, "to_h": 3}]
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    """No time at all, half a pair of hours, an hour that no day has."""
    with pytest.raises(InputError):
        ban(**fields)
