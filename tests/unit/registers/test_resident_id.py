"""Resident ID numbers: the check digit finds slips, the birth date decides who is of age. All numbers are invented."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registers import resident_id

_SAMPLE = "11010519491231002X"


def _number(birth: dt.date, serial: int) -> str:
    body = f"410411{birth:%Y%m%d}{serial:03d}"
    return body + resident_id.check_digit(body)


_numbers = st.builds(_number, st.dates(dt.date(1900, 1, 1), dt.date(2026, 1, 1)), st.integers(0, 999))


@pytest.mark.parametrize("number", [_SAMPLE, "410411199003071233", "410411198511204560"])
def test_known_numbers_are_sound(number: str) -> None:
    """The standard's own sample and two test numbers pass."""
    assert resident_id.problem(number) is None


@given(_numbers, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_found(number: str, place: int, shift: int) -> None:
    """A slip in any one of the first seventeen digits never passes."""
    wrong = str((int(number[place]) + shift) % 10)
    assert resident_id.problem(number[:place] + wrong + number[place + 1 :]) is not None


@given(_numbers, st.integers(0, 15))
def test_two_digits_swapped_are_found(number: str, place: int) -> None:
    """Exchanging two neighbours never passes, unless they are equal."""
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert swapped == number or resident_id.problem(swapped) is not None


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", "17 digits"),
        ("1101051949123100", "17 digits"),
        (_SAMPLE.lower(), "17 digits"),
        (f" {_SAMPLE}", "17 digits"),
        ("1101051949123100²X", "17 digits"),
        (_SAMPLE[:-1] + "1", "check digit"),
        ("41041119900230123" + resident_id.check_digit("41041119900230123"), "birth date"),
    ],
)
def test_reason_names_what_is_wrong(number: str, reason: str) -> None:
    """Shape, check digit and birth date are told apart."""
    assert reason in str(resident_id.problem(number))


@given(_numbers)
def test_reason_never_repeats_the_number(number: str) -> None:
    """Reasons go into reports and logs; the number does not."""
    told = resident_id.problem(number[:-1] + ("1" if number[-1] != "1" else "2"))
    assert told is not None
    assert number[:-1] not in told


@given(_numbers)
def test_birth_date_is_the_one_inside(number: str) -> None:
    """The eight digits after the region are the birth date."""
    birth = resident_id.birth_date(number)
    assert birth is not None
    assert f"{birth:%Y%m%d}" == number[6:14]


def test_of_age_on_the_eighteenth_birthday() -> None:
    """The day before the birthday is too early, the day itself is not."""
    number = _number(dt.date(2004, 5, 20), 7)
    assert not resident_id.is_adult(number, dt.date(2022, 5, 19))
    assert resident_id.is_adult(number, dt.date(2022, 5, 20))


def test_born_on_a_leap_day_is_of_age_on_the_first_of_march() -> None:
    """Where the birthday does not exist, the next day is it."""
    number = _number(dt.date(2004, 2, 29), 7)
    assert not resident_id.is_adult(number, dt.date(2022, 2, 28))
    assert resident_id.is_adult(number, dt.date(2022, 3, 1))
