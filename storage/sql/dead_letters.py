"""What nobody could read, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from domain.errors import NotFoundError
from ledger.books import DeadLetter
from storage.sql.engine import give_back, reading, writing
from storage.sql.ledger_tables import DEAD_LETTER
from storage.sql.rows import convert, tally

_ROW_BYTES = 300
"""About what a letter takes besides its payload and its words."""
_AT_ONCE = 100
_SHARES = 8
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

    def cap_dead_letters(self, most_bytes: int) -> int:
        c = DEAD_LETTER.c
        size = sa.func.length(c.payload) + sa.func.length(c.topic) + sa.func.length(c.detail) + _ROW_BYTES
        with reading(self.engine) as connection:
            rows = connection.execute(sa.select(sa.func.sum(size)).group_by(c.topic))
            sizes = [int(held) for (held,) in rows]
            share = fair_share(sizes, most_bytes)
            if max(sizes, default=0) <= share:
                return 0
            newer = sa.func.sum(size).over(partition_by=c.topic, order_by=c.offset.desc())
            letter = sa.select(c.offset, size.label("size"), newer.label("held")).subquery().c
            query = sa.select(letter.offset, letter.size, letter.held).where(letter.held > share)
            above = [
                (int(at), int(size), int(held)) for at, size, held in connection.execute(query.order_by(letter.offset))
            ]
        offsets = _surplus(above, sum(sizes) - most_bytes, most_bytes // _SHARES)
        for at in range(0, len(offsets), _AT_ONCE):  # some at a time, so that commits come between
            with writing(self.engine) as connection:
                connection.execute(sa.delete(DEAD_LETTER).where(c.offset.in_(offsets[at : at + _AT_ONCE])))
        give_back(self.engine)
        return len(offsets)

    def dead_letter_counts(self) -> dict[str, int]:
        return tally(self.engine, DEAD_LETTER.c.reason)


def _surplus(letters: Sequence[tuple[int, int, int]], too_much: int, most_each: int) -> list[int]:
    """Return the offsets that have to go of letters, oldest first: offset, size, size with all newer ones of its topic.

    No more than has to: where each of very many topics has more than its share by one letter, only the oldest go.
    """
    gone = []
    for offset, size, held in letters:
        if too_much > 0 or held > most_each:
            gone.append(offset)
            too_much -= size
    return gone


def fair_share(sizes: Sequence[int], most: int) -> int:
    """Return the most that one may have, so that together they have `most` and nobody more than an eighth of it.

    Those who want less have all they want: only the loudest are cut.
    """
    left, others = most, len(sizes)
    for size in sorted(sizes):
        if size * others > left:
            return min(left // others, most // _SHARES)
        left, others = left - size, others - 1
    return most // _SHARES
