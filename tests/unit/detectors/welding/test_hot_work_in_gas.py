"""X101: arc and gas at one site, in either order, until either ends."""

from typing import TYPE_CHECKING, Any

import pytest

from detectors.base import Transition, World
from detectors.cross import GAS_RULES, hot_work_in_gas
from detectors.parameters import Parameters
from domain.findings import Action, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = ("a/s/m1", "a/s/m2", "a/s/g1", "a/t/m3", "a/t/g3")


class Watch:
    """A correlator fed one record at a time."""

    def __init__(self) -> None:
        self.world = World()
        for path in PATHS:
            self.world.slots.take(path)
        self.rule = hot_work_in_gas(Parameters())
        self.offset = 0
        self.found: list[Finding] = []

    def arc(self, path: str = "a/s/m1", *, on: bool = True) -> list[str]:
        return self._feed([], [self.transition(path, on=on)])

    def gas(self, action: Action = Action.RAISE, path: str = "a/s/g1", **fields: Any) -> list[str]:
        return self._feed([self.alarm(action, path, **fields)], [])

    def both(self, alarm: Finding, transition: Transition) -> list[str]:
        return self._feed([alarm], [transition])

    def transition(self, path: str, *, on: bool) -> Transition:
        return Transition(self.offset, PATHS.index(path), "arc", on, 1000 * self.offset)

    def alarm(
        self,
        action: Action,
        path: str = "a/s/g1",
        rule: str = "G102",
        measurand: str | None = "ch4_lel",
        *,
        late: bool = False,
    ) -> Finding:
        evidence = {"value": 27.0, "unit": "%LEL"} | ({} if measurand is None else {"measurand": measurand})
        at_ms = 1000 * self.offset
        return Finding(
            offset=self.offset,
            rule=rule,
            device=path,
            action=action,
            severity=Severity.HIGH,
            at_ms=at_ms,
            event_ms=at_ms,
            late=late,
            evidence=evidence,
        )

    def _feed(self, findings: list[Finding], transitions: list[Transition]) -> list[str]:
        found = self.rule.correlate(findings, transitions, self.world)
        self.offset += 1
        self.found += found
        return [f"{finding.device} {finding.action}" for finding in found]


@pytest.fixture
def watch() -> "Iterator[Watch]":
    watch = Watch()
    yield watch
    restored = hot_work_in_gas(Parameters())
    restored.restore(watch.rule.snapshot())
    assert restored.snapshot() == watch.rule.snapshot()


def test_order_of_arrival_does_not_matter(watch: Watch) -> None:
    """Gas before the arc or the arc before the gas: the alarm is the machine's, at the moment both hold."""
    assert watch.gas() + watch.arc() == ["a/s/m1 raise"]
    watch.arc(on=False)
    watch.gas(Action.CLEAR)
    assert watch.arc() + watch.gas() == ["a/s/m1 raise"]


def test_the_evidence_names_the_gravest_gas(watch: Watch) -> None:
    """The inspector learns which detector, which rule, what it read and how many alarms there are; severity is critical."""
    watch.gas(rule="G102")
    watch.gas(rule="G101")
    watch.arc()
    finding = watch.found[-1]
    gas = {"gas_device": "a/s/g1", "gas_rule": "G101", "measurand": "ch4_lel", "value": 27.0, "unit": "%LEL"}
    assert (finding.severity, finding.evidence) == (Severity.CRITICAL, gas | {"gas_alarms": 2})


@pytest.mark.parametrize("rule", sorted(GAS_RULES))
def test_each_rule_of_rising_gas_counts(watch: Watch, rule: str) -> None:
    """Set points, a rising trend and a slow leak are all elevated gas."""
    watch.arc()
    assert watch.gas(rule=rule) == ["a/s/m1 raise"]


def test_it_clears_when_the_arc_ends(watch: Watch) -> None:
    """Stopping the machine ends its alarm while the gas alarm stands on its own."""
    watch.gas()
    watch.arc()
    assert watch.arc(on=False) == ["a/s/m1 clear"]
    assert watch.found[-1].evidence == {"reason": "arc_ended"}


def test_it_clears_with_the_last_gas_alarm(watch: Watch) -> None:
    """As long as one gas alarm of the site is on, the alarm stands."""
    watch.arc()
    watch.gas(rule="G101")
    watch.gas(rule="G102")
    assert watch.gas(Action.CLEAR, rule="G101") == []
    assert watch.gas(Action.CLEAR, rule="G102") == ["a/s/m1 clear"]
    assert watch.found[-1].evidence == {"reason": "gas_cleared"}


def test_another_sites_gas_is_no_concern(watch: Watch) -> None:
    """Gas at one site and an arc at another are two facts."""
    assert watch.gas(path="a/t/g3") + watch.arc("a/s/m1") == []


def test_every_machine_of_the_site_is_told(watch: Watch) -> None:
    """Two machines in one leak are two alarms."""
    watch.arc("a/s/m1")
    watch.arc("a/s/m2")
    assert watch.gas() == ["a/s/m1 raise", "a/s/m2 raise"]


def test_toxic_gas_does_not_burn(watch: Watch) -> None:
    """Carbon monoxide at a toxic set point is not what this rule is about."""
    watch.arc()
    assert watch.gas(measurand="co_ppm") == []


def test_an_alarm_stays_combustible_when_a_toxic_gas_joins_it(watch: Watch) -> None:
    """A change that names another gas does not take back what burns."""
    watch.arc()
    watch.gas()
    assert watch.gas(Action.CHANGE, measurand="co_ppm") == []
    watch.arc(on=False)
    assert watch.arc() == ["a/s/m1 raise"]


def test_a_toxic_alarm_that_turns_combustible_counts(watch: Watch) -> None:
    """Methane that joins a carbon monoxide alarm raises it."""
    watch.arc()
    watch.gas(measurand="co_ppm")
    assert watch.gas(Action.CHANGE) == ["a/s/m1 raise"]


def test_a_gas_nobody_names_may_burn(watch: Watch) -> None:
    """An alarm bit that names no gas, of a detector in no register, is taken as combustible."""
    watch.arc()
    assert watch.gas(measurand=None) == ["a/s/m1 raise"]


def test_late_gas_makes_a_late_alarm_until_live_gas_confirms_it(watch: Watch) -> None:
    """What was old on arrival does not claim to be current."""
    watch.arc()
    watch.gas(late=True)
    assert watch.found[-1].late
    assert watch.gas(rule="G101") == ["a/s/m1 change"]
    assert not watch.found[-1].late


def test_what_one_record_gives_and_takes_makes_no_alarm(watch: Watch) -> None:
    """At one record an arc that ends and a gas alarm that begins never met."""
    watch.arc()
    assert watch.both(watch.alarm(Action.RAISE), watch.transition("a/s/m1", on=False)) == []


def test_memory_ends_with_the_episode(watch: Watch) -> None:
    """When gas and arcs are over nothing is kept."""
    watch.arc()
    watch.gas()
    watch.gas(Action.CLEAR)
    watch.arc(on=False)
    assert watch.rule.snapshot() == {"scenes": []}
