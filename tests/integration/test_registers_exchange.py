"""Import and export of registers on a real database. All people invented."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.errors import InputError
from registers.csv_files import RowProblem
from registers.exchange import BATCH, ImportReport, export_rows, import_folder, import_rows
from registers.store import Registers
from storage.sql.engine import open_engine
from storage.sql.migrate import upgrade
from storage.sql.registers import SqlRegisters

_WELDERS = "code,name,credential,id_number,phone\nW1,张某一,C-1,410411199003071233,10000000001\n"


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    engine = open_engine(f"sqlite:///{tmp_path}/emberwatch.db")
    upgrade(engine)
    return engine


@pytest.fixture
def store(engine: sa.Engine) -> Registers:
    return SqlRegisters(engine, clock_ms=lambda: 1_763_900_000_123)


def _import(store: Registers, noun: str, text: str, *, partial: bool = False) -> ImportReport:
    return import_rows(store, noun, text.encode(), by="me", partial=partial)


def test_import_again_is_unchanged(store: Registers) -> None:
    """The same file a second time writes nothing; one edited row writes one change."""
    first = _import(store, "area", "code,name\nA1,x\nA2,y\n")
    assert (first.read, first.imported, first.unchanged, first.problems) == (2, 2, 0, [])
    again = _import(store, "area", "code,name\nA1,x\nA2,z\n")
    assert (again.imported, again.unchanged) == (1, 1)
    assert [change.key for change in store.changes(0)] == ["A1", "A2", "A2"]


def test_one_bad_row_holds_back_the_whole_file(store: Registers) -> None:
    """Unless asked otherwise nothing is imported, and all problems are told: of cells, of rules and of references."""
    text = "code,name,area,lat,lon\nS1,a,A1,,\nS2,b,A9,,\nS3,c,A1,north,113\nS4,d,A1,33.7,\n"
    _import(store, "area", "code,name\nA1,x\n")
    report = _import(store, "site", text)
    assert (report.read, report.imported, report.unchanged, store.count("site")) == (4, 0, 0, 0)
    assert report.problems == [
        RowProblem(3, "area", "no area 'A9' in the register", "A9"),
        RowProblem(4, "lat", "must be a number", "north"),
        RowProblem(5, "lon", "a latitude without a longitude"),
    ]


def test_partial_import_takes_the_good_rows(store: Registers) -> None:
    """The report of the bad ones is the same."""
    _import(store, "area", "code,name\nA1,x\n")
    report = _import(store, "site", "code,name,area\nS1,a,A1\nS2,b,A9\n,c,A1\n", partial=True)
    assert (report.read, report.imported, len(report.problems)) == (3, 1, 2)
    assert [site.key for site in store.find("site")] == ["S1"]


def test_unknown_column_imports_nothing_even_in_part(store: Registers) -> None:
    """A misspelt header would give every row a default that nobody meant."""
    report = _import(store, "area", "code,name,colour\nA1,x,red\n", partial=True)
    assert (report.imported, [problem.column for problem in report.problems]) == (0, ["colour"])


def test_shared_chip_within_a_file_is_told_with_its_owner(store: Registers) -> None:
    """Two rows with one chip: the second is the problem."""
    report = _import(store, "machine", "code,chip\nK1,X\nK2,X\n")
    assert report.problems == [RowProblem(3, "chip", "chip already belongs to machine 'K1'", "X")]


def test_warnings_do_not_hold_back(store: Registers) -> None:
    """Set points above the bounds are imported, and told."""
    report = _import(store, "model", "code,name,kind,measurand,level1,level2\nM1,x,gas,ch4_lel,20,60\n")
    assert (report.imported, report.problems) == (1, [])
    assert [(warning.line, warning.column) for warning in report.warnings] == [(2, "level2")]


def test_report_masks_personal_values(store: Registers) -> None:
    """The number of a certificate that exists twice is not spread by the report."""
    _import(store, "welder", _WELDERS)
    text = "code,welder,number,family,category,item,issued_on,valid_until,state\n" + "".join(
        f"Z{n},W1,T410411199003071233,emergency,焊接,压力焊作业,2024-01-01,2029-12-31,有效\n" for n in (1, 2)
    )
    report = _import(store, "certificate", text)
    assert [(problem.line, problem.column, problem.value) for problem in report.problems] == [
        (3, "number", "T410***********1233")
    ]


def test_export_is_masked_unless_told_otherwise(store: Registers) -> None:
    """By default no personal value leaves."""
    _import(store, "welder", _WELDERS)
    shown = export_rows(store, "welder")
    assert shown.splitlines()[1] == "W1,张*,C-1,410***********1233,100****0001,"
    assert (
        export_rows(store, "welder", unmasked=True).splitlines()[1] == "W1,张某一,C-1,410411199003071233,10000000001,"
    )


def test_masked_export_edited_and_imported_keeps_what_it_hid(store: Registers) -> None:
    """The usual round through a spreadsheet: one phone changed, nothing else lost."""
    _import(store, "welder", _WELDERS)
    report = _import(store, "welder", export_rows(store, "welder").replace("100****0001", "10000000009"))
    assert (report.imported, report.problems) == (1, [])
    assert (
        export_rows(store, "welder", unmasked=True).splitlines()[1] == "W1,张某一,C-1,410411199003071233,10000000009,"
    )


def test_export_of_an_unknown_register_is_refused(store: Registers) -> None:
    """The known ones are named."""
    with pytest.raises(InputError, match="known: area"):
        export_rows(store, "street")


def test_large_file_goes_in_batches_and_tells_its_progress(store: Registers) -> None:
    """Alarms waiting for the database wait for one batch, not for a whole file; so the progress has steps."""
    rows = BATCH * 2 + 1
    told: list[tuple[int, int]] = []
    text = "code,name\n" + "".join(f"A{n},x\n" for n in range(rows))
    report = import_rows(store, "area", text.encode(), by="me", progress=lambda *step: told.append(step))
    assert report.imported == rows
    assert told == [(BATCH, rows), (BATCH * 2, rows), (rows, rows)]


def test_who_and_when_are_on_record(engine: sa.Engine, store: Registers) -> None:
    """Each change of a register says by whom and when."""
    _import(store, "area", "code,name\nA1,x\n")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT by, at_ms FROM register_change")).all() == [("me", 1_763_900_000_123)]


def _folder(path: Path, **files: str) -> Path:
    for noun, text in files.items():
        (path / f"{noun}.csv").write_text(text, encoding="utf-8")
    return path


def test_folder_is_imported_in_order_of_references(store: Registers, tmp_path: Path) -> None:
    """Areas before sites, whatever the names of the files sort to; other files are left alone."""
    folder = _folder(tmp_path, site="code,name,area\nS1,x,A1\n", area="code,name\nA1,x\n", truth="start,end\n")
    told: list[tuple[str, int, int]] = []
    reports = import_folder(store, folder, by="me", progress=lambda *step: told.append(step))
    assert [(report.noun, report.imported) for report in reports] == [("area", 1), ("site", 1)]
    assert told == [("area", 1, 1), ("site", 1, 1)]


def test_folder_stops_at_the_first_file_with_problems(store: Registers, tmp_path: Path) -> None:
    """What follows would only repeat the problem; with `partial` it goes on."""
    folder = _folder(tmp_path, area="code,name\nA1,x\nA 2,y\n", site="code,name,area\nS1,x,A1\n")
    assert [report.noun for report in import_folder(store, folder, by="me")] == ["area"]
    assert [report.imported for report in import_folder(store, folder, by="me", partial=True)] == [1, 1]


def test_folder_without_registers_is_refused(store: Registers, tmp_path: Path) -> None:
    """The names that are looked for are told."""
    with pytest.raises(InputError, match=r"area\.csv, enterprise\.csv"):
        import_folder(store, tmp_path, by="me")
