"""The registers as detectors see them: look-ups follow every change, and nothing personal is in them. All people invented."""

import datetime as dt
from typing import Any

from domain.changes import RegisterChange
from registers.nouns import build
from registers.view import RegisterView

_DAY = dt.date(2026, 1, 1)


def _view(*rows: tuple[str, dict[str, Any]]) -> RegisterView:
    view = RegisterView()
    view.apply(_changes(1, *rows))
    return view


def _changes(first: int, *rows: tuple[str, dict[str, Any]]) -> list[RegisterChange]:
    entries = [build(noun, fields) for noun, fields in rows]
    return [RegisterChange(first + n, entry.noun, entry.key, entry.projection()) for n, entry in enumerate(entries)]


def _machine(chip: str, code: str = "K1") -> tuple[str, dict[str, Any]]:
    return "machine", {"code": code, "chip": chip}


def _certificate(code: str, welder: str) -> tuple[str, dict[str, Any]]:
    fields = {
        "code": code,
        "welder": welder,
        "number": "N-1",
        "family": "construction",
        "category": "焊接",
        "item": "焊工",
    }
    return "certificate", fields | {"issued_on": _DAY, "valid_until": _DAY}


def _permit(code: str, site: str) -> tuple[str, dict[str, Any]]:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    times = {"starts_at": start, "ends_at": start + dt.timedelta(hours=1)}
    return "permit", {"code": code, "site": site, "level": "first"} | times


def test_machine_is_found_by_the_chip_it_has_now() -> None:
    """A changed chip is found, the old one is not."""
    view = _view(_machine("X"))
    view.apply(_changes(2, _machine("Y")))
    assert view.machine("X") is None
    assert getattr(view.machine("Y"), "code", None) == "K1"


def test_machines_that_swapped_chips_are_both_found() -> None:
    """Taking the first change in does not lose the second machine."""
    view = _view(_machine("X", "K1"), _machine("Y", "K2"))
    view.apply(_changes(3, _machine("Y", "K1"), _machine("X", "K2")))
    assert [getattr(view.machine(chip), "code", None) for chip in ("X", "Y")] == ["K2", "K1"]


def test_certificates_and_permits_follow_their_holder_and_place() -> None:
    """Moved to another welder or site, they are found there only, in order of their codes."""
    view = _view(_certificate("Z2", "W1"), _certificate("Z1", "W1"), _permit("P1", "S1"))
    assert [row.code for row in view.certificates("W1")] == ["Z1", "Z2"]
    view.apply(_changes(4, _certificate("Z2", "W2"), _permit("P1", "S2")))
    assert ([row.code for row in view.certificates("W1")], [row.code for row in view.certificates("W2")]) == (
        ["Z1"],
        ["Z2"],
    )
    assert (view.permits_at("S1"), [row.code for row in view.permits_at("S2")]) == ([], ["P1"])


def test_withdrawn_entries_are_gone_from_every_look_up() -> None:
    """By key and by what they are looked up with."""
    view = _view(_machine("X"), _permit("P1", "S1"))
    view.apply([RegisterChange(3, "machine", "K1"), RegisterChange(4, "permit", "P1")])
    assert (view.machine("X"), view.permit("P1"), view.permits_at("S1")) == (None, None, [])


def test_old_changes_are_ignored() -> None:
    """A stream that comes twice leaves the newest picture, and says that nothing was new."""
    changes = _changes(1, _machine("X"), _machine("Y"))
    view = RegisterView()
    assert view.apply(changes) == changes
    assert view.apply(changes) == []
    assert view.machine("Y") is not None


def test_personal_fields_are_hidden() -> None:
    """A welder is known by code and credential only."""
    view = _view(("welder", {"code": "W1", "name": "张某一", "credential": "C1", "phone": "10000000001"}))
    welder = view.welder("C1")
    assert welder is not None
    assert (welder.name, welder.phone, welder.id_number) == ("-", None, None)
    assert "张" not in str(view.snapshot())


def test_restored_view_is_the_same_view() -> None:
    """Rows, look-ups and the last change survive a snapshot."""
    view, again = _view(_machine("X"), _certificate("Z1", "W1"), _permit("P1", "S1")), RegisterView()
    again.restore(view.snapshot())
    assert again.snapshot() == view.snapshot()
    assert (again.last_id, again.machine("X"), again.certificates("W1")) == (
        3,
        view.machine("X"),
        view.certificates("W1"),
    )
