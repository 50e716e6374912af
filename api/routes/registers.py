"""Registers: read by everybody who is logged in, always masked; changed by administrators."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Query, Request, Response, status
from starlette.concurrency import run_in_threadpool

from api.context import Svc
from api.guard import Admin, Viewer
from api.models.registers import ColumnInfo, ImportReportView, RegisterEntry, RegisterInfo, RegisterPage
from api.problems import ForbiddenError
from domain.errors import InputError, NotFoundError
from registers.account import Role
from registers.exchange import ImportReport, import_rows
from registers.masking import masked, unmasked
from registers.noun import Noun
from registers.nouns import NOUNS, build
from registers.store import Registers
from registers.words import column_title

router = APIRouter(prefix="/registers", tags=["registers 名录"])

_DEVICE = {"code": "gas-001", "site": "canteen-1", "model": "gt-100", "name": "后厨灶台上方"}


@router.get("", summary="名录一览")
def list_registers(services: Svc) -> list[RegisterInfo]:
    """List the registers with their columns and how many entries each holds."""
    return [
        RegisterInfo(
            noun=noun,
            title=cls.title,
            count=services.registers.count(noun),
            columns=_columns(cls),
        )
        for noun, cls in NOUNS.items()
    ]


def _columns(cls: type[Noun]) -> list[ColumnInfo]:
    names = [field.name for field in msgspec.structs.fields(cls)]
    return [ColumnInfo(name=name, title=column_title(cls, name), private=name in cls.private) for name in names]


@router.get("/{noun}", summary="名录条目列表")
def list_entries(
    services: Svc,
    who: Viewer,
    noun: str,
    text: Annotated[str, Query(max_length=64, description="part of a key or name")] = "",
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> RegisterPage:
    """List entries in key order, personal fields masked. Searching people by name is for operators."""
    _known(noun)
    if text and "name" in NOUNS[noun].private and who.role is Role.VIEWER:
        raise ForbiddenError("searching people by name needs the role 'operator'")  # or a mask could be guessed open
    found = services.registers.find(noun, text=text, limit=limit, after=after)
    more = found[-1].key if len(found) == limit else None
    return RegisterPage(items=[_view(entry) for entry in found], next_after=more)


@router.get("/{noun}/{key}", summary="名录条目")
def get_entry(services: Svc, noun: str, key: str) -> RegisterEntry:
    """Give one entry, personal fields masked."""
    _known(noun)
    return _view(services.registers.get(noun, key))


@router.put("/{noun}/{key}", summary="登记或修改条目")
def put_entry(
    services: Svc, who: Admin, noun: str, key: str, fields: Annotated[dict[str, Any], Body(examples=[_DEVICE])]
) -> RegisterEntry:
    """Insert or replace one entry. A personal field that comes back as its mask keeps the value it masks."""
    _known(noun)
    kept = _kept(services.registers, noun, key)
    entry = build(noun, unmasked(fields, kept) if kept is not None else fields)
    if entry.key != key:
        raise InputError(f"the entry's code '{entry.key}' is not the '{key}' of the address")
    services.registers.put([entry], who.by)
    return _view(entry)


@router.delete("/{noun}/{key}", summary="注销条目", status_code=status.HTTP_204_NO_CONTENT)
def withdraw_entry(services: Svc, who: Admin, noun: str, key: str) -> Response:
    """Take one entry out of the register; refused while other entries refer to it."""
    _known(noun)
    services.registers.withdraw(noun, key, who.by)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post(
    "/{noun}/import",
    summary="导入 CSV",
    response_model=ImportReportView,
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def import_entries(
    request: Request, services: Svc, who: Admin, noun: str, *, partial: Annotated[bool, Query()] = False
) -> ImportReport:
    """Import a CSV file (the body): nothing when any row is bad, or with `partial` the good rows. Every bad row is told."""
    _known(noun)
    data = await request.body()  # read here, after the login was checked
    return await run_in_threadpool(import_rows, services.registers, noun, data, by=who.by, partial=partial)


def _known(noun: str) -> None:
    if noun not in NOUNS:
        raise NotFoundError(f"no register '{noun[:64]}' (known: {', '.join(NOUNS)})")


def _kept(registers: Registers, noun: str, key: str) -> Noun | None:
    try:
        return registers.get(noun, key)
    except NotFoundError:
        return None


def _view(entry: Noun) -> RegisterEntry:
    return RegisterEntry(noun=entry.noun, key=entry.key, fields=masked(entry))
