"""W113 at the machine: it works although it says that it is locked, or its chip was opened or taken out.

That a silent machine goes on, seen at the unit's supply meter, is `meters.py`.
"""

from typing import Any

from detectors.welding.verdict import Verdict, local, verdict
from detectors.welding.work import Work
from domain.readings import Signal

STATES = {"locked": True, "unlocked": False}
"""`state` of a reply to a command (docs/reference/wire.md)."""


class Locks:
    """Locked machines, with the record and the device's time of it, and machines that are opened."""

    def __init__(self) -> None:
        self._locked: dict[int, tuple[int, int]] = {}
        self._opened: set[int] = set()

    def reply(self, signal: Signal) -> bool | None:
        """Take in a reply; return whether the machine is locked now, None when it does not say."""
        locked = STATES.get(str(signal.data.get("state")))
        if locked:
            self._locked.setdefault(signal.slot, (signal.offset, signal.event_ms))
        elif locked is False:
            self._locked.pop(signal.slot, None)
        return locked

    def tamper(self, signal: Signal) -> None:
        """Take in `tamper` or `tamper.clear`."""
        (self._opened.add if signal.type == "tamper" else self._opened.discard)(signal.slot)

    def judge_work(self, work: Work) -> Verdict | None:
        since = self._locked.get(work.slot)
        after = since is not None and (work.at_ms > since[1] if work.late else work.offset > since[0])
        return verdict("W113", {"reason": "works_while_locked", "since": local(since[1])}) if since and after else None

    def judge_machine(self, slot: int) -> Verdict | None:
        return verdict("W113", {"reason": "chip_removed"}) if slot in self._opened else None

    def snapshot(self) -> dict[str, Any]:
        return {"locked": [[slot, *since] for slot, since in self._locked.items()], "opened": sorted(self._opened)}

    def restore(self, state: dict[str, Any]) -> None:
        self._locked = {slot: (offset, event_ms) for slot, offset, event_ms in state["locked"]}
        self._opened = set(state["opened"])
