"""F102: two points of one site within a minute, in whatever order they come."""

import itertools

import msgspec
import pytest

from detectors.base import World
from detectors.fireconfirmed import FireConfirmed
from detectors.parameters import Parameters
from domain.findings import Action, Finding, Severity

RAISE, CHANGE, CLEAR = Action.RAISE, Action.CHANGE, Action.CLEAR


def f101(at_s: float, device: str, points: str, action: Action = RAISE, *, late_s: float = 0) -> Finding:
    """Return what F101 found: the device's points in alarm, one word each."""
    return Finding(
        offset=round(at_s * 10),
        rule="F101",
        device=device,
        action=action,
        severity=Severity.CRITICAL,
        at_ms=round(at_s * 1000),
        event_ms=round((at_s - late_s) * 1000),
        late=late_s > 0,
        evidence={"points": points.split()},
    )


class Brigade:
    """The correlator, its findings as words; restored from its snapshot before every finding."""

    def __init__(self) -> None:
        self.found: list[Finding] = []
        self._rule = FireConfirmed(Parameters())

    def hear(self, *findings: Finding) -> list[str]:
        said = []
        for finding in findings:
            state, self._rule = self._rule.snapshot(), FireConfirmed(Parameters())
            self._rule.restore(state)
            new = self._rule.correlate([finding], [], World())
            self.found += new
            said += [f"{f.device} {f.action}" for f in new]
        return said

    def memory(self) -> int:
        return len(self._rule.snapshot()["scenes"])


@pytest.fixture
def brigade() -> Brigade:
    return Brigade()


def test_a_second_point_confirms_the_first(brigade: Brigade) -> None:
    """The device that confirms carries the alarm, which names both and how far apart they were."""
    assert brigade.hear(f101(0, "a/s/f1", "smoke"), f101(40, "a/s/f2", "heat")) == ["a/s/f2 raise"]
    facts = {"devices": ["a/s/f1", "a/s/f2"], "points": ["smoke", "heat"], "apart_s": 40}
    assert brigade.found[0].evidence == facts
    assert brigade.found[0].severity is Severity.CRITICAL


@pytest.mark.parametrize("order", list(itertools.permutations(("a/s/f1", "a/s/f2", "a/s/f3"))))
def test_order_of_arrival_does_not_matter(brigade: Brigade, order: tuple[str, ...]) -> None:
    """Any two within the window confirm, whichever comes first; a third is added."""
    said = brigade.hear(*(f101(10 * i, device, "smoke") for i, device in enumerate(order)))
    assert said == [f"{order[1]} raise", f"{order[1]} change"]
    assert brigade.found[-1].evidence["devices"] == sorted(order)


def test_two_points_of_one_device_confirm(brigade: Brigade) -> None:
    """Smoke, then heat, at one ceiling is a fire."""
    assert brigade.hear(f101(0, "a/s/f1", "smoke"), f101(30, "a/s/f1", "heat smoke", CHANGE)) == ["a/s/f1 raise"]


@pytest.mark.parametrize(("gap_s", "said"), [(60, ["a/s/f2 raise"]), (61, [])])
def test_the_window_is_a_minute(brigade: Brigade, gap_s: float, said: list[str]) -> None:
    """Two alarms further apart may be two stories."""
    assert brigade.hear(f101(0, "a/s/f1", "smoke"), f101(gap_s, "a/s/f2", "smoke")) == said


def test_two_sites_are_two_stories(brigade: Brigade) -> None:
    """Points confirm each other within one site only."""
    assert brigade.hear(f101(0, "a/s/f1", "smoke"), f101(1, "a/t/f2", "smoke")) == []


def test_a_point_that_cleared_within_the_window_still_confirms(brigade: Brigade) -> None:
    """Smoke that drifts on to the next detector is the same fire."""
    said = brigade.hear(f101(0, "a/s/f1", "smoke"), f101(20, "a/s/f1", "smoke", CLEAR), f101(40, "a/s/f2", "smoke"))
    assert said == ["a/s/f2 raise"]


def test_it_stands_until_the_last_point_is_clear(brigade: Brigade) -> None:
    """Then nothing is remembered, and a single point is a single point again."""
    brigade.hear(f101(0, "a/s/f1", "smoke"), f101(1, "a/s/f2", "smoke"))
    assert brigade.hear(f101(200, "a/s/f2", "smoke", CLEAR)) == []
    assert brigade.hear(f101(300, "a/s/f1", "smoke", CLEAR)) == ["a/s/f2 clear"]
    assert brigade.memory() == 0
    assert brigade.hear(f101(310, "a/s/f1", "smoke")) == []


def test_an_alarm_of_ten_minutes_ago_confirms_nothing_of_now(brigade: Brigade) -> None:
    """What came late counts at the device's own time."""
    assert brigade.hear(f101(1000, "a/s/f1", "smoke"), f101(1001, "a/s/f2", "smoke", late_s=600)) == []
    assert brigade.hear(f101(1002, "a/s/f3", "smoke", late_s=590)) == ["a/s/f3 raise"]
    assert brigade.found[-1].late


def test_a_confirmation_whose_device_is_withdrawn_goes_over_to_another(brigade: Brigade) -> None:
    """The fire is still there: a point that is in alarm carries it on; the last one that leaves ends it."""
    brigade.hear(f101(0, "a/s/f1", "smoke"), f101(40, "a/s/f2", "heat"))
    first, second = (
        msgspec.structs.replace(f101(50 + i, f"a/s/f{2 - i}", "", CLEAR), evidence={"reason": "withdrawn"})
        for i in range(2)
    )
    assert brigade.hear(first) == ["a/s/f2 clear", "a/s/f1 raise"]
    assert brigade.found[-1].evidence["points"] == ["smoke"]
    assert brigade.hear(second) == ["a/s/f1 clear"]
    assert brigade.memory() == 0
