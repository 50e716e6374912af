"""W107: hot work outside the place its permit names, by the machine's own position or the scan's; and a locked machine moved.

Positions are filtered in NumPy: only a step of some metres from where a machine is known to be is looked at. What came late
says nothing of where it is now.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import grown
from detectors.welding.arc import pair_starts
from detectors.welding.envelope import NO_MACHINE
from detectors.welding.verdict import Verdict, verdict
from detectors.welding.work import Work
from domain.geo import Place, apart_m, distance_m
from domain.measurands import INDEX
from domain.readings import NOT_LIVE, Float64, Segment
from registers.permit import Permit
from registers.view import RegisterView

_LAT, _LON = INDEX["lat"], INDEX["lon"]
_STEP_M = 20.0
"""Less than this is the jitter of the satellites; ours."""
_ROUND_M = 10
_MAX_LAT, _MAX_LON = 90.0, 180.0


class Move(NamedTuple):
    """A machine says that it is at a place."""

    offset: int
    slot: int
    lat: float
    lon: float
    event_ms: int
    received_ms: int


class Fence(NamedTuple):
    """A circle in which work is allowed."""

    lat: float
    lon: float
    radius_m: float


class Whereabouts:
    """Where machines are (degrees by slot, NaN: not known), and where they were when they were locked."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values
        self._where: Float64 = np.empty((0, 2))
        self._locked: dict[int, Place | None] = {}

    def moves(self, segment: Segment, kind: NDArray[np.int8]) -> list[Move]:
        """Return, in journal order, what the machines say that may have moved."""
        readings = segment.of((_LAT, _LON), NOT_LIVE)
        if not len(readings):
            return []
        said = readings.take(kind[readings.slot] != NO_MACHINE)
        self._where = grown(self._where, len(kind), fill=np.nan)
        first = np.flatnonzero(pair_starts(said))
        leads = said.measurand[first] == _LAT
        lat, lon = said.value[first + ~leads], said.value[first + leads]
        sound = _is_sound(lat, lon)
        first, lat, lon = first[sound], lat[sound], lon[sound]
        slot = said.slot[first]
        where = self._where[slot]
        moved = ~(distance_m(where[:, 0], where[:, 1], lat, lon) <= _STEP_M)  # or was not known
        rows = np.flatnonzero(np.isin(slot, slot[moved]))
        columns = (said.offset[first], slot, lat, lon, said.event_ms[first], said.received_ms[first])
        return [Move(*row) for row in zip(*(column[rows].tolist() for column in columns), strict=True)]

    def take(self, move: Move) -> bool:
        """Take in one position; tell whether the machine is somewhere else now."""
        here, there = self.place(move.slot), (move.lat, move.lon)
        if here is not None and apart_m(here, there) <= _STEP_M:
            return False
        self._where[move.slot] = there
        if move.slot in self._locked and self._locked[move.slot] is None:
            self._locked[move.slot] = there
        return True

    def place(self, slot: int) -> Place | None:
        """Return where the machine is, None when it never said."""
        if slot >= len(self._where) or np.isnan(self._where[slot, 0]):
            return None
        return float(self._where[slot, 0]), float(self._where[slot, 1])

    def lock(self, slot: int, *, locked: bool) -> None:
        """Learn that the machine was locked, where it stands, or unlocked."""
        if not locked:
            self._locked.pop(slot, None)
        else:
            self._locked.setdefault(slot, self.place(slot))

    def judge_machine(self, slot: int) -> Verdict | None:
        """Return how far a locked machine was carried."""
        was, here = self._locked.get(slot), self.place(slot)
        if was is None or here is None or apart_m(was, here) <= self._values["moved_m"]:
            return None
        return verdict("W107", {"reason": "moved_while_locked", "distance_m": _rounded(apart_m(was, here))})

    def judge_work(self, work: Work, permits: list[Permit], view: RegisterView) -> Verdict | None:
        """Return how far outside every permit that would allow it the work is; unknown places are not outside."""
        fences = [(permit, self._fence(permit, view)) for permit in permits]
        if not fences or any(fence is None for _, fence in fences):
            return None
        for reason, place in (("outside_place", self._here(work)), ("scanned_elsewhere", _scanned(work))):
            if place is not None:
                over, allowed, code = min(_outside(place, fence, p.code) for p, fence in fences if fence is not None)
                if over > self._values["slack_m"]:
                    facts = {"permit": code, "distance_m": _rounded(over + allowed), "allowed_m": round(allowed)}
                    return verdict("W107", {"reason": reason} | facts)
        return None

    def _here(self, work: Work) -> Place | None:
        return None if work.late else self.place(work.slot)

    def _fence(self, permit: Permit, view: RegisterView) -> Fence | None:
        """Return the permit's circle, or else a wide one around its site."""
        if permit.lat is not None and permit.lon is not None:
            return Fence(permit.lat, permit.lon, permit.radius_m or self._values["radius_m"])
        site = view.site(permit.site)
        if site is None or site.lat is None or site.lon is None:
            return None
        return Fence(site.lat, site.lon, self._values["site_radius_m"])

    def snapshot(self) -> dict[str, Any]:
        known = np.flatnonzero(~np.isnan(self._where[:, 0]))
        where = [[slot, *place] for slot, place in zip(known.tolist(), self._where[known].tolist(), strict=True)]
        return {"where": where, "locked": [[slot, place] for slot, place in self._locked.items()]}

    def restore(self, state: dict[str, Any]) -> None:
        self._where = np.full((max((row[0] for row in state["where"]), default=-1) + 1, 2), np.nan)
        for slot, *place in state["where"]:
            self._where[slot] = place
        self._locked = {slot: None if place is None else (place[0], place[1]) for slot, place in state["locked"]}


def _is_sound(lat: Float64, lon: Float64) -> NDArray[np.bool_]:
    """Return the mask of places on earth; 0, 0 is a receiver without a fix."""
    sound: NDArray[np.bool_] = (np.abs(lat) <= _MAX_LAT) & (np.abs(lon) <= _MAX_LON) & ((lat != 0) | (lon != 0))
    return sound


def _outside(place: Place, fence: Fence, code: str) -> tuple[float, float, str]:
    """Return how far outside, the radius, and whose: orders by nearness."""
    return apart_m(place, fence[:2]) - fence.radius_m, fence.radius_m, code


def _scanned(work: Work) -> Place | None:
    return None if work.session is None else work.session.place


def _rounded(metres: float) -> int:
    """Return the distance as it is told, so that jitter is no news."""
    return round(metres / _ROUND_M) * _ROUND_M
