"""The rule catalogue as the API shows it."""

from pydantic import Field

from api.models.base import View
from domain.findings import Severity
from ledger.hazard import Grade


class ParameterView(View):
    """One setting of a rule, with where its default comes from."""

    name: str
    default: float
    unit: str
    basis: str
    low: float
    high: float


class BasisView(View):
    """The law or standard with edition and clause; `verified` when its text was read, not remembered."""

    text: str = Field(examples=["GB/T 50493-2019 5.5.2"])
    verified: bool


class RuleView(View):
    """One rule: what it watches for, how grave it is, and the standard or law it stands on."""

    code: str = Field(examples=["G101"])
    title: str = Field(examples=["可燃或有毒气体二级报警"])
    summary: str
    severity: Severity
    grade: Grade | None
    basis: BasisView
    built: bool
    shelvable: bool
    parameters: tuple[ParameterView, ...]
