"""X101 across sites, X102 and X103: what is one thing at one site and dangerous with another, in either order."""

from typing import TYPE_CHECKING, Any

import pytest

from detectors.base import Correlator, Transition, World
from detectors.corroboration import FAINT
from detectors.cross import GAS_RULES, fire_in_gas, hot_work_in_gas, hot_work_unwatched
from detectors.parameters import Parameters
from domain.changes import RegisterChange
from domain.findings import Action, Finding, Severity
from domain.geo import Place
from registers.device import Device, DeviceKind, DeviceModel
from registers.place import Site

if TYPE_CHECKING:
    from registers.noun import Noun

GATE: Place = (33.7000, 113.3000)
NEXT_DOOR: Place = (33.7002, 113.3000)  # 22 m
DOWN_THE_ROAD: Place = (33.7010, 113.3000)  # 111 m


class Yard:
    """A correlator with a register, fed one record at a time and restored before each."""

    def __init__(self, make: Any) -> None:
        self.world = World()
        self.found: list[Finding] = []
        self._make = make
        self._rule: Correlator = make()
        self._offset = 0
        self._register()

    def _register(self) -> None:
        rows: list[Noun] = [
            Site(code="s", name="厂", area="a"),
            Site(code="bare", name="店", area="b"),
            DeviceModel(code="F", name="烟感", kind=DeviceKind.FIRE),
            DeviceModel(code="G", name="甲烷", kind=DeviceKind.GAS, measurand="ch4_lel"),
            Device(code="f1", site="s", model="F"),
            Device(code="g1", site="s", model="G", lat=GATE[0], lon=GATE[1]),
            Device(code="g2", site="s", model="G"),
        ]
        self.world.view.apply(RegisterChange(i, row.noun, row.key, row.projection()) for i, row in enumerate(rows, 1))

    def arc(self, path: str = "a/s/m1", *, on: bool = True, place: Place | None = None) -> list[str]:
        slot = self.world.slots.take(path)
        return self._feed([], [Transition(self._offset, slot, "arc", on, 1000 * self._offset, place)])

    def alarm(self, rule: str, path: str, action: Action = Action.RAISE, **evidence: Any) -> list[str]:
        finding = Finding(
            offset=self._offset,
            rule=rule,
            device=path,
            action=action,
            severity=Severity.HIGH,
            at_ms=1000 * self._offset,
            event_ms=1000 * self._offset,
            evidence=evidence,
        )
        return self._feed([finding], [])

    def memory(self) -> Any:
        return self._rule.snapshot()["scenes"]

    def _feed(self, findings: list[Finding], transitions: list[Transition]) -> list[str]:
        state, self._rule = self._rule.snapshot(), self._make()
        self._rule.restore(state)
        found = self._rule.correlate(findings, transitions, self.world)
        self._offset += 1
        self.found += found
        return [f"{f.device} {f.rule} {f.action}" for f in found]


@pytest.fixture
def gas() -> Yard:
    return Yard(lambda: hot_work_in_gas(Parameters()))


@pytest.fixture
def unwatched() -> Yard:
    return Yard(hot_work_unwatched)


@pytest.fixture
def blast() -> Yard:
    return Yard(fire_in_gas)


# --- X101 across the fence ------------------------------------------------------------------------------------------


def test_gas_next_door_counts_within_thirty_metres(gas: Yard) -> None:
    """The fence between two sites stops no gas; the order does not matter."""
    assert gas.arc("a/t/m1", place=NEXT_DOOR) == []
    assert gas.alarm("G102", "a/s/g1", measurand="ch4_lel") == ["a/t/m1 X101 raise"]
    assert gas.found[-1].evidence["gas_device"] == "a/s/g1"
    assert gas.alarm("G102", "a/s/g1", Action.CLEAR) == ["a/t/m1 X101 clear"]
    gas.alarm("G102", "a/s/g1", measurand="ch4_lel")
    assert gas.arc("a/t/m2", place=NEXT_DOOR) == ["a/t/m2 X101 raise"]


def test_gas_down_the_road_does_not(gas: Yard) -> None:
    """Nor gas whose detector, or an arc whose machine, is nobody knows where."""
    assert gas.arc("a/t/m1", place=DOWN_THE_ROAD) + gas.arc("a/t/m2") == []
    assert gas.alarm("G102", "a/s/g1", measurand="ch4_lel") + gas.alarm("G102", "a/s/g2", measurand="ch4_lel") == []


def test_a_machine_carried_away_from_the_gas_is_safe(gas: Yard) -> None:
    """The arc says anew where it is."""
    gas.alarm("G102", "a/s/g1", measurand="ch4_lel")
    assert gas.arc("a/t/m1", place=NEXT_DOOR) == ["a/t/m1 X101 raise"]
    assert gas.arc("a/t/m1", place=DOWN_THE_ROAD) == ["a/t/m1 X101 clear"]


# --- how grave ------------------------------------------------------------------------------------------------------


def _said(yard: Yard) -> list[tuple[str, int]]:
    return [(str(finding.action), int(finding.severity)) for finding in yard.found]


@pytest.mark.parametrize("rule", sorted(GAS_RULES - FAINT))
def test_a_suspicion_alone_is_less_grave_until_other_gas_alarms_join(gas: Yard, rule: str) -> None:
    """G105 is statistics; any other gas alarm beside it is a measured fact, and when it ends the suspicion is left."""
    gas.alarm("G105", "a/s/g1", measurand="ch4_lel")
    gas.arc()
    gas.alarm(rule, "a/s/g1", measurand="ch4_lel")
    gas.alarm(rule, "a/s/g1", Action.CLEAR)
    gas.alarm("G105", "a/s/g1", Action.CLEAR)
    assert _said(gas) == [("raise", 2), ("change", 1), ("change", 2), ("clear", 2)]


def test_a_fire_beside_a_suspicion_is_less_grave_too(blast: Yard) -> None:
    """X103 by G105 alone is told as important, by a set point as urgent, in whichever order."""
    blast.alarm("F101", "a/s/f1", points=["smoke"])
    blast.alarm("G105", "a/s/g1", measurand="ch4_lel")
    blast.alarm("G101", "a/s/g1", measurand="ch4_lel")
    assert _said(blast) == [("raise", 2), ("change", 1)]


def test_a_second_sensor_that_joins_is_said_once(gas: Yard) -> None:
    """What happens while the alarm stands is news: each device is named once, and how many alarm is told."""
    gas.arc()
    gas.alarm("G102", "a/s/g1", measurand="ch4_lel")
    assert gas.alarm("G101", "a/s/g1", measurand="ch4_lel") == []
    assert gas.alarm("G102", "a/s/g2", measurand="ch4_lel") == ["a/s/m1 X101 change"]
    assert gas.found[-1].evidence["gas_alarms"] == 3
    gas.alarm("G102", "a/s/g2", Action.CLEAR)
    assert gas.alarm("G102", "a/s/g2", measurand="ch4_lel") == []


# --- X102 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "evidence"), [("F105", {"gaps": ["shielded_smoke"]}), ("D101", {"reason": "silent", "silent_s": 700})]
)
def test_an_arc_under_a_missing_fire_watch_is_x102(unwatched: Yard, rule: str, evidence: dict[str, Any]) -> None:
    """Shielded, without power or silent, before the arc or under it."""
    unwatched.arc()
    assert unwatched.alarm(rule, "a/s/f1", **evidence) == ["a/s/m1 X102 raise"]
    facts = unwatched.found[-1].evidence
    assert (facts["fire_device"], facts["fire_rule"], facts["points_missing"]) == ("a/s/f1", rule, 1)
    assert unwatched.alarm(rule, "a/s/f1", Action.CLEAR) == ["a/s/m1 X102 clear"]
    assert unwatched.found[-1].evidence == {"reason": "watch_restored"}


@pytest.mark.parametrize("group", ["a/s/-", "a/-/-"])
def test_a_whole_site_without_word_is_a_missing_fire_watch(unwatched: Yard, group: str) -> None:
    """The alarm of a group stands for those of its fire points; before the arc or under it."""
    assert unwatched.alarm("D101", group, reason="together") == []
    assert unwatched.arc() == ["a/s/m1 X102 raise"]
    assert unwatched.alarm("D101", group, Action.CLEAR) == ["a/s/m1 X102 clear"]
    assert unwatched.alarm("D101", group, reason="together") == ["a/s/m1 X102 raise"]


def test_a_silent_site_that_never_had_fire_points_is_none(unwatched: Yard) -> None:
    """Neither is a neighbouring area's silence."""
    unwatched.arc("b/bare/m2")
    assert (
        unwatched.alarm("D101", "b/bare/-") + unwatched.alarm("D101", "b/-/-") + unwatched.alarm("D101", "a/-/-") == []
    )


def test_other_devices_silence_is_no_missing_fire_watch(unwatched: Yard) -> None:
    """Only fire detectors watch for fire."""
    unwatched.arc()
    assert unwatched.alarm("D101", "a/s/g1") + unwatched.alarm("D101", "a/s/unknown") == []


def test_it_ends_with_the_arc_and_nothing_is_kept(unwatched: Yard) -> None:
    """The shield itself stays F105's."""
    unwatched.alarm("F105", "a/s/f1", gaps=["mains_lost"])
    unwatched.arc()
    assert unwatched.arc(on=False) == ["a/s/m1 X102 clear"]
    unwatched.alarm("F105", "a/s/f1", Action.CLEAR)
    assert unwatched.memory() == []


# --- X103 -----------------------------------------------------------------------------------------------------------


def test_fire_and_gas_at_one_site_are_x103_in_either_order(blast: Yard) -> None:
    """The alarm is the fire detector's; it names the gas."""
    assert blast.alarm("F101", "a/s/f1", points=["smoke"]) == []
    assert blast.alarm("G101", "a/s/g1", measurand="ch4_lel", value=60.0, unit="%LEL") == ["a/s/f1 X103 raise"]
    assert blast.found[-1].severity is Severity.CRITICAL
    assert blast.found[-1].evidence["value"] == 60.0
    assert blast.alarm("F101", "a/s/f1", Action.CLEAR) == ["a/s/f1 X103 clear"]
    assert blast.found[-1].evidence == {"reason": "fire_cleared"}
    assert blast.alarm("F101", "a/s/f2", points=["heat"]) == ["a/s/f2 X103 raise"]


def test_the_carbon_monoxide_of_the_fire_itself_is_not_meant(blast: Yard) -> None:
    """Every fire makes it."""
    blast.alarm("F101", "a/s/f1", points=["smoke"])
    assert blast.alarm("G102", "a/s/g1", measurand="co_ppm") == []


def test_fire_here_and_gas_there_are_two_stories(blast: Yard) -> None:
    """One site, one danger."""
    blast.alarm("F101", "a/t/f9", points=["smoke"])
    assert blast.alarm("G101", "a/s/g1", measurand="ch4_lel") == []
