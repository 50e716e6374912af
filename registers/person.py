"""People who weld, and their certificates. ID numbers are personal: they stay in the register."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from registers.noun import Code, Noun, Text


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
    id_number: str | None = None
    phone: str | None = None
    enterprise: Code | None = None


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
