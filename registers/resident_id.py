"""The citizen identification number (公民身份号码, GB 11643): its check digit and the birth date inside it."""

import datetime as dt
import re

_SHAPE = re.compile(r"[1-9]\d{16}[\dX]", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_ADULT = 18


def check_digit(body: str) -> str:
    """Return the eighteenth character that belongs to the first seventeen digits."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def problem(number: str) -> str | None:
    """Return what is wrong with a number, without repeating it; None when it is sound."""
    if _SHAPE.fullmatch(number) is None:
        return "is not a resident ID number: 17 digits and a check digit (0-9 or capital X)"
    if number[-1] != check_digit(number[:-1]):
        return "is not a resident ID number: its check digit is wrong"
    if birth_date(number) is None:
        return "is not a resident ID number: it holds no possible birth date"
    return None


def birth_date(number: str) -> dt.date | None:
    """Return the birth date in a number of the right shape; None when that day does not exist."""
    try:
        return dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def is_adult(number: str, day: dt.date) -> bool:
    """Tell whether the holder of a sound number is 18 on `day` (the lower age bound of special operations)."""
    birth = birth_date(number)
    return birth is not None and (birth.year + _ADULT, birth.month, birth.day) <= (day.year, day.month, day.day)
