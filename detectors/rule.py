"""What a rule is, as data: its words for people, its grade, the standard it rests on and the parameters it may be tuned by.

Numbers in rules are defaults with a basis, never constants in code (rules.md); a basis nobody has read is marked.
"""

from dataclasses import dataclass

from domain.findings import Severity
from ledger.hazard import Grade


@dataclass(frozen=True, slots=True)
class Parameter:
    """One tunable number: `default` in `unit`, allowed in `[low, high]`; `basis` names the standard or says it is ours."""

    name: str
    default: float
    unit: str
    basis: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Basis:
    """The law or standard, with edition and clause; `verified` only when its text was read, not remembered."""

    text: str
    verified: bool

    def __str__(self) -> str:
        return self.text if self.verified else f"{self.text}（未核实）"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalogue.

    `severity` is the default; a detector may find another within its rule. `grade` of the hazard an alarm opens (None:
    none). `built`: a detector finds it. `shelvable`: an operator may shelve it for a time. `summary`: one sentence for
    a safety officer.
    """

    code: str
    title: str
    severity: Severity
    grade: Grade | None
    basis: Basis
    summary: str
    built: bool = False
    shelvable: bool = True
    parameters: tuple[Parameter, ...] = ()


OURS = "本系统缺省值"
"""Basis of a parameter that no standard gives."""


def read(text: str) -> Basis:
    """Return a basis whose text was read at a source."""
    return Basis(text, verified=True)


def unread(text: str) -> Basis:
    """Return a basis from knowledge only: shown as 未核实."""
    return Basis(text, verified=False)
