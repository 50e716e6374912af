"""The page of the two lifecycles, made from their tables: `docs/reference/lifecycles.md` is this text."""

from collections.abc import Mapping

from ledger.lifecycle import ALARM, HAZARD, E, Lifecycle, S, diagram
from ledger.words import ALARM_EVENT, ALARM_STATE, HAZARD_EVENT, HAZARD_STATE

_HEAD = """# Lifecycles

Made from the tables in `ledger/lifecycle.py`; a test keeps this page equal to them. A step that is not listed is refused
and changes nothing.
"""
_ALARM_TEXT = """
An alarm lives after ISA-18.2 / IEC 62682. At most one alarm of a device and a rule is open. `raise` on an active alarm means it
became graver, so an acknowledged one asks for attention again. On the shelf or out of service an alarm keeps count of what
its rule says; on the way back it is unacknowledged, and if its cause is gone meanwhile, at once cleared and unacknowledged:
nothing ends without somebody having seen it.
"""
_HAZARD_TEXT = """
A hazard is opened by hand, or by an alarm of severity 紧急 or 重要 whose rule has a grade; a further alarm of the same device
and rule joins the open hazard (`alarm` in its chain). Closing is refused while an alarm of it is active. Every step says
who, when and on what basis; `note` is allowed in every state.
"""


def describe() -> str:
    """Return the page as Markdown."""
    alarm = _section("Alarm 报警", _ALARM_TEXT, ALARM, ALARM_STATE | ALARM_EVENT)
    hazard = _section("Hazard 隐患", _HAZARD_TEXT, HAZARD, HAZARD_STATE | HAZARD_EVENT)
    return _HEAD + alarm + hazard


def _section(title: str, text: str, life: Lifecycle[S, E], titles: Mapping[str, str]) -> str:
    rows = "".join(
        f"| {before} | {event} {titles[event]} | {after} |\n" for (before, event), after in life.table.items()
    )
    table = f"| state | event | next state |\n|---|---|---|\n{rows}"
    return f"\n## {title}\n{text}\n```mermaid\n{diagram(life, titles)}\n```\n\n{table}"
