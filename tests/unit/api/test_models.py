"""What the API shows mirrors the types of the field, name by name."""

import msgspec
import pytest

from api.models.alarms import AlarmTransitionView, AlarmView
from api.models.base import View
from api.models.hazards import HazardEventView, HazardView
from api.models.registers import ImportReportView, RowProblemView
from ledger.alarm import Alarm, AlarmTransition
from ledger.hazard import Hazard, HazardEvent
from registers.csv_files import RowProblem
from registers.exchange import ImportReport


@pytest.mark.parametrize(
    ("view", "thing"),
    [
        (AlarmView, Alarm),
        (AlarmTransitionView, AlarmTransition),
        (HazardView, Hazard),
        (HazardEventView, HazardEvent),
        (ImportReportView, ImportReport),
        (RowProblemView, RowProblem),
    ],
)
def test_view_has_the_fields_of_its_thing(view: type[View], thing: type[msgspec.Struct]) -> None:
    """A field added in the field's room is not forgotten here."""
    assert list(view.model_fields) == [field.name for field in msgspec.structs.fields(thing)]
