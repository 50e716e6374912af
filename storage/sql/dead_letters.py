"""What nobody could read, in SQL."""

from dataclasses import dataclass

import sqlalchemy as sa

from domain.errors import NotFoundError
from ledger.books import DeadLetter
from storage.sql.engine import reading, writing
from storage.sql.ledger_tables import DEAD_LETTER
from storage.sql.rows import convert, tally

_COLUMNS = [DEAD_LETTER.c[name] for name in DeadLetter.__struct_fields__]


@dataclass(frozen=True, slots=True)
class SqlDeadLetters:
    """`ledger.books.DeadLetters` in SQL."""

    engine: sa.Engine

    def dead_letters(
        self, *, before_offset: int | None = None, reason: str | None = None, limit: int = 100
    ) -> list[DeadLetter]:
        query = sa.select(*_COLUMNS).order_by(DEAD_LETTER.c.offset.desc()).limit(limit)
        if before_offset is not None:
            query = query.where(DEAD_LETTER.c.offset < before_offset)
        if reason is not None:
            query = query.where(DEAD_LETTER.c.reason == reason)
        with reading(self.engine) as connection:
            return [convert(row, DeadLetter) for row in connection.execute(query)]

    def dead_letter(self, offset: int) -> DeadLetter:
        with reading(self.engine) as connection:
            row = connection.execute(sa.select(*_COLUMNS).where(DEAD_LETTER.c.offset == offset)).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no dead letter at offset {offset}")
        return convert(row, DeadLetter)

    def dead_letter_replayed(self, offset: int, at_ms: int) -> None:
        update = sa.update(DEAD_LETTER).where(DEAD_LETTER.c.offset == offset).values(replayed_at_ms=at_ms)
        with writing(self.engine) as connection:
            if not connection.execute(update).rowcount:
                raise NotFoundError(f"there is no dead letter at offset {offset}")

    def drop_dead_letters_before(self, before_ms: int) -> int:
        with writing(self.engine) as connection:
            return connection.execute(sa.delete(DEAD_LETTER).where(DEAD_LETTER.c.received_ms < before_ms)).rowcount

    def dead_letter_counts(self) -> dict[str, int]:
        return tally(self.engine, DEAD_LETTER.c.reason)
