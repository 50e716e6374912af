"""Claims about D111: what hampers the service is an alarm like any other, one a trouble, and a replay finds the same."""

from typing import Any

from detectors.base import World
from detectors.engine import OURSELVES
from detectors.ourselves import Ourselves
from domain.findings import Action, Finding
from domain.readings import Segment, Signal
from domain.records import SERVICE

BROKER = {"broker": {"away_s": 61}}
DISK = {"disk": {"free_mib": 900}}


def told(detector: Ourselves, offset: int, troubles: dict[str, dict[str, Any]]) -> list[Finding]:
    """Return what the detector finds when the service tells these troubles, ten seconds after the record before."""
    at_ms = 10_000 * offset
    signal = Signal(offset, 0, SERVICE, troubles, at_ms, at_ms)
    return detector.observe(Segment(offset, offset + 1, signals=(signal,)), World()).findings


def short(findings: list[Finding]) -> list[tuple[Action, str]]:
    """Return what was done about which trouble."""
    return [(finding.action, finding.device.removeprefix(OURSELVES + "/")) for finding in findings]


def test_each_trouble_is_one_alarm_until_it_is_told_no_more() -> None:
    """A record tells all that stand; who is not in it is over."""
    detector = Ourselves()
    assert short(told(detector, 1, BROKER)) == [(Action.RAISE, "broker")]
    assert short(told(detector, 2, BROKER | DISK)) == [(Action.RAISE, "disk")]
    assert short(told(detector, 3, DISK)) == [(Action.CLEAR, "broker")]
    assert short(told(detector, 4, {})) == [(Action.CLEAR, "disk")]


def test_an_alarm_says_what_is_wrong_and_its_end_how_long_it_was() -> None:
    """The facts of the service, and our time."""
    detector = Ourselves()
    (raised,) = told(detector, 1, DISK)
    (cleared,) = told(detector, 4, {})
    assert raised.evidence == {"reason": "disk", "free_mib": 900}
    assert cleared.evidence == {"reason": "disk", "lasted_s": 30}
    assert (raised.at_ms, raised.event_ms) == (10_000, 10_000)


def test_what_is_told_again_is_no_news() -> None:
    """The service tells its troubles anew at every start."""
    detector = Ourselves()
    told(detector, 1, DISK)
    assert told(detector, 2, DISK) == []


def test_a_restart_forgets_no_trouble() -> None:
    """A snapshot holds what stands and since when."""
    before, after = Ourselves(), Ourselves()
    told(before, 1, DISK)
    after.restore(before.snapshot())
    assert told(after, 2, DISK) == []
    assert told(after, 5, {})[0].evidence["lasted_s"] == 40
