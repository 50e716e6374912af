"""How long: when a job began (W110), whether its fire watch is confirmed in time (W111), and who goes on too long (W114).

A job is arcs with short breaks between them; how short depends on what is asked. Deadlines pass with time alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from detectors.welding.arc import Arc
from detectors.welding.verdict import Verdict, local, verdict
from detectors.welding.work import Work
from domain.readings import Quality, Signal

WATCH, POWER = "watch", "power"
_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000


@dataclass(slots=True)
class Chain:
    """Arcs of one machine: the last one's end, and since when they follow each other by each of the breaks.

    `strict_ms`: breaks after which the air of a special or first-level job is tested again, `second_ms`: of a second-level
    one; `rest_ms`: breaks that rest the welder `credential`.
    """

    last_ms: int
    strict_ms: int
    second_ms: int
    rest_ms: int
    credential: str | None


class Due(NamedTuple):
    """Something that must come before `at_ms`; `since_ms`: what it counts from; `passed`: it did not."""

    since_ms: int
    at_ms: int
    passed: bool = False


class Hours:
    """Chains, deadlines and confirmed watches by machine slot."""

    def __init__(self, test: Mapping[str, float], watch: Mapping[str, float], work: Mapping[str, float]) -> None:
        self._breaks_ms = (
            test["break_min"] * _MINUTE_MS,
            test["break_second_min"] * _MINUTE_MS,
            work["rest_min"] * _MINUTE_MS,
        )
        self._allowed_ms = {WATCH: int(watch["watch_min"] * _MINUTE_MS), POWER: int(work["hours"] * _HOUR_MS)}
        self._longest_ms = work["work_h"] * _HOUR_MS
        self._chains: dict[int, Chain] = {}
        self._due: dict[tuple[int, str], Due] = {}
        self._watched: dict[int, tuple[int, int]] = {}
        """Our and the device's time of the last confirmed watch."""
        self._next_ms = 0
        """No deadline passes before this; 0: unknown."""

    def began(self, slot: int, arc: Arc, credential: str | None) -> None:
        """Learn that an arc began."""
        at_ms, chain = arc.at_ms, self._chains.get(slot)
        self._due.pop((slot, WATCH), None) if not self._is_passed(slot, WATCH) else None
        if chain is None:
            self._chains[slot] = Chain(at_ms, at_ms, at_ms, at_ms, credential)
            return
        strict, second, rest = (at_ms - chain.last_ms >= pause for pause in self._breaks_ms)
        chain.strict_ms = at_ms if strict else chain.strict_ms
        chain.second_ms = at_ms if second else chain.second_ms
        chain.rest_ms = at_ms if rest else chain.rest_ms

    def goes_on(self, slot: int, at_ms: int, credential: str | None) -> None:
        """Learn who is at it: another welder is a rested one."""
        chain = self._chains.get(slot)
        if chain is not None and credential is not None and credential != chain.credential:
            chain.rest_ms = chain.rest_ms if chain.credential is None else at_ms
            chain.credential = credential

    def ended(self, slot: int, arc: Arc) -> None:
        """Learn that an arc ended: its fire watch is due, unless it is confirmed already or an earlier one is overdue."""
        chain = self._chains[slot]
        chain.last_ms = max(chain.last_ms, arc.at_ms)
        watched = slot in self._watched and self._watched[slot][arc.late] >= arc.at_ms
        if not watched and not self._is_passed(slot, WATCH):
            self._set(slot, WATCH, arc.at_ms)

    def watched(self, signal: Signal) -> None:
        """Take in `watch.done`: it speaks for all arcs before it."""
        self._watched[signal.slot] = signal.received_ms, signal.event_ms
        self._due.pop((signal.slot, WATCH), None)

    def powered(self, signal: Signal, *, on: bool) -> None:
        """Learn that the machine has power, or no longer has it or may not."""
        if not on:
            self._due.pop((signal.slot, POWER), None)
        elif (signal.slot, POWER) not in self._due:
            late = bool(signal.quality & Quality.LATE)
            self._set(signal.slot, POWER, signal.event_ms if late else signal.received_ms)

    def _set(self, slot: int, kind: str, since_ms: int) -> None:
        self._due[slot, kind] = Due(since_ms, since_ms + self._allowed_ms[kind])
        self._next_ms = 0

    def _is_passed(self, slot: int, kind: str) -> bool:
        due = self._due.get((slot, kind))
        return due is not None and due.passed

    def tick(self, now_ms: int) -> list[int]:
        """Return the slots of which a deadline has passed now."""
        if now_ms < self._next_ms:
            return []
        passed = [key for key, due in self._due.items() if due.at_ms <= now_ms and not due.passed]
        for key in passed:
            self._due[key] = self._due[key]._replace(passed=True)
        self._next_ms = min((due.at_ms for due in self._due.values() if not due.passed), default=2**62)
        return sorted({slot for slot, _ in passed})

    def began_ms(self, work: Work, *, second: bool) -> int:
        """Return when the job began, by the break that a permit of the second level, or a stricter one, allows."""
        chain = self._chains[work.slot]
        return chain.second_ms if second else chain.strict_ms

    def judge_work(self, work: Work) -> Verdict | None:
        """Return W114 when nobody could go on like that without a rest."""
        since_ms = self._chains[work.slot].rest_ms
        if work.at_ms - since_ms < self._longest_ms:
            return None
        return verdict("W114", {"reason": "no_rest", "since": local(since_ms), "limit_h": self._longest_ms / _HOUR_MS})

    def judge_machine(self, slot: int) -> list[Verdict]:
        """Return what is overdue at the machine: its fire watch (W111), or to be switched off (W114)."""
        found = []
        if self._is_passed(slot, WATCH):
            facts = {
                "last_arc": local(self._due[slot, WATCH].since_ms),
                "limit_min": self._allowed_ms[WATCH] // _MINUTE_MS,
            }
            found.append(verdict("W111", {"reason": "watch_not_confirmed"} | facts))
        if self._is_passed(slot, POWER):
            facts = {"since": local(self._due[slot, POWER].since_ms), "limit_h": self._allowed_ms[POWER] / _HOUR_MS}
            found.append(verdict("W114", {"reason": "powered_too_long"} | facts))
        return found

    def snapshot(self) -> dict[str, Any]:
        return {
            "chains": [
                [slot, c.last_ms, c.strict_ms, c.second_ms, c.rest_ms, c.credential] for slot, c in self._chains.items()
            ],
            "due": [[*key, *due] for key, due in self._due.items()],
            "watched": [[slot, *times] for slot, times in self._watched.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._chains = {slot: Chain(*fields) for slot, *fields in state["chains"]}
        self._due = {(slot, kind): Due(*fields) for slot, kind, *fields in state["due"]}
        self._watched = {slot: (ours, theirs) for slot, ours, theirs in state["watched"]}
        self._next_ms = 0
