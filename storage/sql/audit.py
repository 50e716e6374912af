"""Reads the hazard ledger for verification: exactly what stands there, legal or not, so that no edit can stop the check."""

from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from ledger import chain
from ledger.hazard import Hazard, HazardEvent, Tampering
from storage.sql.ledger_tables import HAZARD, HAZARD_EVENT
from storage.sql.page import chain_end

_T = TypeVar("_T", bound=msgspec.Struct)
_STREAMED = 1_000


def audit(connection: sa.Connection) -> list[Tampering]:
    """Return where the ledger was tampered with; rows are streamed, hazards are held in memory."""
    hazards = {row.id: _as_it_stands(row, Hazard, "alarms") for row in connection.execute(_with_text(HAZARD, "alarms"))}
    query = _with_text(HAZARD_EVENT, "data").order_by(HAZARD_EVENT.c.sequence)
    rows = connection.execution_options(yield_per=_STREAMED).execute(query)
    return chain.verify((_as_it_stands(row, HazardEvent, "data") for row in rows), chain_end(connection), hazards)


def _with_text(table: sa.Table, name: str) -> sa.Select[Any]:
    """Select everything, the JSON column as text: the engine's own decoding would fail on broken JSON."""
    return sa.select(*(sa.cast(c, sa.Text).label(name) if c.name == name else c for c in table.c))


def _as_it_stands(row: sa.Row[Any], cls: type[_T], json: str) -> _T:
    """Return the row without validation; broken JSON stays text, which equals nothing that was ever written."""
    fields = {name: getattr(row, name) for name in cls.__struct_fields__}
    try:
        value = msgspec.json.decode(fields[json])
    except (msgspec.DecodeError, TypeError):
        value = fields[json]
    return cls(**{**fields, json: tuple(value) if isinstance(value, list) else value})
