"""What every store of registers promises; run on each adapter. All entries are invented."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.changes import RegisterChange
from domain.errors import InputError, NotFoundError, RefusedError
from registers import resident_id
from registers.csv_files import parse
from registers.exchange import entries, export_rows
from registers.local_time import LOCAL
from registers.noun import Noun
from registers.nouns import NOUNS, build
from registers.store import Registers
from registers.view import RegisterView
from storage.sql.engine import METADATA, open_engine
from storage.sql.register_tables import REGISTER_TABLES
from storage.sql.registers import SqlRegisters

Make = Callable[[Path], Registers]


def _sqlite(url: str) -> Registers:
    engine = open_engine(url)
    METADATA.create_all(engine)
    return SqlRegisters(engine)


ADAPTERS: dict[str, Make] = {"sqlite": lambda folder: _sqlite(f"sqlite:///{folder}/registers.db")}


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Registers:
    return ADAPTERS[request.param](tmp_path)


def _area(code: str = "A1", name: str = "某街道") -> Noun:
    return build("area", {"code": code, "name": name})


def _site(code: str = "S1", area: str = "A1", **more: Any) -> Noun:
    return build("site", {"code": code, "name": "车间", "area": area} | more)


def _machine(code: str, chip: str) -> Noun:
    return build("machine", {"code": code, "chip": chip})


def _welder(code: str = "W1", **more: Any) -> Noun:
    return build("welder", {"code": code, "name": "张某一", "credential": f"C-{code}", "phone": "10000000001"} | more)


def _certificate(code: str, item: str = "压力焊作业") -> Noun:
    number, day = "T11010519491231002X", dt.date(2026, 1, 1)
    fields = {"code": code, "welder": "W1", "number": number, "family": "emergency", "category": "焊接", "item": item}
    return build("certificate", fields | {"issued_on": day, "valid_until": day})


def _permit(code: str, *welders: str) -> Noun:
    start = dt.datetime(2026, 11, 23, 0, 30, tzinfo=dt.UTC)
    fields = {
        "code": code,
        "site": "S1",
        "level": "first",
        "starts_at": start,
        "ends_at": start + dt.timedelta(hours=1),
    }
    return build("permit", fields | {"welders": list(welders)})


def test_what_was_put_is_got(store: Registers) -> None:
    """Private fields included: the store hides nothing, exits do."""
    welder = _welder()
    store.put([welder], "me")
    assert store.get("welder", "W1") == welder


def test_times_come_back_in_china_standard_time(store: Registers) -> None:
    """The same instant, in the local offset, whatever offset it came with."""
    store.put([_area(), _site(), _welder(), _permit("P1", "W1")], "me")
    permit = store.get("permit", "P1")
    assert permit == _permit("P1", "W1")
    assert getattr(permit, "starts_at").utcoffset() == LOCAL.utcoffset(None)  # noqa: B009  a permit's


def test_changes_are_dense_and_in_order(store: Registers) -> None:
    """One stream of ids without gaps or repeats, references first."""
    changes = store.put([_site(), _area()], "me") + store.put([_area(name="另一街道")], "me")
    assert [(change.id, change.noun, change.key) for change in changes] == [
        (1, "area", "A1"),
        (2, "site", "S1"),
        (3, "area", "A1"),
    ]
    assert store.changes(0) == changes
    assert store.changes(1, limit=1) == changes[1:2]
    assert store.changes(3) == []


def test_equal_entry_makes_no_change(store: Registers) -> None:
    """Putting what is there already is silent, so an import may be repeated."""
    store.put([_area(), _site(), _welder(), _permit("P1", "W1")], "me")
    assert store.put([_area(), _site(), _welder(), _permit("P1", "W1")], "me") == []


def test_changes_carry_nothing_personal(store: Registers) -> None:
    """Name, ID number, telephone and certificate number stay in the register."""
    store.put([_welder(id_number="410411199003071233"), _certificate("Z1")], "me")
    text = str(store.changes(0))
    assert not [
        value for value in ("张某一", "410411199003071233", "10000000001", "T11010519491231002X") if value in text
    ]


def test_change_of_a_private_field_alone_is_a_change(store: Registers) -> None:
    """That someone edited the entry is on record, though the public picture is the same."""
    store.put([_welder()], "me")
    assert [change.id for change in store.put([_welder(phone="10000000009")], "me")] == [2]


def test_withdrawn_entry_is_gone_and_may_come_back(store: Registers) -> None:
    """It is not found, not counted, may not be withdrawn twice; putting it again makes a change."""
    store.put([_area()], "me")
    assert store.withdraw("area", "A1", "me") == RegisterChange(2, "area", "A1", None)
    assert (store.count("area"), store.find("area")) == (0, [])
    with pytest.raises(NotFoundError, match="no area 'A1'"):
        store.withdraw("area", "A1", "me")
    assert [change.row for change in store.put([_area()], "me")] == [{"code": "A1", "name": "某街道"}]
    assert store.get("area", "A1") == _area()


def test_unknown_key_and_unknown_register_are_told_apart(store: Registers) -> None:
    """A missing entry is a refusal, a missing register is a wrong request."""
    with pytest.raises(NotFoundError, match="no site 'S9'"):
        store.get("site", "S9")
    for ask in (lambda: store.get("street", "S9"), lambda: store.find("street"), lambda: store.count("street")):
        with pytest.raises(InputError, match="no register 'street'"):
            ask()


@pytest.mark.parametrize(
    ("entry", "column", "missing"),
    [
        (_site("S1", "A9"), "area", "A9"),
        (_site("S1", enterprise="E9"), "enterprise", "E9"),
        (build("device", {"code": "D1", "site": "S1", "model": "M9"}), "model", "M9"),
        (_certificate("Z1"), "welder", "W1"),
        (_permit("P1", "W1", "W9"), "welders", "W9"),
        (build("inspector", {"code": "I1", "name": "李某", "areas": ["A1", "A9"]}), "areas", "A9"),
    ],
)
def test_unknown_reference_refuses_everything(store: Registers, entry: Noun, column: str, missing: str) -> None:
    """The error names entry, column and key; nothing of the batch is kept."""
    with pytest.raises(InputError, match=rf"{entry.noun} {entry.key}: {column}: no \w+ '{missing}'"):
        store.put([_area(), entry], "me")
    assert store.count("area") == 0
    assert store.changes(0) == []


def test_withdrawn_entry_is_no_reference(store: Registers) -> None:
    """A new site cannot stand in an area that was withdrawn."""
    store.put([_area()], "me")
    store.withdraw("area", "A1", "me")
    with pytest.raises(InputError, match="no area 'A1'"):
        store.put([_site()], "me")


@pytest.mark.parametrize(
    ("noun", "key", "user"), [("area", "A1", "area of site S1"), ("welder", "W1", "welders of permit P1")]
)
def test_entry_in_use_cannot_be_withdrawn(store: Registers, noun: str, key: str, user: str) -> None:
    """Single references and lists alike; the error names one user."""
    store.put([_area(), _site(), _welder(), _permit("P1", "W1")], "me")
    with pytest.raises(RefusedError, match=user):
        store.withdraw(noun, key, "me")
    assert store.get(noun, key).key == key


def test_key_that_only_begins_alike_is_not_in_use(store: Registers) -> None:
    """W1 may go while a list names W11 and W_1."""
    store.put([_area(), _site(), _welder("W1"), _welder("W11"), _welder("W_1"), _permit("P1", "W11", "W_1")], "me")
    store.withdraw("welder", "W1", "me")


@pytest.mark.parametrize(
    ("first", "second", "column"),
    [
        (_machine("K1", "X"), _machine("K2", "X"), "chip"),
        (_welder("W1", credential="X"), _welder("W2", credential="X"), "credential"),
        (_certificate("Z1"), _certificate("Z2"), "number"),
    ],
)
def test_unique_fields_hold_within_and_across_batches(store: Registers, first: Noun, second: Noun, column: str) -> None:
    """The second one is refused, whether it comes in the same batch or later; once the first is withdrawn it may come."""
    store.put([_welder()], "me")
    with pytest.raises(InputError, match=rf"{second.key}: {column}: .* belongs to {first.noun} '{first.key}'"):
        store.put([first, second], "me")
    store.put([first], "me")
    with pytest.raises(InputError, match=rf"{second.key}: {column}: .* belongs to {first.noun} '{first.key}'"):
        store.put([second], "me")
    if first.key != "W1" or first.noun != "welder":
        store.withdraw(first.noun, first.key, "me")
        store.put([second], "me")


def test_one_certificate_number_may_have_several_items(store: Registers) -> None:
    """The key is number + category + item: one person, one number, many items."""
    store.put([_welder(), _certificate("Z1", "压力焊作业"), _certificate("Z2", "钎焊作业")], "me")
    assert store.count("certificate") == 2


def test_two_machines_may_swap_chips_in_one_batch(store: Registers) -> None:
    """Only the state after the batch counts."""
    store.put([_machine("K1", "X"), _machine("K2", "Y")], "me")
    assert len(store.put([_machine("K1", "Y"), _machine("K2", "X")], "me")) == 2
    assert store.get("machine", "K1") == _machine("K1", "Y")


def test_check_tells_every_violation_in_order(store: Registers) -> None:
    """All of them with the entry's position; nothing is stored; what is sound is silent."""
    found = store.check(
        [_site("S1", "A8"), _area(), _machine("K1", "X"), _site("S2"), _machine("K2", "X"), _site("S3", "A9")]
    )
    assert [(violation.position, violation.column) for violation in found] == [(0, "area"), (4, "chip"), (5, "area")]
    assert store.count("area") == 0
    assert store.check([_area(), _site()]) == []


def test_error_of_many_violations_stays_short(store: Registers) -> None:
    """The first few are named, the rest counted."""
    with pytest.raises(InputError, match=r"S0.*S1.*S2.*\(and 7 more\)"):
        store.put([_site(f"S{n}", "A9") for n in range(10)], "me")


def test_find_pages_in_key_order(store: Registers) -> None:
    """Every entry once, whatever the page."""
    store.put([_area(f"A{n}") for n in (3, 1, 2)], "me")
    assert [entry.key for entry in store.find("area", limit=2)] == ["A1", "A2"]
    assert [entry.key for entry in store.find("area", limit=2, after="A2")] == ["A3"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [("b_1", ["ab_1"]), ("B", ["ab_1", "abx1"]), ("湖", ["c"]), ("%", []), ("", ["ab_1", "abx1", "c"])],
)
def test_find_looks_into_key_and_name(store: Registers, text: str, keys: list[str]) -> None:
    """Parts of either, small or capital; `_` and `%` mean themselves."""
    store.put([_area("ab_1", "x"), _area("abx1", "y"), _area("c", "东湖路")], "me")
    assert [entry.key for entry in store.find("area", text=text)] == keys


def test_last_of_equal_keys_in_a_batch_counts(store: Registers) -> None:
    """One change, the later entry."""
    assert len(store.put([_area(name="x"), _area(name="y")], "me")) == 1
    assert store.get("area", "A1") == _area(name="y")


def test_large_batch_is_stored_whole(store: Registers) -> None:
    """More entries than a database takes parameters in one statement."""
    batch = [_area(f"A{n}") for n in range(5_000)]
    assert len(store.put(batch, "me")) == len(batch)
    assert store.count("area") == len(batch)
    assert len(list(entries(store, "area"))) == len(batch)


def test_writers_at_once_share_one_stream(store: Registers) -> None:
    """Changes of several threads get dense ids, and each thread's changes stay together and in its order."""
    with ThreadPoolExecutor(4) as pool:
        done = pool.map(lambda n: store.put([_area(f"A{n}{m}") for m in range(50)], f"writer {n}"), range(4))
        by_writer = [[change.id for change in changes] for changes in done]
    assert sorted(number for ids in by_writer for number in ids) == list(range(1, 201))
    assert [ids == list(range(ids[0], ids[0] + 50)) for ids in by_writer] == [True] * 4


# --- properties -----------------------------------------------------------------------------------------------------------------

_codes = st.text("abAB01-_", min_size=1, max_size=4).filter("-".__ne__)
_letters = st.characters(min_codepoint=32, max_codepoint=0x9FFF, exclude_categories=("Cs", "Cc", "Z", "Cf", "Cn"))
_texts = st.text(st.one_of(st.sampled_from("=+-@'\",;"), _letters).filter("*".__ne__), min_size=1, max_size=6)
_days = st.dates(dt.date(2001, 1, 1), dt.date(2030, 1, 1))
_degrees = st.floats(-90, 90, allow_nan=False)


@st.composite
def _people(draw: st.DrawFn, code: str, credential: str) -> Noun:
    body = f"410411{draw(st.dates(dt.date(1950, 1, 1), dt.date(1982, 1, 1))):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    fields = {"code": code, "credential": credential, "name": draw(_texts), "phone": draw(st.none() | _texts)}
    return build("welder", fields | {"id_number": draw(st.none() | st.just(body + resident_id.check_digit(body)))})


@st.composite
def _papers(draw: st.DrawFn, code: str, welder: str) -> Noun:
    issued = draw(_days)
    fields = {"code": code, "welder": welder, "number": f"N-{code}", "family": "construction", "issued_on": issued}
    later = st.integers(0, 3000).map(lambda days: issued + dt.timedelta(days=days))
    dates = {"valid_until": draw(later), "review_due": draw(st.none() | later)}
    return build("certificate", fields | dates | {"category": draw(_texts), "item": draw(_texts)})


@st.composite
def _works(draw: st.DrawFn, code: str, site: str, welders: list[str]) -> Noun:
    zone = dt.timezone(dt.timedelta(hours=draw(st.integers(-12, 12))))
    start = draw(st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1))).replace(tzinfo=zone)  # noqa: DTZ001  zone follows
    ends = start + dt.timedelta(minutes=draw(st.integers(1, 480)))
    chosen = draw(st.lists(st.sampled_from(welders), unique=True))
    return build(
        "permit", {"code": code, "site": site, "level": "first", "starts_at": start, "ends_at": ends, "welders": chosen}
    )


@st.composite
def districts(draw: st.DrawFn) -> list[Noun]:
    """Return entries of several registers whose references hold together."""
    codes = sorted(draw(st.sets(_codes, min_size=1, max_size=3)))
    area = build("area", {"code": codes[0], "name": draw(_texts)})
    place = {"lat": draw(_degrees), "lon": draw(_degrees)}
    sites = [_site(code, codes[0], name=draw(_texts), **place) for code in codes]
    model = build("model", {"code": "M", "name": draw(_texts), "kind": "gas", "level1": draw(st.floats(0.001, 9e9))})
    device = build(
        "device",
        {"code": "D", "site": codes[-1], "model": "M", "installed_on": draw(_days), "in_service": draw(st.booleans())},
    )
    people = [draw(_people(code, f"T-{code}")) for code in codes]
    papers = [draw(_papers(code, codes[0])) for code in codes]
    work = draw(_works("P", codes[0], codes))
    inspector = build("inspector", {"code": "I", "name": draw(_texts), "areas": codes[:1], "kinds": ["gas", "fire"]})
    return [area, *sites, model, device, *people, *papers, work, inspector]


def _memory() -> Registers:
    return _sqlite("sqlite://")


def _public(entry: Noun) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__ if name not in entry.private}


def _cuts(changes: list[RegisterChange], size: int) -> Iterator[list[RegisterChange]]:
    yield from (changes[start : start + size] for start in range(0, len(changes), size))


@settings(max_examples=25)
@given(districts(), st.data(), st.integers(1, 7))
def test_stream_of_changes_rebuilds_the_registers(district: list[Noun], data: st.DataObject, size: int) -> None:
    """A view fed with the changes, in any cuts and each cut twice, holds what the store holds, private fields aside."""
    store, view = _memory(), RegisterView()
    store.put(district, "me")
    store.withdraw("permit", "P", "me")
    again = data.draw(st.lists(st.sampled_from(district)))
    store.put(
        [
            msgspec.structs.replace(entry, name=data.draw(_texts)) if "name" in _public(entry) else entry
            for entry in again
        ],
        "me",
    )
    store.withdraw("inspector", "I", "me")
    for cut in _cuts(store.changes(0, limit=10_000), size):
        view.apply(cut)
        view.apply(cut)
    for noun, cls in NOUNS.items():
        assert [_public(row) for row in view.rows(cls)] == [_public(entry) for entry in entries(store, noun)]
    assert [change.id for change in store.changes(0, limit=10_000)] == list(range(1, view.last_id + 1))


@settings(max_examples=50)
@given(districts())
def test_export_unmasked_comes_back_the_same(district: list[Noun]) -> None:
    """Writing a register as CSV and reading it again gives equal entries, for every register."""
    store = _memory()
    store.put(district, "me")
    for noun in REGISTER_TABLES:
        parsed = parse(noun, export_rows(store, noun, unmasked=True).encode())
        assert parsed.problems == []
        assert [row.entry for row in parsed.rows] == list(entries(store, noun))


@settings(max_examples=50)
@given(districts())
def test_masked_export_changes_nothing_when_it_comes_back(district: list[Noun]) -> None:
    """With the register at hand, masks stand for what is kept."""
    store = _memory()
    store.put(district, "me")
    for noun in REGISTER_TABLES:
        kept = {entry.key: entry for entry in entries(store, noun)}
        parsed = parse(noun, export_rows(store, noun).encode(), kept.get)
        assert [row.entry for row in parsed.rows] == list(kept.values())
