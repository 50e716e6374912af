"""People who weld, and their certificates. ID numbers are personal: they stay in the register."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from registers import resident_id
from registers.local_time import local_today
from registers.noun import Code, Noun, Remarks, Text

_EMERGENCY_YEARS = 6
"""Validity of an emergency-family certificate (特种作业人员安全技术培训考核管理规定, 令30号, article 19)."""


class Family(StrEnum):
    """The three certificate families that are legally acceptable for welding (domain-facts 3.2)."""

    EMERGENCY = "emergency"
    """应急管理部门 特种作业操作证."""
    CONSTRUCTION = "construction"
    """住建部门 建筑施工特种作业操作资格证."""
    SPECIAL_EQUIPMENT = "special_equipment"
    """市场监管部门 特种设备安全管理和作业人员证."""


class CertificateState(StrEnum):
    """What the issuing office says of it; 待核验 (pending) is not yet a refusal."""

    VALID = "valid"
    PENDING = "pending"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Welder(Noun, frozen=True, kw_only=True):
    """A person who welds. `credential`: the opaque code of the QR token scanned at a machine; never an ID number."""

    noun: ClassVar[str] = "welder"
    title: ClassVar[str] = "焊工"
    private: ClassVar[frozenset[str]] = frozenset({"name", "id_number", "phone"})
    references: ClassVar[Mapping[str, str]] = {"enterprise": "enterprise"}
    unique: ClassVar[tuple[tuple[str, ...], ...]] = (("credential",),)
    code: Code
    name: Text
    credential: Code
    id_number: Text | None = None
    phone: Text | None = None
    enterprise: Code | None = None

    def problems(self) -> Remarks:
        if self.id_number is None:
            return []
        wrong = resident_id.problem(self.id_number)
        if wrong is None and not resident_id.is_adult(self.id_number, local_today()):
            wrong = "its holder is not 18 yet"
        return [("id_number", wrong)] if wrong else []


class Certificate(Noun, frozen=True, kw_only=True):
    """One operation item of one certificate: the key is (number, category, item), kept here as an opaque `code`.

    `number` is personal (emergency family: T + resident ID). Dates are inclusive. `category` e.g. 焊接与热切割作业,
    `item` e.g. 熔化焊接与热切割作业, 压力焊作业, 钎焊作业.
    """

    noun: ClassVar[str] = "certificate"
    title: ClassVar[str] = "作业证书"
    private: ClassVar[frozenset[str]] = frozenset({"number"})
    references: ClassVar[Mapping[str, str]] = {"welder": "welder"}
    unique: ClassVar[tuple[tuple[str, ...], ...]] = (("number", "category", "item"),)
    code: Code
    welder: Code
    number: Text
    family: Family
    category: Text
    item: Text
    issued_on: dt.date
    valid_until: dt.date
    review_due: dt.date | None = None
    state: CertificateState = CertificateState.PENDING

    def problems(self) -> Remarks:
        found = self._number_problems() if self.family is Family.EMERGENCY else []
        if self.valid_until < self.issued_on:
            found.append(("valid_until", "lies before the day of issue"))
        if self.review_due is not None and self.review_due < self.issued_on:
            found.append(("review_due", "lies before the day of issue"))
        return found

    def _number_problems(self) -> Remarks:
        """Emergency family: T + resident ID (domain-facts 3.2)."""
        if not self.number.startswith("T"):
            return [("number", "is not T and a resident ID number, as every certificate of this family")]
        wrong = resident_id.problem(self.number[1:])
        if wrong is None and not resident_id.is_adult(self.number[1:], self.issued_on):
            wrong = "its holder was not 18 on the day of issue"
        return [("number", wrong)] if wrong else []

    def warnings(self) -> Remarks:
        found = []
        if self.review_due is not None and self.review_due > self.valid_until:
            found.append(("review_due", "lies after the last valid day"))
        if self.family is Family.EMERGENCY and self.valid_until > _years_after(self.issued_on, _EMERGENCY_YEARS):
            found.append(
                ("valid_until", f"more than {_EMERGENCY_YEARS} years after the day of issue (order 30, article 19)")
            )
        return found

    def lapses(self, day: dt.date) -> str | None:
        """Return why it does not hold on `day`, else None.

        One of `suspended`, `revoked`, `not_yet`, `expired`, `review_overdue`, `pending`.
        """
        if self.state in (CertificateState.SUSPENDED, CertificateState.REVOKED):
            return str(self.state)
        if day < self.issued_on:
            return "not_yet"
        if day > self.valid_until:
            return "expired"
        if self.review_due is not None and day > self.review_due:
            return "review_overdue"
        return "pending" if self.state is CertificateState.PENDING else None


def _years_after(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)
