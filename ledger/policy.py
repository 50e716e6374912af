"""What the books must know of each rule; the front door fills it from the detectors' catalogue."""

from dataclasses import dataclass

from ledger.hazard import Grade


@dataclass(frozen=True, slots=True)
class RulePolicy:
    """`title` in Chinese; `grade` of the hazard its alarms open (None: none); `basis` cited; whether it may be shelved."""

    code: str
    title: str
    grade: Grade | None
    basis: str
    shelvable: bool = True
