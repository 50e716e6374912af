"""Who counts as scanned in, and what of a scan may be shown."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.welding.session import HIDDEN, Sessions, shown
from domain.readings import Quality, Signal

if TYPE_CHECKING:
    from tests.unit.detectors.welding.conftest import Workshop


def _signal(kind: str, offset: int, *, late_ms: int | None = None, **data: Any) -> Signal:
    """Return an event at a record, received and said at that many seconds, or said at `late_ms` and long under way."""
    quality = 0 if late_ms is None else int(Quality.LATE)
    return Signal(offset, 0, kind, data, 1000 * offset if late_ms is None else late_ms, 1000 * offset, quality)


def test_a_scan_opens_and_the_same_welders_scan_out_ends_a_session() -> None:
    """A session covers the records between its scans, and late data by the device's time between them."""
    sessions = Sessions()
    sessions.scan_in(_signal("scan.in", 10, credential="C-1", permit="DH-1"))
    sessions.scan_out(_signal("scan.out", 20, credential="C-1"))
    assert [sessions.at(0, offset) is not None for offset in (9, 11, 19, 21)] == [False, True, True, False]
    late = [sessions.at(0, 99, late_ms) is not None for late_ms in (9_999, 10_000, 19_999, 20_000)]
    assert late == [False, True, True, False]


def test_somebody_elses_scan_out_ends_nothing() -> None:
    """A passer-by cannot end another welder's session; a scan-out without a credential is the machine's own."""
    sessions = Sessions()
    sessions.scan_in(_signal("scan.in", 1, credential="C-1"))
    sessions.scan_out(_signal("scan.out", 2, credential="C-2"))
    assert sessions.at(0, 3) is not None
    sessions.scan_out(_signal("scan.out", 4))
    assert sessions.at(0, 5) is None


def test_the_next_welder_takes_over() -> None:
    """One machine, one welder: a second scan ends the first session, which what came before it still finds."""
    sessions = Sessions()
    sessions.scan_in(_signal("scan.in", 10, credential="C-1"))
    sessions.scan_in(_signal("scan.in", 20, credential="C-2"))
    who = [session.credential if (session := sessions.at(0, offset)) else None for offset in (15, 25)]
    assert who == ["C-1", "C-2"]


def test_a_late_scan_does_not_undo_a_newer_one() -> None:
    """Events that were delayed on the way and are older than the session change nothing."""
    sessions = Sessions()
    sessions.scan_in(_signal("scan.in", 500, credential="C-2"))
    sessions.scan_in(_signal("scan.in", 501, credential="C-1", late_ms=100_000))
    sessions.end(_signal("power.off", 502, late_ms=200_000))
    session = sessions.at(0, 600)
    assert session is not None
    assert session.credential == "C-2"


def test_a_clock_that_jumps_back_hides_nobody() -> None:
    """Live data go by the order of records: a device that loses its time does not lose its welder."""
    sessions = Sessions()
    sessions.scan_in(_signal("scan.in", 10, credential="C-1")._replace(event_ms=10_000_000))
    assert sessions.at(0, 11) is not None
    sessions.scan_out(_signal("scan.out", 12, credential="C-1")._replace(event_ms=0))
    assert sessions.at(0, 13) is None


@given(st.lists(st.tuples(st.sampled_from(["in", "out", "off"]), st.integers(0, 2)), max_size=50))
def test_memory_is_bounded_and_survives_a_snapshot(events: list[tuple[str, int]]) -> None:
    """However often a machine is scanned, two sessions are kept, and a restored copy answers the same."""
    sessions = Sessions()
    steps = {"in": sessions.scan_in, "out": sessions.scan_out, "off": sessions.end}
    for offset, (step, who) in enumerate(events):
        steps[step](_signal(step, offset, credential=f"C-{who}"))
    restored = Sessions()
    restored.restore(sessions.snapshot())
    assert len(sessions.snapshot()) <= 2
    assert [restored.at(0, offset) for offset in range(50)] == [sessions.at(0, offset) for offset in range(50)]


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
