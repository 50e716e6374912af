"""What can happen to a simulated device: one small type each, written in scenario files as `[[incident]]` with its `kind`.

An incident with `every_s` comes again for as long as the scenario runs.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, TypeVar

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0)]
Length = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]


class Incident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Something that lasts `lasts_s` from second `at_s` of the scenario at `device` (`area/site/device`, or a registered code).

    `expect`: the rules that must raise an alarm because of it: the ground truth. `note`: a remark for the truth file.
    """

    device: str
    at_s: Seconds
    lasts_s: Length
    every_s: Length | None = None
    expect: tuple[str, ...] = ()
    note: str = ""

    def age(self, now_s: float) -> float | None:
        """Return the seconds since the present occurrence began, or None while nothing happens."""
        since = now_s - self.at_s
        if self.every_s is not None and since >= 0:
            since %= self.every_s
        return since if 0 <= since < self.lasts_s else None

    def overlaps(self, begin_s: float, end_s: float) -> bool:
        """Tell whether its first occurrence happens between two seconds of the scenario."""
        return self.at_s < end_s and self.at_s + self.lasts_s > begin_s

    def starts(self) -> Iterator[float]:
        """Yield the second at which each occurrence begins, without end if it recurs."""
        start = self.at_s
        yield start
        while self.every_s is not None:
            start += self.every_s
            yield start


class Leak(Incident, frozen=True, kw_only=True, tag="leak"):
    """Gas escapes near a gas detector, `flow_m3h` of it (pure gas); it grows evenly to that within `over_s`."""

    flow_m3h: Length
    over_s: Seconds = 0.0


class Cooking(Incident, frozen=True, kw_only=True, tag="cooking"):
    """Steam, alcohol or frying fumes near a gas or smoke detector; `strength` 1 stays below its alarm."""

    strength: Length = 1.0


class Burning(Incident, frozen=True, kw_only=True, tag="fire"):
    """A fire grows as `growth_kw_s2`·t², then is put out.

    NFPA 72 Annex B: slow 0.003, medium 0.012, fast 0.047, ultra-fast 0.19 kW/s².
    """

    growth_kw_s2: Length = 0.047
    distance_m: Length = 3.0


class Welding(Incident, frozen=True, kw_only=True, tag="weld"):
    """A session at a machine, from power.on to power.off.

    Who scans in with which `credential` and `permit`, at `lat` and `lon`, decides whether it is lawful; without
    `credential` nobody scans. With a `guardian`, who may leave after `guardian_s`, there is a gas test by default, which
    finds `gas_lel`, and, unless `watch` is false, a confirmed fire watch. After `lock_s` the machine says that it is locked.
    """

    credential: str | None = None
    permit: str | None = None
    lat: float | None = None
    lon: float | None = None
    guardian: str | None = None
    guardian_s: Length | None = None
    gas_test: bool = True
    gas_lel: float = 0.0
    watch: bool = True
    lock_s: Length | None = None
    current_a: Length = 120.0


class Silence(Incident, frozen=True, kw_only=True, tag="silence"):
    """The device loses power: its MQTT will speaks for it (unless `will` is false), and it starts anew afterwards."""

    will: bool = True


class Fault(Incident, frozen=True, kw_only=True, tag="fault"):
    """The device reports a fault and, at the end, that it is mended."""

    code: str = "sensor_open"


class Event(Incident, frozen=True, kw_only=True, tag="event"):
    """The device says an event of wire.md, and at the end another one (`until`, e.g. `shield.clear`), with the same `data`."""

    type: str
    until: str | None = None
    data: dict[str, str | float | bool] = {}


class Outage(Incident, frozen=True, kw_only=True, tag="outage"):
    """The line is down: what the device says is kept and comes late, all at once, with its old times."""


class Duplicates(Incident, frozen=True, kw_only=True, tag="duplicates"):
    """A `share` of the messages comes twice."""

    share: Share = 0.2


class Losses(Incident, frozen=True, kw_only=True, tag="losses"):
    """A `share` of the messages never arrives."""

    share: Share = 0.2


class Reordering(Incident, frozen=True, kw_only=True, tag="reordering"):
    """A `share` of the messages is overtaken by later ones, by up to `delay_s`."""

    share: Share = 0.2
    delay_s: Length = 10.0


class Malformed(Incident, frozen=True, kw_only=True, tag="malformed"):
    """Beside a `share` of the messages comes one that nobody can read."""

    share: Share = 0.2


class Skew(Incident, frozen=True, kw_only=True, tag="skew"):
    """The device's clock is wrong by `offset_s` (negative: slow)."""

    offset_s: float


class Frozen(Incident, frozen=True, kw_only=True, tag="frozen"):
    """Every reading of the device stands still at `value`."""

    value: float


class Worn(Incident, frozen=True, kw_only=True, tag="worn"):
    """The device's sensor goes bad: readings are `gain` times as large, `offset` higher, and jump about by `noise` (σ)."""

    gain: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    offset: float = 0.0
    noise: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class Battery(Incident, frozen=True, kw_only=True, tag="battery"):
    """The device reports a battery at `pct` per cent."""

    pct: Annotated[float, msgspec.Meta(ge=0, le=100)] = 10.0


class Clone(Incident, frozen=True, kw_only=True, tag="clone"):
    """A second device speaks under the same name, with numbers of its own."""


class Shift(Incident, frozen=True, kw_only=True, tag="shift"):
    """A transmitter's quantity (`measurand`, or its chief one) goes evenly to `to` within `over_s`; at the end it is back."""

    to: float
    over_s: Seconds = 0.0
    measurand: str | None = None


class Mark(Incident, frozen=True, kw_only=True, tag="mark"):
    """Nothing of its own: ground truth that follows from other incidents together."""


AnyIncident = (
    Leak
    | Cooking
    | Burning
    | Welding
    | Silence
    | Fault
    | Event
    | Outage
    | Duplicates
    | Losses
    | Reordering
    | Malformed
    | Skew
    | Frozen
    | Worn
    | Battery
    | Clone
    | Shift
    | Mark
)

_I = TypeVar("_I", bound=Incident)
_DAY_S = 86_400.0


class Timetable:
    """A device's incidents by day: a run of a year would otherwise look at a year of them every second."""

    def __init__(self, incidents: Sequence[Incident]) -> None:
        self._incidents = incidents
        self._day: float | None = None
        self._near: list[Incident] = []

    def near(self, now_s: float) -> list[Incident]:
        """Return, in the order given, those of the day and of the days before and after."""
        day = now_s // _DAY_S
        if day != self._day:
            self._day, begin_s, end_s = day, (day - 1) * _DAY_S, (day + 2) * _DAY_S
            self._near = [i for i in self._incidents if i.every_s is not None or i.overlaps(begin_s, end_s)]
        return self._near


def of_kind(kind: type[_I], incidents: Sequence[Incident]) -> list[_I]:
    """Return the incidents of one kind, in the order given."""
    return [incident for incident in incidents if isinstance(incident, kind)]


def active(kind: type[_I], incidents: Sequence[Incident], now_s: float) -> Iterator[tuple[_I, float]]:
    """Yield (incident, its age in seconds) of every incident of the kind that is happening."""
    for incident in incidents:
        if isinstance(incident, kind) and (age := incident.age(now_s)) is not None:
            yield incident, age


def grown_share(age_s: float, over_s: float) -> float:
    """Return how much of itself something is that grows evenly within `over_s`: 0 to 1."""
    return min(1.0, age_s / over_s) if over_s else 1.0


def happens_near(incidents: Sequence[Incident], now_s: float, ahead_s: float, after_s: float) -> bool:
    """Tell whether any of the incidents happens, begins within `ahead_s`, or ended less than `after_s` ago."""
    for incident in incidents:
        since = now_s - incident.at_s + ahead_s
        if incident.every_s is not None and since >= 0:
            since %= incident.every_s
        if 0 <= since < incident.lasts_s + ahead_s + after_s:
            return True
    return False
