"""Whom a notice is told to, and why: a decision carries its reason, and nobody-at-all is never the answer."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from alerting.directory import Place
from registers.inspector import Inspector

DUTY = Inspector(code="duty", name="值班室", channels=())
"""The duty desk: told when nobody else can be; reached by every channel there is."""


class Told(NamedTuple):
    """One inspector who is to be told, and the reason in words for the record, e.g. `area=weidong kind=gas`."""

    inspector: Inspector
    reason: str


class Step(NamedTuple):
    """One way to reach somebody: the inspector and the channel."""

    inspector: Inspector
    channel: str


def route(inspectors: Sequence[Inspector], place: Place, assignee: str | None = None) -> list[Told]:
    """Return who is told: whoever covers the area and kind (empty means all), and the hazard's assignee.

    A device of unknown kind concerns everybody in the area. When nobody matches, everybody is told; when there is
    nobody, the duty desk.
    """
    told = [Told(one, reason) for one in inspectors if (reason := _reason(one, place, assignee))]
    return (
        told or [Told(one, f"nobody covers area={place.area}") for one in inspectors] or [Told(DUTY, "no inspectors")]
    )


def _reason(one: Inspector, place: Place, assignee: str | None) -> str:
    if one.code == assignee:
        return "assignee"
    covers_kind = not one.kinds or place.kind is None or place.kind in one.kinds
    if (one.areas and place.area not in one.areas) or not covers_kind:
        return ""
    return f"area={place.area if one.areas else 'all'} kind={place.kind if one.kinds else 'all'}"


def ladder(told: Told, inspectors: Sequence[Inspector], channels: Sequence[str]) -> list[Step]:
    """Return the ways to try in order: the inspector's own channels, then every other inspector's, then the duty desk's.

    `channels` are those that exist; an inspector's channel that does not exist is left out.
    """
    others = [one for one in inspectors if one.code != told.inspector.code]
    return list(_steps([told.inspector, *others], channels))


def _steps(inspectors: Sequence[Inspector], channels: Sequence[str]) -> Iterator[Step]:
    for one in inspectors:
        yield from (Step(one, channel) for channel in one.channels if channel in channels)
    yield from (Step(DUTY, channel) for channel in channels)
