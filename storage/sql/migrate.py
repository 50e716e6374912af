"""Brings a database to the schema this version needs, from the installed package, without an ini file."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError

from domain.errors import EngineError
from storage.sql.engine import reading, writing

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(engine: sa.Engine) -> None:
    """Run every missing revision in one write transaction; raise EngineError when the database is newer than we are."""
    with writing(engine) as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise EngineError(f"the database cannot be migrated by this version of emberwatch: {error}") from error


def current(engine: sa.Engine) -> str | None:
    """Return the database's revision; None for an empty database."""
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()
