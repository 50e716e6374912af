"""The migrated schema is the schema the code speaks to."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from domain.errors import EngineError
from storage.sql import migrate
from storage.sql.engine import METADATA, open_engine, reading, writing

_SQL = Path(migrate.__file__).parent


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return open_engine(f"sqlite:///{tmp_path}/emberwatch.db")


def test_migrated_schema_equals_the_tables_in_code(engine: sa.Engine) -> None:
    """After `upgrade`, comparing the database with METADATA gives no difference."""
    for tables in sorted(_SQL.glob("*_tables.py")):
        __import__(f"storage.sql.{tables.stem}")
    migrate.upgrade(engine)
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_upgrade_again_changes_nothing(engine: sa.Engine) -> None:
    """A second start on the same database finds nothing to do."""
    assert migrate.current(engine) is None
    migrate.upgrade(engine)
    first = migrate.current(engine)
    migrate.upgrade(engine)
    assert first is not None
    assert migrate.current(engine) == first


def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    """Whoever is first creates the tables; the others wait for it and find nothing to do."""
    engines = [open_engine(f"sqlite:///{tmp_path}/emberwatch.db") for _ in range(3)]
    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(migrate.upgrade, engines))
    assert len({migrate.current(engine) for engine in engines}) == 1


def test_database_of_a_newer_version_is_refused(engine: sa.Engine) -> None:
    """A revision we do not know is an error that names the versions, not a crash and not a downgrade."""
    migrate.upgrade(engine)
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(EngineError, match="9999"):
        migrate.upgrade(engine)
    assert migrate.current(engine) == "9999"


def test_failed_migration_leaves_nothing_behind(engine: sa.Engine) -> None:
    """All revisions run in one transaction: an error on the way undoes every table."""
    with writing(engine) as connection:
        connection.execute(sa.text("CREATE TABLE secret (name TEXT)"))  # the last table of 0001 is in the way
    with pytest.raises(EngineError):
        migrate.upgrade(engine)
    assert sa.inspect(engine).get_table_names() == ["secret"]
