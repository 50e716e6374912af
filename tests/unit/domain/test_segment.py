"""A segment gives each detector the readings that concern it, chosen once for all that ask for the same."""

import numpy as np

from domain.measurands import INDEX
from domain.readings import NOT_LIVE, Quality, Readings, Segment

CH4, CO, TEMP = INDEX["ch4_lel"], INDEX["co_ppm"], INDEX["temp_c"]


def _segment(*rows: tuple[int, Quality]) -> Segment:
    n = len(rows)
    at = np.arange(n)
    measurand = np.array([measurand for measurand, _ in rows], np.int16)
    quality = np.array([int(quality) for _, quality in rows], np.uint8)
    return Segment(0, n, Readings(at, np.zeros(n, np.int32), measurand, at.astype(float), at, at, quality))


def test_readings_of_some_measurands_come_in_journal_order() -> None:
    """Only those asked for."""
    segment = _segment((CH4, Quality(0)), (TEMP, Quality(0)), (CO, Quality(0)))
    assert segment.of((CH4, CO), NOT_LIVE).offset.tolist() == [0, 2]
    assert segment.of((INDEX["rh"],), NOT_LIVE).offset.tolist() == []


def test_what_is_late_or_retained_can_be_left_out() -> None:
    """Each by its bit."""
    segment = _segment((CH4, Quality.LATE), (CH4, Quality.RETAINED), (CH4, Quality.CLAMPED))
    assert segment.of((CH4,), NOT_LIVE).offset.tolist() == [2]
    assert segment.of((CH4,), int(Quality.RETAINED)).offset.tolist() == [0, 2]
    assert segment.of((CH4,), 0).offset.tolist() == [0, 1, 2]


def test_who_asks_the_same_gets_the_same() -> None:
    """Chosen once; where nothing is old, no matter what was to be left out."""
    segment = _segment((CH4, Quality(0)), (TEMP, Quality(0)))
    assert segment.of((CH4,), NOT_LIVE) is segment.of((CH4,), int(Quality.RETAINED))
