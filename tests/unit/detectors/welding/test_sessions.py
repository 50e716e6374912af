"""Who counts as scanned in, and what of a scan may be shown."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.welding.session import HIDDEN, Sessions, shown
from domain.readings import Quality, Signal

if TYPE_CHECKING:
    from tests.unit.detectors.welding.conftest import Workshop


def _signal(kind: str, at_ms: int, *, late: bool = False, **data: Any) -> Signal:
    return Signal(0, 0, kind, data, at_ms, 1_000_000, int(Quality.LATE) if late else 0)


def test_a_scan_opens_and_the_same_welders_scan_out_ends_a_session() -> None:
    """A session covers its start and not its end."""
    sessions = Sessions()
    sessions.scan_in(_signal("scan.in", 100, credential="C-1", permit="DH-1"))
    sessions.scan_out(_signal("scan.out", 200, credential="C-1"))
    covered = [sessions.at(0, at) is not None for at in (99, 100, 199, 200)]
    assert covered == [False, True, True, False]


def test_somebody_elses_scan_out_ends_nothing() -> None:
    """A passer-by cannot end another welder's session; a scan-out without a credential is the machine's own."""
    sessions = Sessions()
    sessions.scan_in(_signal("scan.in", 100, credential="C-1"))
    sessions.scan_out(_signal("scan.out", 200, credential="C-2"))
    assert sessions.at(0, 300) is not None
    sessions.scan_out(_signal("scan.out", 400))
    assert sessions.at(0, 500) is None


def test_the_next_welder_takes_over() -> None:
    """One machine, one welder: a second scan ends the first session, which late telemetry still finds."""
    sessions = Sessions()
    sessions.scan_in(_signal("scan.in", 100, credential="C-1"))
    sessions.scan_in(_signal("scan.in", 200, credential="C-2"))
    who = [session.credential if (session := sessions.at(0, at)) else None for at in (150, 250)]
    assert who == ["C-1", "C-2"]


def test_a_late_scan_does_not_undo_a_newer_one() -> None:
    """Events that were delayed on the way and are older than the session change nothing."""
    sessions = Sessions()
    sessions.scan_in(_signal("scan.in", 500, credential="C-2"))
    sessions.scan_in(_signal("scan.in", 100, credential="C-1", late=True))
    sessions.end(_signal("power.off", 200, late=True))
    session = sessions.at(0, 600)
    assert session is not None
    assert session.credential == "C-2"


@given(st.lists(st.tuples(st.sampled_from(["in", "out", "off"]), st.integers(0, 1000)), max_size=50))
def test_memory_is_bounded_and_survives_a_snapshot(events: list[tuple[str, int]]) -> None:
    """However often a machine is scanned, two sessions are kept, and a restored copy answers the same."""
    sessions = Sessions()
    steps = {"in": sessions.scan_in, "out": sessions.scan_out, "off": sessions.end}
    for step, at_ms in events:
        steps[step](_signal(step, at_ms, credential=f"C-{at_ms % 3}"))
    restored = Sessions()
    restored.restore(sessions.snapshot())
    assert len(sessions.snapshot()) <= 2
    assert [restored.at(0, at) for at in range(0, 1100, 50)] == [sessions.at(0, at) for at in range(0, 1100, 50)]


@pytest.mark.parametrize(
    ("code", "seen"),
    [("C-7F3K9QX2", "C-7F3K9QX2"), ("11010519491231002X", HIDDEN), ("T11010519491231002X", HIDDEN), (None, None)],
)
def test_a_code_that_may_be_a_persons_number_is_hidden(code: str | None, seen: str | None) -> None:
    """Nobody's ID, certificate or telephone number reaches evidence, even if a chip sends one as a credential."""
    assert shown(code) == seen


@pytest.mark.parametrize("credential", [None, 7, "", "x" * 65, "张某一", "a b"])
def test_a_scan_without_a_legal_credential_is_an_unknown_person(shop: "Workshop", credential: object) -> None:
    """Something was scanned, and it is nobody's code: that is W103, not W102, and is not repeated to anyone."""
    shop.say("scan.in", credential=credential)
    assert shop.weld() == ["W103 raise"]
    assert shop.found[-1].evidence["credential"] == HIDDEN
