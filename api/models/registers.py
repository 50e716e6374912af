"""Registers as the API shows them: always masked."""

from typing import Any

from pydantic import Field

from api.models.base import View


class ColumnInfo(View):
    """One column with its Chinese title; a `private` one is masked at every exit."""

    name: str = Field(examples=["id_number"])
    title: str = Field(examples=["身份证号"])
    private: bool


class RegisterInfo(View):
    """One register, how many entries it holds, and its columns."""

    noun: str = Field(examples=["device"])
    title: str = Field(examples=["监测设备"])
    count: int
    columns: list[ColumnInfo]


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
    """What is wrong (or remarkable) in one cell; `line` counts from 1, the header's; `value` is masked where private."""

    line: int = Field(examples=[7])
    column: str = Field(examples=["id_number"])
    reason: str = Field(examples=["is not a resident ID number: its check digit is wrong"])
    value: str | None = Field(examples=["410***********1234"])


class ImportReportView(View):
    """What came of a file: rows `read` = `imported` + `unchanged` + those refused or held back because of `problems`."""

    noun: str
    read: int
    imported: int
    unchanged: int
    problems: list[RowProblemView]
    warnings: list[RowProblemView]
