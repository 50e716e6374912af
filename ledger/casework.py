"""What people and alarms do to hazards, written on a page of the books: every change is a row of the chain."""

from dataclasses import dataclass
from typing import Any

import msgspec

from domain.errors import InputError, RefusedError
from ledger.alarm import Alarm, AlarmState
from ledger.chain import link
from ledger.hazard import ALARM, OPEN, Channel, Grade, Hazard, HazardDraft, HazardStep
from ledger.lifecycle import HAZARD
from ledger.page import Key, Page
from ledger.policy import RulePolicy
from ledger.words import hazard_description
from registers.local_time import local_day


@dataclass(frozen=True, slots=True)
class _Fields:
    """What a step must and may say in its data about the hazard itself."""

    must: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()


_NOTHING = _Fields()
_FIELDS: dict[str, _Fields] = {
    HazardStep.REGISTER: _Fields(may=frozenset({"grade"})),
    HazardStep.ASSIGN: _Fields(must=frozenset({"assignee"}), may=frozenset({"due_ms"})),
    HazardStep.REASSIGN: _Fields(must=frozenset({"assignee"}), may=frozenset({"due_ms"})),
    HazardStep.EXTEND: _Fields(must=frozenset({"due_ms"})),
    HazardStep.REOPEN: _Fields(may=frozenset({"due_ms"})),
}
_ABOUT_HAZARD = frozenset({"grade", "assignee", "due_ms"})
_GRADES = (Grade.GENERAL, Grade.MAJOR)


def open_by_hand(page: Page, draft: HazardDraft, *, by: str, at_ms: int) -> Hazard:
    """Open a clue; RefusedError when the device and rule have an open hazard."""
    _check_said(by, draft.basis)
    _jsonable(msgspec.to_builtins(draft))
    if not all(word.strip() for word in (draft.title, draft.area, draft.site)):
        raise InputError("a hazard needs a title, an area and a site")
    _check_alone(page, draft.device, draft.rule)
    return _open(page, draft, (), by, at_ms)


def open_from_alarm(page: Page, alarm: Alarm, policy: RulePolicy, grade: Grade, at_ms: int) -> Hazard:
    """Open the clue that an alarm of this rule is."""
    draft = HazardDraft(
        grade=grade,
        channel=Channel.MONITORING,
        title=policy.title,
        description=hazard_description(alarm.rule, policy.title, alarm.severity, alarm.device),
        basis=policy.basis,
        area=alarm.area,
        site=alarm.site,
        device=alarm.device,
        rule=alarm.rule,
        severity=alarm.severity,
    )
    return _open(page, draft, (alarm.id,), f"rule:{alarm.rule}", at_ms)


def _open(page: Page, draft: HazardDraft, alarms: tuple[int, ...], by: str, at_ms: int) -> Hazard:
    data = {**msgspec.to_builtins(draft), "alarms": list(alarms)}
    name = page.next_hazard(local_day(at_ms).year)
    born = (None, HAZARD.start)
    event = link(page.anchor, name, OPEN, born, at_ms=at_ms, by=by, basis=draft.basis, data=data)
    return page.write_event(None, event, notify=True)


def join(page: Page, hazard: Hazard, alarm: Alarm, at_ms: int) -> Hazard:
    """Write that another alarm of the same device and rule belongs to this open hazard."""
    same = (hazard.state, hazard.state)
    by = f"rule:{alarm.rule}"
    data = {"alarm": alarm.id, "severity": int(alarm.severity)}
    event = link(page.anchor, hazard.id, ALARM, same, at_ms=at_ms, by=by, basis=hazard.basis, data=data)
    return page.write_event(hazard, event, notify=False)


def act(
    page: Page,
    hazard: Hazard,
    step: str,
    *,
    by: str,
    at_ms: int,
    basis: str,
    note: str = "",
    data: dict[str, Any] | None = None,
) -> Hazard:
    """Write one step of `lifecycle.HAZARD` and return the hazard; raises as `HazardBook` says.

    `data` may hold more than the ledger's own fields (photographs' hashes, a plan): it is chained as it is.
    """
    after = HAZARD.step(hazard.state, step)
    _check_said(by, basis)
    said: dict[str, Any] = _jsonable({"data": data or {}, "words": [by, basis, note]})["data"]
    _check_data(hazard, step, said)
    _check_step(page, hazard, step)
    moved = (hazard.state, after)
    event = link(page.anchor, hazard.id, step, moved, at_ms=at_ms, by=by, basis=basis, note=note, data=said)
    try:
        return page.write_event(hazard, event, notify=step != HazardStep.NOTE)
    except msgspec.ValidationError as error:
        raise InputError(f"{step}: {error}") from error


def _check_step(page: Page, hazard: Hazard, step: str) -> None:
    if step == HazardStep.CLOSE and any(_speaks(a) for a in page.alarms.values() if a.hazard == hazard.id):
        raise RefusedError(f"{hazard.id} cannot be closed: an alarm of it is still active")
    if step == HazardStep.REOPEN:
        _check_alone(page, hazard.device, hazard.rule)


def _speaks(alarm: Alarm) -> bool:
    """Tell whether an alarm still says that the hazard is there; one that was disabled, with a reason, says nothing."""
    return alarm.active and alarm.state is not AlarmState.OUT_OF_SERVICE


def _check_alone(page: Page, device: str | None, rule: str | None) -> None:
    other = page.hazards.get(Key(device, rule)) if device is not None and rule is not None else None
    if other is not None:
        raise RefusedError(f"{other.id} is already open for rule {rule} at {device}")


def _check_said(by: str, basis: str) -> None:
    if not by.strip() or not basis.strip():
        raise InputError("every step in the ledger says who took it and on what basis")


def _check_data(hazard: Hazard, step: str, data: dict[str, Any]) -> None:
    fields = _FIELDS.get(step, _NOTHING)
    about = _ABOUT_HAZARD & data.keys()
    if missing := sorted(fields.must - data.keys()):
        raise InputError(f"{step} needs {', '.join(missing)}")
    if extra := sorted(about - fields.must - fields.may):
        raise InputError(f"{step} may not change {', '.join(extra)}")
    if step == HazardStep.REGISTER and data.get("grade", hazard.grade) not in _GRADES:
        raise InputError("register needs a grade: general or major (a person decides, a rule only proposes)")
    if step == HazardStep.EXTEND and hazard.due_ms is not None and data["due_ms"] <= hazard.due_ms:
        raise InputError("an extension ends after the present deadline")
    if "assignee" in data and not str(data["assignee"] or "").strip():
        raise InputError(f"{step} needs an assignee")


def _jsonable(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data as it will be read back, so that its hash is the same then."""
    try:
        jsonable: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(data))
    except (TypeError, ValueError) as error:
        raise InputError(f"what the step says cannot be written down as JSON: {error}") from error
    return jsonable
