"""Registers as the API shows them: always masked."""

from typing import Any

from pydantic import Field

from api.models.base import View


class RegisterInfo(View):
    """One register, how many entries it holds, and its columns; `private` ones are masked at every exit."""

    noun: str = Field(examples=["device"])
    title: str = Field(examples=["监测设备"])
    count: int
    columns: list[str]
    private: list[str]


class RegisterEntry(View):
    """One entry; `fields` as in the register's own columns, personal ones masked."""

    noun: str = Field(examples=["welder"])
    key: str = Field(examples=["HG-0001"])
    fields: dict[str, Any] = Field(examples=[{"code": "HG-0001", "name": "张**", "credential": "C-7F3K9QX2"}])


class RegisterPage(View):
    """In key order; give `next_after` as `after` for the next page (null: this was the last)."""

    items: list[RegisterEntry]
    next_after: str | None


class RowProblemView(View):
    """One thing wrong in an imported file."""

    line: int
    column: str
    reason: str
    value: str


class ImportReportView(View):
    """What became of an import."""

    read: int
    imported: int
    unchanged: int
    problems: list[RowProblemView]
    warnings: list[RowProblemView]
