"""Claims about the door under overload: what is left out is routine, counted, and never what anybody must know."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.records import REDELIVERED, RETAINED, THINNED, Record, taken_in
from ingest.thinning import QUIET, Thinner
from ingest.transport import Message

NOW = 1_800_000_000_000
TOPIC = "safety/v1/area/site/dev-1/telemetry"


class Clock:
    """A clock the test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def thinner(clock: Clock) -> Thinner:
    """Return a door that is thinning, and has just let a quiet message of dev-1 in."""
    thinner = Thinner(10_000, clock)
    thinner.begin(QUIET, frozenset({"area/burning"}))
    assert thinner([telemetry()]) == [telemetry()]
    return thinner


def telemetry(topic: str = TOPIC, flags: int = 0, **fields: Any) -> Message:
    return Message(topic, json.dumps({"ts": NOW, "v": {"ch4_lel": 1.0}} | fields).encode(), flags)


def passes(thinner: Thinner, message: Message) -> bool:
    """Whether the message itself goes in; if not, exactly one record says so."""
    went_in = list(thinner([message]))
    if went_in == [message]:
        return True
    assert went_in == [Message(THINNED, json.dumps({message.topic: 1}).encode())]
    return False


def test_everything_passes_a_machine_that_keeps_up(clock: Clock) -> None:
    """Without overload not a byte is looked at: the very same list goes in."""
    messages = [telemetry(), telemetry()]
    assert Thinner(10_000, clock)(messages) is messages


def test_a_quiet_repetition_is_left_out(thinner: Thinner) -> None:
    """The same again, or nearly the same, within the interval."""
    assert not passes(thinner, telemetry())
    assert not passes(thinner, telemetry(v={"ch4_lel": 1.4}, seq=9, boot=1, bat=80, rssi=-70))


@pytest.mark.parametrize(
    "fields",
    [
        {"v": {"ch4_lel": 30.0}},
        {"v": {"ch4_lel": 1.6}},
        {"v": {"ch4_lel": 1.0, "co_ppm": 0.0}},
        {"v": {"level_pct": 1.0}},
        {"v": {}},
        {"bat": 10},
        {"fault": True},
        {"device": "dev-1"},
        {"v": {"ch4_lel": "1"}},
        {"ts": -1},
    ],
)
def test_whatever_may_matter_passes(thinner: Thinner, fields: dict[str, Any]) -> None:
    """Loud values, moved values, other measurands, measurands without a band, a low battery, fields we do not know."""
    assert passes(thinner, telemetry(**fields))


def array(*values: float, step_ms: int = 1_000) -> Message:
    """Return what a gateway sends at once: a value a second, from now on."""
    told = [{"ts": NOW + i * step_ms, "v": {"ch4_lel": value}} for i, value in enumerate(values)]
    return Message(TOPIC, json.dumps(told).encode())


def test_an_array_is_left_out_when_nothing_in_it_matters(thinner: Thinner) -> None:
    """It is one message, and counted as one."""
    assert not passes(thinner, array(1.0, 1.2, 0.9))


def test_an_array_with_one_thing_that_matters_goes_in_whole(thinner: Thinner) -> None:
    """A value that moved, or that is loud; what comes after is compared with its end."""
    assert passes(thinner, array(1.0, 30.0, 1.0))
    assert passes(thinner, array(1.0, 1.2, 1.6))
    assert not passes(thinner, array(1.6, 1.6))


def test_an_array_that_spans_more_than_the_interval_is_kept(thinner: Thinner) -> None:
    """Left out as a whole it would leave a larger hole than the interval."""
    assert passes(thinner, array(*[1.0] * 11))
    assert passes(thinner, array(1.0, 1.0, step_ms=60_000))


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b'{"v": {"ch4_lel": 1e999}}', b"[" * 10_000])
def test_what_cannot_be_read_passes(thinner: Thinner, payload: bytes) -> None:
    """It becomes a dead letter further in, with its bytes."""
    assert passes(thinner, Message(TOPIC, payload))
    assert passes(thinner, Message(TOPIC, payload))


@pytest.mark.parametrize("kind", ["event", "status", "reply"])
def test_events_pass_always(thinner: Thinner, kind: str) -> None:
    """Only telemetry may be left out."""
    message = telemetry(TOPIC.replace("telemetry", kind))
    assert passes(thinner, message)
    assert passes(thinner, message)


@pytest.mark.parametrize("flags", [RETAINED, REDELIVERED])
def test_what_the_broker_repeats_passes(thinner: Thinner, flags: int) -> None:
    """It is told from a fresh message further in."""
    assert passes(thinner, telemetry(flags=flags))


def test_a_site_where_something_is_wrong_is_heard_in_full(thinner: Thinner) -> None:
    """However quiet its other sensors are."""
    topic = TOPIC.replace("site", "burning")
    assert passes(thinner, telemetry(topic))
    assert passes(thinner, telemetry(topic))


def test_the_first_message_after_a_pause_passes(thinner: Thinner, clock: Clock) -> None:
    """By our clock, whatever the device's own says."""
    clock.now += 9_999
    assert not passes(thinner, telemetry())
    clock.now += 1
    assert passes(thinner, telemetry())


def test_a_backlog_is_thinned_by_its_own_time(thinner: Thinner) -> None:
    """An hour that arrives within a second keeps one message in ten seconds, not one in all."""
    assert sum(passes(thinner, telemetry(ts=NOW + s * 1000)) for s in range(1, 101)) == 10


def test_what_was_left_out_is_told_before_what_comes_next(thinner: Thinner) -> None:
    """So that a detector of lost messages sees that these were not lost, whatever number comes next."""
    quiet, loud, other = telemetry(), telemetry(v={"ch4_lel": 9.0}), telemetry(TOPIC.replace("dev-1", "dev-2"))
    went_in = list(thinner([quiet, quiet, other, loud, other]))
    told = [Message(THINNED, json.dumps({m.topic: n}).encode()) for m, n in ((quiet, 2), (other, 1))]
    assert went_in == [other, told[0], loud, told[1]]


def test_after_the_overload_everything_passes_again(thinner: Thinner) -> None:
    """Nobody has to do anything."""
    thinner.end()
    assert passes(thinner, telemetry())


values = st.floats(-5, 60, allow_nan=False)


@given(st.lists(st.tuples(st.integers(0, 3), values, st.integers(0, 4_000)), max_size=60))
def test_nothing_is_lost_that_the_kept_messages_do_not_tell(said: list[tuple[int, float, int]]) -> None:
    """Kept and left out add up; what was left out is quiet, and within a step of a message kept less than an interval before."""
    clock = Clock()
    thinner = Thinner(10_000, clock)
    thinner.begin(QUIET, frozenset())
    band, last, accounted = QUIET["ch4_lel"], dict[str, tuple[int, float]](), 0
    for device, value, pause in said:
        clock.now += pause
        message = telemetry(TOPIC.replace("dev-1", f"dev-{device}"), ts=clock.now, v={"ch4_lel": value})
        went_in = list(thinner([message]))
        accounted += taken_in([Record(clock.now, m.topic, m.payload, m.flags) for m in went_in])
        if message in went_in:
            last[message.topic] = clock.now, value
            continue
        kept_ms, kept = last[message.topic]
        assert band.low <= value <= band.high
        assert abs(value - kept) <= band.step
        assert clock.now - kept_ms < 10_000
    assert accounted == len(said)
