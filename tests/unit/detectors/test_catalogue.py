"""The rule book holds together, and settings can only turn what it lets them turn."""

import re

import pytest

from detectors.catalogue import CATALOGUE, policies
from detectors.parameters import Parameters
from domain.errors import ConfigurationError
from domain.findings import Severity
from ledger.hazard import Grade

BUILT = {
    "A101",
    "F101",
    *(f"G{number}" for number in range(101, 110)),
    "W101",
    "W102",
    "W103",
    "W104",
    "W105",
    "W106",
    "X101",
}
BUILT |= {"D101", "D102", "D103", "D104", "D105", "D106", "D107", "D108", "D109", "D110", "D111"}
BUILT |= {"P101", "P102", "P103", "S101", "S102", "S103"}
BUILT |= {f"W{number}" for number in range(107, 116)}
BUILT |= {"F102", "F103", "F104", "F105", "X102", "X103"}


def test_the_book_has_every_rule_of_every_family() -> None:
    """G 1-9, F 1-5, W 1-15, X 1-3, D 1-11, A 1, P 1-3, S 1-3, in that order."""
    sizes = {"G": 9, "F": 5, "W": 15, "X": 3, "D": 11, "A": 1, "P": 3, "S": 3}
    assert list(CATALOGUE) == [f"{letter}{100 + i}" for letter, n in sizes.items() for i in range(1, n + 1)]


def test_what_is_built_is_said() -> None:
    """`built` marks exactly the rules that some detector finds today."""
    assert {code for code, rule in CATALOGUE.items() if rule.built} == BUILT


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_rule_speaks_to_people(code: str) -> None:
    """Title and summary are Chinese, the summary is one sentence, the basis is not empty."""
    rule = CATALOGUE[code]
    assert re.search(r"[\u4e00-\u9fff]", rule.title)
    assert rule.summary.count("。") == 1
    assert rule.summary.endswith("。")
    assert str(rule.basis)


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_parameters_default_is_within_its_range_and_has_a_basis(code: str) -> None:
    """Every number of a rule says whose it is."""
    for parameter in CATALOGUE[code].parameters:
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.basis


def test_critical_gas_and_fire_alarms_cannot_be_shelved() -> None:
    """Severity 1 of families G, F and X is never put aside."""
    grave = [rule for rule in CATALOGUE.values() if rule.severity is Severity.CRITICAL and rule.code[0] in "GFX"]
    assert grave
    assert not any(rule.shelvable for rule in grave)


def test_every_critical_rule_opens_a_hazard_and_four_a_major_candidate() -> None:
    """W101, W103, W104 and W105 may be 重大; only a person may say so. A fault of our own (D110) is no site's hazard."""
    critical = {code for code, rule in CATALOGUE.items() if rule.severity is Severity.CRITICAL}
    assert {code for code in critical if CATALOGUE[code].grade is None} <= {"D110"}
    major = {code for code, rule in CATALOGUE.items() if rule.grade is Grade.MAJOR_CANDIDATE}
    assert major == {"W101", "W103", "W104", "W105"}
    assert not any(rule.grade is Grade.MAJOR for rule in CATALOGUE.values())


def test_the_books_are_told_every_rule_and_unread_bases_are_marked() -> None:
    """Policies carry the basis with its mark."""
    assert policies().keys() == CATALOGUE.keys()
    assert policies()["G103"].basis.endswith("（未核实）")
    assert not policies()["G101"].basis.endswith("（未核实）")


def test_an_override_replaces_one_number_and_leaves_the_rest() -> None:
    """Settings are laid over the defaults."""
    values = Parameters({"G105": {"k": 2.5}}).of("G105")
    assert values["k"] == 2.5
    assert values["h"] == Parameters().of("G105")["h"]


@pytest.mark.parametrize(
    ("overrides", "advice"),
    [
        ({"G15": {}}, "G105"),
        ({"Z999": {}}, "no rule 'Z999'"),
        ({"G105": {"kk": 1.0}}, "did you mean 'k'"),
        ({"D102": {"x": 1.0}}, "known: none"),
        ({"G101": {"combustible_lel": 60.0}}, "from 1 to 50 %LEL"),
        ({"G105": {"k": float("nan")}}, "must be a number"),
        ({"G105": {"k": True}}, "must be a number"),
        ({"G105": {"k": "2"}}, "must be a number"),
    ],
)
def test_an_illegal_override_is_refused_with_advice(overrides: dict[str, dict[str, float]], advice: str) -> None:
    """A misspelt rule or parameter names the nearest, a value out of range its range."""
    with pytest.raises(ConfigurationError, match=advice):
        Parameters(overrides)
