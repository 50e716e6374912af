"""The rules of the field that entries of the registers must keep, and what is kept with a warning. All people invented."""

import datetime as dt
from typing import Any

import pytest

from domain.errors import InputError
from registers import resident_id
from registers.local_time import LOCAL, local_day, local_today
from registers.noun import Remarks
from registers.nouns import broken_rules, build

_AT = dt.datetime(2026, 11, 23, 8, tzinfo=LOCAL)
_BASE: dict[str, dict[str, Any]] = {
    "enterprise": {"code": "E", "name": "某厂", "industry": "机械"},
    "site": {"code": "S", "name": "车间", "area": "A"},
    "model": {"code": "M", "name": "探测器", "kind": "gas", "measurand": "ch4_lel"},
    "device": {"code": "D", "site": "S", "model": "M"},
    "machine": {"code": "K", "chip": "C"},
    "welder": {"code": "W", "name": "张某", "credential": "C"},
    "certificate": {
        "code": "C",
        "welder": "W",
        "number": "T11010519491231002X",
        "family": "emergency",
        "category": "焊接与热切割作业",
        "item": "压力焊作业",
        "issued_on": dt.date(2023, 1, 10),
        "valid_until": dt.date(2029, 1, 9),
        "review_due": dt.date(2026, 1, 9),
    },
    "permit": {
        "code": "P",
        "site": "S",
        "level": "first",
        "starts_at": _AT,
        "ends_at": _AT + dt.timedelta(hours=8),
        "welders": ["W"],
        "lat": 33.7,
        "lon": 113.3,
        "radius_m": 50.0,
    },
}


def _columns(remarks: Remarks) -> list[str]:
    return [column for column, _ in remarks]


@pytest.mark.parametrize("noun", _BASE)
def test_sound_entries_have_no_problem_and_no_warning(noun: str) -> None:
    """The examples the other tests spoil are themselves sound."""
    assert build(noun, _BASE[noun]).warnings() == []


@pytest.mark.parametrize(
    ("noun", "change", "column"),
    [
        ("enterprise", {"uscc": "91350100M000100Y44"}, "uscc"),
        ("model", {"life_years": 1e8}, "life_years"),
        ("permit", {"starts_at": dt.datetime(1, 1, 1, tzinfo=LOCAL)}, "starts_at"),
        ("permit", {"ends_at": dt.datetime(9999, 12, 31, 20, tzinfo=dt.UTC)}, "ends_at"),
        ("site", {"lat": 33.7}, "lon"),
        ("site", {"lon": 113.3}, "lat"),
        ("model", {"measurand": "unicorns"}, "measurand"),
        ("model", {"level1": 25.0, "level2": 25.0}, "level2"),
        ("model", {"level1": 5.0, "level2": 20.0, "full_scale": 10.0}, "level2"),
        ("device", {"level1": 30.0, "level2": 20.0}, "level2"),
        ("device", {"lat": 33.7}, "lon"),
        ("welder", {"id_number": "110105194912310021"}, "id_number"),
        ("certificate", {"number": "T110105194912310021"}, "number"),
        ("certificate", {"number": "11010519491231002X"}, "number"),
        ("certificate", {"valid_until": dt.date(2023, 1, 9)}, "valid_until"),
        ("certificate", {"review_due": dt.date(2023, 1, 9)}, "review_due"),
        ("permit", {"ends_at": _AT}, "ends_at"),
        ("permit", {"ends_at": _AT + dt.timedelta(hours=8, minutes=1)}, "ends_at"),
        ("permit", {"level": "special", "ends_at": _AT + dt.timedelta(hours=9)}, "ends_at"),
        ("permit", {"level": "second", "ends_at": _AT + dt.timedelta(hours=73)}, "ends_at"),
        ("permit", {"lat": None, "lon": None}, "radius_m"),
    ],
)
def test_broken_rule_is_named_by_its_column(noun: str, change: dict[str, Any], column: str) -> None:
    """Each rule refuses the entry and says which column breaks it."""
    with pytest.raises(InputError, match=f"{noun} .*: {column}: "):
        build(noun, _BASE[noun] | change)


@pytest.mark.parametrize(
    ("noun", "change"),
    [
        ("model", {"level1": 0.0}),
        ("model", {"interval_s": 0}),
        ("machine", {"measures": "tertiary"}),
        ("machine", {"interval_s": 604_801}),
        ("permit", {"starts_at": _AT.replace(tzinfo=None)}),
        ("permit", {"level": "third"}),
        ("site", {"lat": 91.0, "lon": 0.0}),
        ("site", {"code": "a b"}),
        ("device", {"code": "-"}),
        ("site", {"unheard_of": 1}),
    ],
)
def test_impossible_values_cannot_be_built(noun: str, change: dict[str, Any]) -> None:
    """Shapes and bounds are part of the type."""
    with pytest.raises(InputError, match=noun):
        build(noun, _BASE[noun] | change)


def test_unknown_register_is_named_with_the_known_ones() -> None:
    """A typing slip in the register's name says what would be right."""
    with pytest.raises(InputError, match=r"no register 'devices' \(known: area, .*device"):
        build("devices", {})


def test_second_level_permit_may_hold_three_days() -> None:
    """72 h exactly are allowed."""
    build("permit", _BASE["permit"] | {"level": "second", "ends_at": _AT + dt.timedelta(hours=72)})


@pytest.mark.parametrize(
    ("noun", "change", "columns"),
    [
        ("model", {"level1": 25.0, "level2": 50.0}, []),
        ("model", {"level1": 26.0, "level2": 51.0}, ["level1", "level2"]),
        ("model", {"measurand": "co_ppm", "level1": 17.0, "level2": 150.0}, ["level2"]),
        ("model", {"measurand": "ch4_ppm", "level1": 12_500.0, "level2": 25_001.0}, ["level2"]),
        ("model", {"measurand": "ch4_ppm", "lel_vol": 4.4, "level1": 12_500.0, "level2": 21_000.0}, ["level1"]),
        ("model", {"measurand": "temp_c", "level1": 500.0, "level2": 900.0}, []),
        ("model", {"measurand": None, "level1": 500.0, "level2": 900.0}, []),
        ("permit", {"welders": []}, ["welders"]),
        ("certificate", {"review_due": dt.date(2029, 1, 10)}, ["review_due"]),
        ("certificate", {"valid_until": dt.date(2029, 1, 11)}, ["valid_until"]),
        ("certificate", {"issued_on": dt.date(2024, 2, 29), "valid_until": dt.date(2030, 2, 28)}, []),
    ],
)
def test_remarkable_entries_are_kept_with_a_warning(noun: str, change: dict[str, Any], columns: list[str]) -> None:
    """Set points above the bounds of GB/T 50493, odd dates and permits for nobody are lawful to keep, and told."""
    assert _columns(build(noun, _BASE[noun] | change).warnings()) == columns


def test_holder_of_an_emergency_certificate_was_of_age_when_it_was_issued() -> None:
    """The T-number gives the birth date, the day of issue decides."""
    body = "41041120050601001"
    number = f"T{body}{resident_id.check_digit(body)}"
    fields = _BASE["certificate"] | {"number": number}
    build("certificate", fields | {"issued_on": dt.date(2023, 6, 1)})
    with pytest.raises(InputError, match="not 18 on the day of issue"):
        build("certificate", fields | {"issued_on": dt.date(2023, 5, 31)})


def test_other_families_may_number_as_they_like() -> None:
    """T and the resident ID belong to the emergency family only."""
    build("certificate", _BASE["certificate"] | {"family": "construction", "number": "豫A042019000123"})


def test_a_child_is_no_welder() -> None:
    """A welder is 18 on the day of entry."""
    body = f"410411{local_today().year - 10}0101001"
    with pytest.raises(InputError, match="not 18 yet"):
        build("welder", _BASE["welder"] | {"id_number": body + resident_id.check_digit(body)})


@pytest.mark.parametrize(("noun", "field"), [("welder", "id_number"), ("certificate", "number")])
def test_reasons_never_repeat_private_values(noun: str, field: str) -> None:
    """A reason may be logged; what is private may not."""
    with pytest.raises(InputError) as caught:
        build(noun, _BASE[noun] | {field: "SECRET-7"})
    assert "SECRET-7" not in str(caught.value)


def test_entry_without_broken_rules_has_none() -> None:
    """`broken_rules` is what `build` refuses for."""
    assert broken_rules(build("welder", _BASE["welder"])) == []


def test_local_days_begin_at_midnight_in_china() -> None:
    """16:00 UTC is the next day's midnight."""
    midnight = dt.datetime(2026, 11, 23, 16, tzinfo=dt.UTC)
    ms = int(midnight.timestamp() * 1000)
    assert local_day(ms) == dt.date(2026, 11, 24)
    assert local_day(ms - 1) == dt.date(2026, 11, 23)
