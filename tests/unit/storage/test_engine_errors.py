"""What the database says when it fails."""

import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.errors import EngineError
from storage.sql.engine import open_engine, writing


def test_errors_do_not_show_the_values_of_rows(tmp_path: Path) -> None:
    """Rows hold names and telephones of people; a traceback goes into the log."""
    name = "张某一"
    engine = open_engine(f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(EngineError) as raised, writing(engine) as connection:
        connection.execute(sa.text("INSERT INTO nothing VALUES (:name)"), {"name": name})
    assert name not in "".join(traceback.format_exception(raised.value))
