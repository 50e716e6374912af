"""Every word a user may see exists."""

from collections.abc import Iterable, Mapping

import pytest

from domain.findings import Severity
from ledger import words
from ledger.alarm import AlarmEvent, AlarmState
from ledger.hazard import ALARM, OPEN, Channel, Grade, HazardState, HazardStep


@pytest.mark.parametrize(
    ("catalogue", "things"),
    [
        (words.SEVERITY, Severity),
        (words.ALARM_STATE, AlarmState),
        (words.ALARM_EVENT, AlarmEvent),
        (words.HAZARD_STATE, HazardState),
        (words.HAZARD_EVENT, [OPEN, ALARM, *HazardStep]),
        (words.GRADE, Grade),
        (words.CHANNEL, Channel),
    ],
)
def test_everything_has_one_word_of_its_own(catalogue: Mapping[object, str], things: Iterable[object]) -> None:
    """No state, event, severity, grade or channel lacks its Chinese word or shares another's."""
    assert set(catalogue) == set(things)
    assert len(set(catalogue.values())) == len(catalogue)
