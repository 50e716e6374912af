"""What a device's clock is worth: late news, wrong clocks, clocks ahead, and no clock at all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.readings import Quality
from emberwatch.snapshots import decode, encode
from ingest.clocks import Clocks

LATE_MS = 300_000
NOW = 1_763_900_000_000
HOUR = 3_600_000
MINUTE = 60_000


def judge(clocks: Clocks, ts: int | None, received_ms: int = NOW, slot: int = 0) -> tuple[int, Quality]:
    event_ms, quality = clocks.judge(slot, ts, received_ms)
    return event_ms, Quality(quality)


def test_an_ordinary_message_keeps_its_time() -> None:
    """Up to 5 min old, a message is current and filed under the device's time."""
    clocks = Clocks(LATE_MS)
    assert judge(clocks, NOW - 50) == (NOW - 50, Quality(0))
    assert judge(clocks, NOW - LATE_MS) == (NOW - LATE_MS, Quality(0))


def test_old_news_is_late() -> None:
    """A message older than 5 min from a clock not known to be wrong is late, and keeps its time."""
    assert judge(Clocks(LATE_MS), NOW - LATE_MS - 1) == (NOW - LATE_MS - 1, Quality.LATE)


def test_a_clock_ahead_is_clamped() -> None:
    """The future does not exist: our time stands in, flagged when the clock is more than 5 s ahead."""
    clocks = Clocks(LATE_MS)
    assert judge(clocks, NOW + 5_000) == (NOW, Quality(0))
    assert judge(clocks, NOW + 5_001) == (NOW, Quality.CLAMPED)


def test_a_clock_never_set_is_no_clock() -> None:
    """No time, or a time before 2020, is untimed: our time stands in and nothing is late."""
    for ts in (None, 0, 86_400_000, 1_763_900_000):
        assert judge(Clocks(LATE_MS), ts) == (NOW, Quality.UNTIMED)


def test_a_backlog_is_late_to_the_end() -> None:
    """Buffered messages that are handed over in a burst are late until they are fresh."""
    clocks = Clocks(LATE_MS)
    judge(clocks, NOW)
    back = NOW + HOUR
    flags = [judge(clocks, NOW + i * MINUTE, back + i * 100)[1] for i in range(61)]
    assert [bool(flag) for flag in flags] == [True] * 56 + [False] * 5


def test_a_wrong_clock_is_found_out() -> None:
    """When for 5 min of our time everything is an hour old, the clock is wrong and alarms are current again."""
    clocks = Clocks(LATE_MS)
    flags = [judge(clocks, NOW + i * MINUTE - HOUR, NOW + i * MINUTE)[1] for i in range(10)]
    assert flags == [Quality.LATE] * 5 + [Quality(0)] * 5


def test_a_wrong_clock_can_still_bring_old_news() -> None:
    """Measured against its own freshest message, a backlog of a device with a wrong clock is late."""
    clocks = Clocks(LATE_MS)
    for i in range(10):
        judge(clocks, NOW + i * MINUTE - HOUR, NOW + i * MINUTE)
    later = NOW + 10 * MINUTE
    assert judge(clocks, later - 3 * HOUR, later)[1] == Quality.LATE
    assert judge(clocks, later - HOUR, later)[1] == Quality(0)


def test_a_wrong_clock_that_is_set_back_again_is_found_out_again() -> None:
    """A device that begins at the same old date with each start is late for 5 min after each, not for ever after the second."""
    clocks = Clocks(LATE_MS)
    for start in (NOW, NOW + HOUR, NOW + 3 * HOUR):
        flags = [judge(clocks, NOW - 1000 * HOUR + i * MINUTE, start + i * MINUTE)[1] for i in range(60)]
        assert set(flags[5:]) == {Quality(0)}


def test_a_clock_that_stands_still_is_found_out() -> None:
    """Its messages get older by themselves, which is not their fault."""
    clocks = Clocks(LATE_MS)
    flags = [judge(clocks, NOW - HOUR, NOW + i * 7_000)[1] for i in range(1000)]
    assert set(flags[43:]) == {Quality(0)}


def test_one_fresh_message_clears_the_clock() -> None:
    """A device that says something fresh has a good clock, so its next old message is late."""
    clocks = Clocks(LATE_MS)
    for i in range(10):
        judge(clocks, NOW + i * MINUTE - HOUR, NOW + i * MINUTE)
    later = NOW + 10 * MINUTE
    judge(clocks, later, later)
    assert judge(clocks, later - HOUR, later)[1] == Quality.LATE


def test_devices_do_not_share_clocks() -> None:
    """One device with a wrong clock says nothing about another."""
    clocks = Clocks(LATE_MS)
    for i in range(10):
        judge(clocks, NOW + i * MINUTE - HOUR, NOW + i * MINUTE, slot=1)
    assert judge(clocks, NOW - HOUR, slot=2)[1] == Quality.LATE


AGES = st.lists(st.tuples(st.integers(0, 2), st.integers(-10_000, 2 * HOUR), st.integers(0, MINUTE)), max_size=40)


@given(AGES, AGES)
def test_restored_clocks_judge_alike(before: list[tuple[int, int, int]], after: list[tuple[int, int, int]]) -> None:
    """A snapshot that went through msgpack continues exactly where the original does."""
    clocks, restored = Clocks(LATE_MS), Clocks(LATE_MS)
    now = NOW
    for slot, age, step in before:
        now += step
        clocks.judge(slot, now - age, now)
    restored.restore(decode(encode(clocks.snapshot())))
    for slot, age, step in after:
        now += step
        assert clocks.judge(slot, now - age, now) == restored.judge(slot, now - age, now)


@given(st.integers(-(10**15), 10**15), st.integers(NOW, NOW + HOUR))
def test_no_message_is_from_the_future(ts: int, received_ms: int) -> None:
    """The time a message is filed under is never after its receipt."""
    assert Clocks(LATE_MS).judge(0, ts, received_ms)[0] <= received_ms


ODD_AGES = st.integers(-20_000, 3 * LATE_MS)
RUNS = st.lists(st.tuples(st.integers(0, 3), ODD_AGES | st.just(NOW), st.integers(0, LATE_MS)), min_size=1, max_size=60)


@given(RUNS, st.integers(1, 60))
def test_many_at_once_are_judged_as_one_by_one(said: list[tuple[int, int, int]], cut: int) -> None:
    """Whatever the slots, ages and pauses, and wherever the messages are cut into runs."""
    received = NOW + np.cumsum([pause for _, _, pause in said])
    slots, ages = np.array([slot for slot, _, _ in said], np.int32), np.array([age for _, age, _ in said])
    times = received - ages
    one, many = Clocks(LATE_MS), Clocks(LATE_MS)
    singly = [one.judge(int(s), int(t), int(r)) for s, t, r in zip(slots, times, received, strict=True)]
    parts = [many.judge_all(slots[p], times[p], received[p]) for p in (slice(cut), slice(cut, None))]
    event_ms, quality = (np.concatenate(columns).tolist() for columns in zip(*parts, strict=True))
    assert list(zip(event_ms, quality, strict=True)) == singly
    assert encode(one.snapshot()) == encode(many.snapshot())
