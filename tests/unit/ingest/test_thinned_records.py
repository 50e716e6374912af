"""Claims about the record of what was left out: it is accounted for, and a sign of life of its devices."""

import pytest

from domain.errors import CorruptionError
from domain.records import THINNED, TICK, Record, RecordBatch, taken_in, thinned
from domain.slots import SlotTable
from ingest.decoding import Decoded, Decoder

TOPIC = "safety/v1/area/site/dev-1/telemetry"
SAID = Record(1_000, TOPIC, b'{"v": {"ch4_lel": 1}}')


def decoded(*records: Record) -> list[Decoded]:
    return list(Decoder(SlotTable(), is_registered=lambda _name: True).decode(RecordBatch(0, records)))


def test_a_record_stands_for_as_many_messages_as_it_says() -> None:
    """Records of devices for one each, others of ours for none."""
    left_out = Record(1_000, THINNED, b'{"a": 3, "b": 4}')
    assert taken_in([SAID, left_out, Record(1_000, TICK, b"")]) == 8
    assert thinned(left_out) == {"a": 3, "b": 4}


def test_messages_left_out_are_counted_and_are_signs_of_life() -> None:
    """Nobody is called silent because we did not listen; of what was not heard there is no reading."""
    left_out = Record(2_000, THINNED, b'{"%s": 5}' % TOPIC.encode())
    (found,) = decoded(SAID, left_out)
    assert (found.counts.decoded, found.counts.thinned, found.counts.control) == (1, 5, 1)
    assert found.segment.contacts.received_ms.tolist() == [1_000, 2_000]
    assert len(found.segment.readings) == 1


@pytest.mark.parametrize("topic", ["no/topic/of/ours", "safety/v1/a b/s/d/telemetry", TOPIC])
def test_a_stranger_left_out_takes_no_slot(topic: str) -> None:
    """Whoever never said anything readable is counted, and nothing more."""
    (found,) = decoded(Record(2_000, THINNED, b'{"%s": 5}' % topic.encode()))
    assert found.counts.thinned == 5
    assert len(found.segment.contacts) == 0


def test_a_record_of_ours_that_cannot_be_read_is_damage() -> None:
    """Guessing would break the accounts."""
    with pytest.raises(CorruptionError):
        decoded(Record(2_000, THINNED, b"five"))
