"""What happens in the district on purpose: one case a way in which a rule must speak, as incidents of the simulators.

A case names the rules that must raise because of it (`expect` of its incidents) and those that may (`companions`): true as
well, but not the point. Cases of one site follow each other in slots of an hour and a half, so each is judged by itself.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from bench.detection.town import AREA, FUSION, SAFE_KW, Plot, machine
from domain.places import DevicePath
from domain.records import COMMAND, Record
from ingest.codecs.native import Command, CommandType
from registers.ban import Ban
from registers.noun import Noun
from registers.stop_order import StopOrder
from simulators.device import Behaviour
from simulators.incidents import (
    Battery,
    Burning,
    Clone,
    Cooking,
    Event,
    Fault,
    Frozen,
    Incident,
    Leak,
    Losses,
    Mark,
    Outage,
    Shift,
    Silence,
    Skew,
    Welding,
    Worn,
)

SLOT_S = 5400.0
_MINUTE, _HOUR = 60.0, 3600.0


@dataclass(slots=True)
class Stage:
    """Everything that was put into the district so far; `begin` is second 0."""

    begin: dt.datetime
    incidents: dict[str, list[Incident]] = field(default_factory=dict)
    entries: list[Noun] = field(default_factory=list)
    strangers: list[Behaviour] = field(default_factory=list)
    commands: list[Record] = field(default_factory=list)

    def at(self, at_s: float) -> dt.datetime:
        return self.begin + dt.timedelta(seconds=at_s)

    def add(self, *incidents: Incident) -> None:
        for incident in incidents:
            self.incidents.setdefault(incident.device, []).append(incident)


class Scene(NamedTuple):
    """One occurrence of a case: where, from which second on, a tag that no other has, and the case's name."""

    stage: Stage
    plot: Plot
    at_s: float
    tag: str
    case: str = ""

    def add(
        self, kind: type[Incident], name: str, lasts_s: float, *expect: str, after_s: float = 0.0, **more: Any
    ) -> None:
        """Let something happen to a device of the site."""
        path = name if "/" in name else self.plot.path(name)
        self.stage.add(
            kind(device=path, at_s=self.at_s + after_s, lasts_s=lasts_s, expect=expect, note=self.case, **more)
        )

    def leak(self, name: str, flow_m3h: float, lasts_s: float, *expect: str, **more: float) -> None:
        self.add(Leak, name, lasts_s, *expect, flow_m3h=flow_m3h, **more)

    def weld(
        self, *expect: str, who: str | None = "good", chip: str = "chip-1", after_s: float = 0.0, **more: Any
    ) -> None:
        """Let somebody weld for five minutes; what is not said otherwise is in order."""
        self.permit(after_s)
        said: dict[str, Any] = {"guardian": "G01", "credential": self.plot.credential(who) if who else None} | more
        lasts_s = said.pop("lasts_s", 300.0)
        self.add(Welding, chip, lasts_s, *expect, after_s=after_s, **said)

    def permit(self, after_s: float = 0.0) -> None:
        self.stage.entries.append(self.plot.permit(f"{self.tag}-{after_s:.0f}", self.stage.at(self.at_s + after_s)))


class Case(NamedTuple):
    """A way in which rules must speak. `life`: missing it may cost lives; `slots`: how long it takes its site.

    `days`: it takes whole days instead; `after_days`: so long the district must have been watched before.
    """

    play: Callable[[Scene], None]
    companions: frozenset[str] = frozenset()
    life: bool = False
    slots: int = 1
    days: int = 0
    after_days: int = 0


def _of(play: Callable[[Scene], None], *companions: str, life: bool = False, slots: int = 1, **more: int) -> Case:
    return Case(play, frozenset(companions), life, slots, **more)


def _two_leaks(s: Scene) -> None:
    s.leak("ch4-1", 2.2, 240, "G102", "G107")
    s.leak("ch4-2", 2.2, 240, after_s=45)


def _leak_in_outage(s: Scene) -> None:
    s.leak("ch4-3", 8, 120, "G101", after_s=60)
    s.add(Outage, "ch4-3", 900)


def _leak_by_wrong_clock(s: Scene) -> None:
    s.add(Skew, "ch4-4", 1800, offset_s=-3600)
    s.leak("ch4-4", 8, 120, "G102", "G101", after_s=900)


def _leak_while_cooking(s: Scene) -> None:
    s.add(Cooking, "ch4-1", 900, strength=0.8)
    s.leak("ch4-1", 8, 120, "G102", "G101", after_s=300)


def _two_fires(s: Scene) -> None:
    s.add(Burning, "smoke-1", 120, "F101", "F102")
    s.add(Burning, "smoke-2", 100, after_s=15)


def _fire_and_gas(s: Scene) -> None:
    s.leak("ch4-5", 8, 150, "G101")
    s.add(Burning, "smoke-3", 90, "F101", "X103", after_s=30)


def _stranger(s: Scene) -> None:
    path = s.plot.path(f"x{s.tag}")
    s.stage.strangers.append(machine(path))
    s.weld("W101", "D102", chip=path)


def _two_machines(s: Scene) -> None:
    s.weld(chip="chip-1")
    s.weld("W108", chip="chip-2", after_s=60)


def _lent_far_away(s: Scene) -> None:
    """Scan in here, and five minutes later at another machine, which says that it is twenty kilometres away."""
    lat, lon = s.plot.place
    s.weld(chip="chip-1", lat=lat, lon=lon)
    s.weld("W108", "W107", chip="chip-2", lat=lat + 0.18, lon=lon, after_s=330)


def _clock_back(s: Scene) -> None:
    """Set the module's clock back to when the permit held: W106 follows, or W102 where it scanned with the right clock before."""
    ended = s.stage.at(s.at_s) - dt.timedelta(hours=3)
    s.stage.entries.append(s.plot.permit(f"{s.tag}-over", ended, lasts=dt.timedelta(hours=2), who=["late"]))
    s.add(Skew, "chip-2", 1800, "D107", offset_s=-7200)
    s.add(Welding, "chip-2", 1200, after_s=60, guardian="G01", credential=s.plot.credential("late"))


def _cloned_chip(s: Scene) -> None:
    """Let a second machine work under the name of the first."""
    s.weld("D107", lasts_s=900)
    s.add(Clone, "chip-1", 900)


def _weak_line(s: Scene) -> None:
    s.weld(lasts_s=1200)
    s.add(Losses, "chip-1", 1000, "D107", after_s=120, share=0.3)


def _antenna_off(s: Scene) -> None:
    """Weld on with the module cut off: the unit's meter shows arcs come and go."""
    s.weld(chip="chip-2", lasts_s=1500)
    s.add(Silence, "chip-2", 1300, after_s=120, will=False)
    for i in range(4):
        s.add(Shift, "power-1", 60, after_s=300 + 150 * i, to=48)
    s.add(Mark, "power-1", 1200, "W113", after_s=300)


def _short_jobs(s: Scene) -> None:
    """Weld a little every twenty minutes, so that the watch after it is never due until the last."""
    for i in range(3):
        s.weld(watch=False, lasts_s=60, after_s=1200 * i)
    s.add(Mark, "chip-1", 2400, "W111", after_s=2460)
    s.add(Event, "chip-1", 1, type="watch.done", after_s=4900)


def _no_watch(s: Scene) -> None:
    s.weld(watch=False)
    s.add(Mark, "chip-1", 2400, "W111", after_s=300)
    s.add(Event, "chip-1", 1, type="watch.done", after_s=2700)


def _ends_soon(s: Scene) -> None:
    """Let somebody weld whose certificate ends in twenty days; he is known nowhere else."""
    kind, day = f"soon-{s.tag}", s.stage.at(s.at_s).date()
    s.stage.entries += s.plot.person(kind, FUSION, day, 20)
    s.stage.entries.append(s.plot.permit(f"{s.tag}-soon", s.stage.at(s.at_s), who=[kind]))
    s.weld("W115", who=kind)


def _banned(s: Scene) -> None:
    ban = Ban(
        code=f"B-{s.plot.site}-{s.tag}",
        reason="bench",
        site=s.plot.site,
        starts_at=s.stage.at(s.at_s),
        ends_at=s.stage.at(s.at_s + 600),
    )
    s.stage.entries.append(ban)
    s.weld("W112")


def _weld_in_gas(s: Scene) -> None:
    s.leak("ch4-6", 2.2, 300)
    s.weld("X101", lasts_s=400, after_s=30)


def _weld_unwatched(s: Scene) -> None:
    s.add(Event, "smoke-2", 900, "F105", type="shield", until="shield.clear", data={"point": "smoke"})
    s.weld("X102", after_s=120)


def _weld_without_rest(s: Scene) -> None:
    s.stage.entries.append(s.plot.permit(f"{s.tag}-long", s.stage.at(s.at_s), lasts=dt.timedelta(hours=6.9)))
    s.add(Welding, "chip-2", 6.4 * _HOUR, "W114", guardian="G01", credential=s.plot.credential("second"))


def _site_silent(s: Scene) -> None:
    for name, _ in s.plot.detectors():
        s.add(Silence, name, 3000, will=False)
    s.add(Mark, f"{AREA}/{s.plot.site}/-", 3000, "D101")


def _command(s: Scene) -> None:
    path = DevicePath.parse(s.plot.path("ch4-2"))
    at_ms = round(s.stage.at(s.at_s).timestamp() * 1000)
    told = Command(id=f"c{s.tag}", type=CommandType.SELFTEST, by="user:bench", expires=at_ms + 60_000)
    s.stage.commands.append(Record(at_ms, f"{COMMAND}{path}", msgspec.json.encode(told)))
    s.add(Mark, "ch4-2", 120, "D109")


def _stopped(s: Scene) -> None:
    order = StopOrder(
        code=f"O-{s.plot.site}-{s.tag}",
        enterprise=s.plot.enterprise,
        starts_at=s.stage.at(s.at_s),
        ends_at=s.stage.at(s.at_s + _HOUR),
        base_kw=5.0,
    )
    s.stage.entries.append(order)
    s.add(Mark, "power-1", _HOUR, "P101")


def _shift(
    name: str, to: float, over_s: float, lasts_s: float, *expect: str, measurand: str | None = None
) -> Callable[[Scene], None]:
    return lambda s: s.add(Shift, name, lasts_s, *expect, to=to, over_s=over_s, measurand=measurand)


def _leak(name: str, flow_m3h: float, lasts_s: float, *expect: str, over_s: float = 0.0) -> Callable[[Scene], None]:
    return lambda s: s.leak(name, flow_m3h, lasts_s, *expect, over_s=over_s)


def _weld(*expect: str, **more: Any) -> Callable[[Scene], None]:
    return lambda s: s.weld(*expect, **more)


def _happens(kind: type[Incident], name: str, lasts_s: float, *expect: str, **more: Any) -> Callable[[Scene], None]:
    return lambda s: s.add(kind, name, lasts_s, *expect, **more)


def _far(s: Scene) -> None:
    lat, lon = s.plot.place
    s.weld("W107", lat=lat + 0.0065, lon=lon)


_GAS = ("G102", "G104", "G105", "G107", "G109", "A101")
_WARM = ("A101", "F103", "F104")
_PAPERS = ("W115",)
CASES: dict[str, Case] = {
    "leak, large": _of(_leak("ch4-1", 8, 90, "G102", "G101"), *_GAS, life=True),
    "leak past full scale": _of(_leak("ch4-6", 40, 90, "G102", "G101", "G109"), *_GAS, life=True),
    "leak, medium": _of(_leak("ch4-2", 2.2, 240, "G102"), *_GAS, life=True),
    "leak, growing": _of(_leak("ch4-2", 2.5, 420, "G104", "G102", over_s=400), *_GAS, life=True),
    "valve does not close": _of(_happens(Fault, "ch4-2", 600, "G108", code="valve_not_reached"), "D103", life=True),
    "leak, slow": _of(_leak("ch4-3", 0.2, 2 * _HOUR, "G105"), slots=2),
    "leak, two sensors": _of(_two_leaks, *_GAS, "G101", life=True),
    "leak in an outage": _of(_leak_in_outage, *_GAS, "D101", life=True),
    "leak by a wrong clock": _of(_leak_by_wrong_clock, *_GAS, "D107", life=True),
    "leak while cooking": _of(_leak_while_cooking, *_GAS, life=True),
    "gas detector's own alarm": _of(
        _happens(Event, "ch4-5", 300, "G101", type="alarm.high", until="alarm.clear", data={"measurand": "ch4_lel"}),
        life=True,
    ),
    "carbon monoxide": _of(_leak("co-1", 0.036, 900, "G102", "G101", "G106"), *_GAS, life=True),
    "oxygen": _of(_leak("o2-1", 14, 300, "G103"), "A101", life=True),
    "fire, smoke": _of(_happens(Burning, "smoke-1", 90, "F101"), *_WARM, life=True),
    "fire, heat": _of(_happens(Burning, "heat-1", 240, "F101", growth_kw_s2=0.047, distance_m=1.0), *_WARM, life=True),
    "fire, call point": _of(
        _happens(Event, "smoke-2", 300, "F101", type="fire.alarm", until="fire.clear", data={"point": "manual"}),
        life=True,
    ),
    "fire, two points": _of(_two_fires, *_WARM, life=True),
    "fire, smouldering": _of(
        _happens(Burning, "multi-1", 45, "F103", growth_kw_s2=0.003, distance_m=0.3), *_WARM, "G105"
    ),
    "fire, hot room": _of(_happens(Burning, "heat-1", 75, "F104", growth_kw_s2=0.012, distance_m=2.0), *_WARM),
    "fire and gas": _of(_fire_and_gas, *_GAS, *_WARM, life=True),
    "fire point shielded": _of(
        _happens(Event, "smoke-3", 600, "F105", type="shield", until="shield.clear", data={"point": "smoke"})
    ),
    "fire point without mains": _of(_happens(Fault, "smoke-1", 600, "F105", code="mains_lost"), "D103"),
    "machine in no register": _of(_stranger, "W106", "W107"),
    "nobody scanned": _of(_weld("W102", who=None), *_PAPERS),
    "no certificate": _of(_weld("W103", who="none")),
    "certificate expired": _of(_weld("W104", who="expired")),
    "certificate of other work": _of(_weld("W105", who="wrong")),
    "not on the permit": _of(_weld("W106", who="unlisted")),
    "far from the permit's place": _of(_far),
    "one certificate, two machines": _of(_two_machines),
    "one certificate, far away": _of(_lent_far_away, "W106", "W109", "W110"),
    "clock set back to the permit": _of(_clock_back, "W102", "W106", "W109", "W110"),
    "a second chip of the same name": _of(_cloned_chip),
    "module cut off, meter sees": _of(_antenna_off, "D101", "P102", "A101"),
    "many short jobs": _of(_short_jobs),
    "guardian welds himself": _of(lambda s: s.weld("W109", guardian=s.plot.credential("good"))),
    "guardian left": _of(_weld("W109", guardian_s=120.0)),
    "no gas test": _of(_weld("W110", gas_test=False), life=True),
    "gas test failed": _of(_weld("W110", gas_lel=15.0), life=True),
    "nobody stayed to watch": _of(_no_watch),
    "banned place": _of(_banned),
    "locked and welding": _of(_weld("W113", lock_s=60.0, chip="chip-3")),
    "chip removed": _of(_happens(Event, "chip-2", 600, "W113", type="tamper", until="tamper.clear")),
    "six hours without rest": _of(_weld_without_rest, slots=5),
    "certificate ends soon": _of(_ends_soon),
    "welding in gas": _of(_weld_in_gas, *_GAS, life=True),
    "welding under a shielded point": _of(_weld_unwatched),
    "silent without a will": _of(_happens(Silence, "ch4-6", 3000, "D101", will=False)),
    "silent with a will": _of(_happens(Silence, "smoke-1", 600, "D101")),
    "sensor broken": _of(_happens(Fault, "co-2", 900, "D103", code="sensor_open")),
    "end of life": _of(_happens(Fault, "ch4-4", 900, "D105", code="end_of_life")),
    "battery low": _of(_happens(Fault, "ch4-5", 900, "D108", code="battery_low")),
    "battery reading low": _of(_happens(Battery, "smoke-3", 3000, "D108", pct=12.0)),
    "self-test failed": _of(_happens(Event, "ch4-1", 900, "D104", type="selftest", data={"ok": False})),
    "frozen reading": _of(_happens(Frozen, "ch4-6", 10 * _HOUR, "D104", value=0.2), slots=7),
    "noisy reading": _of(_happens(Worn, "ch4-6", 7 * _HOUR, "D104", noise=5.0), *_GAS, "G101", slots=5, after_days=1),
    "zero drifted": _of(_happens(Worn, "ch4-5", 32 * _HOUR, "D104", offset=7.0), *_GAS, days=2, after_days=1),
    "span lost": _of(_happens(Worn, "co-2", 83 * _HOUR, "D104", gain=0.0), days=4, after_days=8),
    "weak line": _of(_weak_line),
    "two devices, one identity": _of(_happens(Clone, "co-1", 3000, "D107")),
    "whole site silent": _of(_site_silent),
    "cover opened": _of(_happens(Event, "ch4-3", 900, "D106", type="tamper", until="tamper.clear")),
    "clock fast": _of(_happens(Skew, "level-1", 3000, "D107", offset_s=1200)),
    "command unanswered": _of(_command),
    "cable warmer than ever": _of(_shift("cable-1", 50, 600, 2 * _HOUR, "A101"), slots=2),
    "stopped and running": _of(_stopped),
    "overload": _of(_shift("power-1", SAFE_KW * 1.5, 0, 3000, "P102"), "A101"),
    "production at an odd hour": _of(_shift("power-1", 90, 0, 4500, "P102"), "A101", after_days=6),
    "residual current": _of(_shift("residual-1", 450, 0, 900, "P103"), "A101"),
    "cable hot": _of(_shift("cable-1", 85, 300, 1200, "P103"), "A101"),
    "tank high": _of(_shift("level-1", 88, 300, 1200, "S101"), "A101"),
    "tank very high": _of(_shift("level-1", 95, 300, 1200, "S101"), "A101", life=True),
    "hopper hot": _of(_shift("hopper-1", 75, 600, 1500, "S102"), "A101", life=True),
    "deduster blocked": _of(_shift("dp-1", 2000, 60, 1200, "S103"), "A101"),
    "fan off": _of(_shift("dp-1", 0, 0, 900, "S103", measurand="fan"), "A101"),
}
