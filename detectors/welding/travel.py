"""W108: one certificate cannot be in two places: scans too far apart for the time between them, or two arcs at once.

Where a scan was is told by the scan, else by the machine, else by the site in the topic, whose coordinates the register has.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from detectors.welding.verdict import Verdict, verdict
from domain.geo import Place, apart_m

_HOUR_MS = 3_600_000
_MINUTE_MS = 60_000
_FASTEST_KMH = 9_999


class Sighting(NamedTuple):
    """A welder was at a machine."""

    slot: int
    machine: str
    at_ms: int
    place: Place | None


class Travellers:
    """Where each registered welder was seen last; and the machines whose open session cannot be true."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values
        self._last: dict[str, Sighting] = {}
        self._clashes: dict[int, dict[str, Any]] = {}

    def came(self, credential: str, sighting: Sighting) -> None:
        """Take in a scan at which a welder begins."""
        before = self._last.get(credential)
        self._last[credential] = sighting
        if before is not None and before.slot != sighting.slot:
            clash = self._clash(before, sighting)
            if clash is not None:
                self._clashes[sighting.slot] = clash

    def _clash(self, before: Sighting, now: Sighting) -> dict[str, Any] | None:
        if before.place is None or now.place is None:
            return None
        metres, ms = apart_m(before.place, now.place), max(now.at_ms - before.at_ms, 0)
        if metres < self._values["least_m"] or metres * _HOUR_MS <= self._values["speed_kmh"] * 1000 * ms:
            return None
        speed = _FASTEST_KMH if ms == 0 else min(_FASTEST_KMH, round(metres * _HOUR_MS / ms / 1000))
        return {
            "reason": "too_fast",
            "other_machine": before.machine,
            "distance_m": round(metres),
            "minutes": round(ms / _MINUTE_MS, 1),
            "speed_kmh": speed,
            "limit_kmh": self._values["speed_kmh"],
        }

    def went(self, credential: str, sighting: Sighting) -> None:
        """Take in a scan at which a welder leaves: he was there until now, unless he has turned up elsewhere since."""
        before = self._last.get(credential)
        if before is not None and before.slot == sighting.slot:
            self._last[credential] = sighting

    def over(self, slot: int) -> None:
        """Learn that the machine's session is over."""
        self._clashes.pop(slot, None)

    def judge(self, slot: int, other: str | None) -> Verdict | None:
        """Return what is wrong at a machine; `other`: the machine at which the same certificate welds now, if any."""
        if other is not None:
            return verdict("W108", {"reason": "two_at_once", "other_machine": other})
        clash = self._clashes.get(slot)
        return None if clash is None else verdict("W108", clash)

    def snapshot(self) -> dict[str, Any]:
        return {
            "last": [[credential, *sighting] for credential, sighting in self._last.items()],
            "clashes": [[slot, dict(clash)] for slot, clash in self._clashes.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._last = {}
        for credential, slot, machine, at_ms, place in state["last"]:
            self._last[credential] = Sighting(slot, machine, at_ms, None if place is None else (place[0], place[1]))
        self._clashes = {slot: dict(clash) for slot, clash in state["clashes"]}
