"""The whole ledger in one SQL database: one adapter a port, sharing the engine."""

from collections.abc import Mapping

import sqlalchemy as sa

from ledger.policy import RulePolicy
from storage.sql.alarms import SqlAlarmBook
from storage.sql.books import SqlBooks
from storage.sql.dead_letters import SqlDeadLetters
from storage.sql.hazards import SqlHazardBook
from storage.sql.outbox import SqlFeed, SqlOutbox


class SqlLedger:
    """Books, alarms, hazards, feed, outbox and dead letters behind their ports; `policies` by rule code."""

    def __init__(self, engine: sa.Engine, policies: Mapping[str, RulePolicy]) -> None:
        self.books = SqlBooks(engine, policies)
        self.alarms = SqlAlarmBook(engine, policies)
        self.hazards = SqlHazardBook(engine)
        self.feed = SqlFeed(engine)
        self.outbox = SqlOutbox(engine)
        self.dead_letters = SqlDeadLetters(engine)
