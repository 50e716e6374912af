"""Runs revisions on the connection that storage.sql.migrate opened; Alembic loads this file itself."""

from alembic import context

from storage.sql.engine import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite has it, since storage.sql.engine says BEGIN itself
)
with context.begin_transaction():
    context.run_migrations()
