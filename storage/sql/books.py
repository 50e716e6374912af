"""The pipeline's side of the ledger: all that follows from a stretch of the journal in one transaction with its offset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from domain.findings import Finding
from ledger import alarming
from ledger.alarm import AlarmState
from ledger.books import Committed, Counts, DeadLetter, Decided, FeedItem
from ledger.page import Key
from ledger.policy import RulePolicy
from registers.local_time import local_day
from storage.sql.engine import reading, writing
from storage.sql.ledger_tables import ALARM, COMMIT_STATE, DEAD_LETTER
from storage.sql.page import open_page, put_single, write_page
from storage.sql.rows import convert


@dataclass(frozen=True, slots=True)
class SqlBooks:
    """`ledger.books.Books` in SQL."""

    engine: sa.Engine
    policies: Mapping[str, RulePolicy]

    def committed(self) -> Committed:
        with reading(self.engine) as connection:
            return _committed(connection)

    def active_alarms(self) -> set[tuple[str, str]]:
        c = ALARM.c
        active = sa.select(c.rule, c.device).where(c.state != AlarmState.CLOSED, c.active)
        with reading(self.engine) as connection:
            return {(rule, device) for rule, device in connection.execute(active)}

    def commit(self, decided: Decided) -> list[FeedItem]:
        with writing(self.engine) as connection:
            if not decided.findings and not decided.dead_letters and _advance(connection, decided):
                return []
            before = _committed(connection)
            if decided.end_offset <= before.offset:
                return []
            _write_dead_letters(connection, [d for d in decided.dead_letters if d.offset >= before.offset])
            items = self._record(connection, [f for f in decided.findings if f.offset >= before.offset])
            _write_committed(connection, Committed(decided.end_offset, before.counts + decided.counts))
            return items

    def _record(self, connection: sa.Connection, findings: Sequence[Finding]) -> list[FeedItem]:
        if not findings:
            return []
        years = {local_day(at_ms).year for at_ms in {f.at_ms for f in findings}}
        page = open_page(connection, (Key(f.device, f.rule) for f in findings), years)
        for finding in findings:
            alarming.record(page, finding, self.policies)
        return write_page(connection, page)


def _advance(connection: sa.Connection, decided: Decided) -> bool:
    """Move on when nothing was found, in one statement; return False when that is not possible."""
    c, counts = COMMIT_STATE.c, decided.counts
    moved = sa.update(COMMIT_STATE).where(c.offset < decided.end_offset)
    values = {name: c[name] + getattr(counts, name) for name in Counts.__struct_fields__}
    return bool(connection.execute(moved.values(offset=decided.end_offset, **values)).rowcount)


def _committed(connection: sa.Connection) -> Committed:
    row = connection.execute(sa.select(COMMIT_STATE)).one_or_none()
    return Committed(row.offset, convert(row, Counts)) if row else Committed(0, Counts())


def _write_committed(connection: sa.Connection, committed: Committed) -> None:
    counts = msgspec.structs.asdict(committed.counts)
    put_single(connection, COMMIT_STATE, {"offset": committed.offset, **counts})


def _write_dead_letters(connection: sa.Connection, letters: Sequence[DeadLetter]) -> None:
    if letters:
        connection.execute(sa.insert(DEAD_LETTER), [msgspec.structs.asdict(letter) for letter in letters])
