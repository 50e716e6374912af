"""Registers, ledger, accounts and offsets in SQL: SQLAlchemy Core tables, Alembic migrations, repositories."""
