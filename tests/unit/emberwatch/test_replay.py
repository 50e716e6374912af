"""Which dead letters may be published again without a second thought: those that say when they were written."""

import pytest

from domain.errors import InputError
from emberwatch.replay import refuse_undated
from ledger.books import DeadLetter


def letter(payload: bytes) -> DeadLetter:
    return DeadLetter(offset=7, received_ms=1, topic="safety/v1/a/s/d/event", payload=payload, reason="schema")


@pytest.mark.parametrize(
    "payload",
    [b'{"ts": 1763900000123, "type": "fire.alarm"}', b'[{"ts": 1763900000123, "v": {}}, {"ts": 1763900000124}]', b"[]"],
)
def test_what_says_its_time_may_be_replayed(payload: bytes) -> None:
    """Its time tells that it is old news."""
    refuse_undated(letter(payload))


@pytest.mark.parametrize(
    "payload",
    [
        b'{"type": "fire.alarm"}',
        b'{"ts": 86400000, "type": "fire.alarm"}',
        b'{"ts": "yesterday"}',
        b'[{"ts": 1763900000123}, {"v": {}}]',
        b"\xff",
    ],
)
def test_what_says_no_time_is_not_replayed_as_news(payload: bytes) -> None:
    """An alarm of last week must not become one of now by a slip."""
    with pytest.raises(InputError, match="letter 7 says no time"):
        refuse_undated(letter(payload))
