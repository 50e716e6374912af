"""What counts as a repeat: exactly what was seen, within a bounded memory, and never a message that was not."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emberwatch.snapshots import decode, encode
from ingest.clocks import LATE_MS
from ingest.codecs.native import Status
from ingest.duplicates import RECENT, WINDOW, Duplicates

SYNCED = 1_763_900_000_000


def message(seq: int | None = None, boot: int | None = 1, ts: int | None = None) -> Status:
    return Status(online=True, seq=seq, boot=boot, ts=ts)


def is_new(
    memory: Duplicates, sent: Status, slot: int = 0, payload: bytes | None = None, received_ms: int = SYNCED
) -> bool:
    return bool(memory.fresh(slot, [sent], msgspec.json.encode(sent) if payload is None else payload, received_ms))


@given(st.lists(st.integers(0, WINDOW - 1), max_size=60))
def test_within_the_window_each_number_counts_once(numbers: list[int]) -> None:
    """In any order and however often repeated, a sequence number is new exactly the first time."""
    memory = Duplicates()
    seen: set[int] = set()
    for seq in numbers:
        assert is_new(memory, message(seq)) == (seq not in seen)
        seen.add(seq)


@given(st.lists(st.integers(0, 10 * WINDOW), max_size=60, unique=True))
def test_no_message_is_lost_whatever_the_gaps(numbers: list[int]) -> None:
    """A number that never came before is never called a repeat, even below the window."""
    memory = Duplicates()
    assert all(is_new(memory, message(seq)) for seq in numbers)


def test_below_the_window_nothing_is_known() -> None:
    """A number too old to be remembered counts as new: storing twice is better than losing."""
    memory = Duplicates()
    for seq in (0, WINDOW + 1, WINDOW + 1, 0):
        memory.fresh(0, [message(seq)], b"", SYNCED)
    assert is_new(memory, message(0))
    assert not is_new(memory, message(WINDOW + 1))


def test_a_new_boot_starts_again() -> None:
    """After a restart the same numbers are new, and late ones of the boot before are judged by that boot."""
    memory = Duplicates()
    assert [is_new(memory, message(seq, boot=1)) for seq in (1, 2)] == [True, True]
    assert [is_new(memory, message(seq, boot=2)) for seq in (1, 2)] == [True, True]
    assert [is_new(memory, message(seq, boot=1)) for seq in (2, 3, 3)] == [False, True, False]
    assert [is_new(memory, message(seq, boot=2)) for seq in (2, 3)] == [False, True]


def test_a_boot_counter_that_was_lost_is_a_new_boot() -> None:
    """A lower boot number than before (a replaced memory) is not taken for old news."""
    memory = Duplicates()
    assert is_new(memory, message(5, boot=9))
    assert is_new(memory, message(5, boot=0))
    assert is_new(memory, message(6, boot=0))


def test_devices_do_not_share_numbers() -> None:
    """Each slot has its own memory."""
    memory = Duplicates()
    assert is_new(memory, message(1), slot=0)
    assert is_new(memory, message(1), slot=1)


def test_without_a_boot_equal_bytes_are_a_repeat() -> None:
    """A seq or a time alone starts again at a restart, so the whole payload must be equal."""
    memory = Duplicates()
    for sent in (message(5, boot=None), message(None, boot=None, ts=SYNCED)):
        assert is_new(memory, sent)
        assert not is_new(memory, sent)
        assert is_new(memory, sent, payload=f"other {sent}".encode())


def test_without_number_or_clock_nothing_is_a_repeat() -> None:
    """Two equal readings of a device that counts nothing and was never told the time are two readings."""
    memory = Duplicates()
    for sent in (message(None), message(None, ts=0), message(None, ts=86_400_000)):
        assert is_new(memory, sent)
        assert is_new(memory, sent)


def test_the_ring_forgets_the_oldest() -> None:
    """RECENT payloads are remembered for a device, no more."""
    memory = Duplicates()
    sent = [message(None, ts=SYNCED + i) for i in range(RECENT + 1)]
    assert all(is_new(memory, one) for one in sent)
    assert not is_new(memory, sent[1])
    assert is_new(memory, sent[0])


def test_an_event_below_the_window_is_known_by_its_bytes() -> None:
    """A device that repeats an event for long, while telemetry counts on, is not heard twice."""
    memory = Duplicates()
    assert memory.is_fresh_event(0, message(1), b"event 1", SYNCED)
    assert is_new(memory, message(1 + 2 * WINDOW))
    assert not memory.is_fresh_event(0, message(1), b"event 1", SYNCED)
    assert memory.is_fresh_event(0, message(2), b"event 2", SYNCED)


def test_a_lost_boot_counter_does_not_hide_an_alarm() -> None:
    """The number of something else, of this boot or the one before, is no reason to drop an event."""
    memory = Duplicates()
    for boot in (1, 2):
        for seq in range(10):
            is_new(memory, message(seq, boot=boot))
    for boot in (2, 1):
        assert memory.is_fresh_event(0, message(5, boot=boot), b"fire in boot %d" % boot, SYNCED)
        assert not memory.is_fresh_event(0, message(5, boot=boot), b"fire in boot %d" % boot, SYNCED)


def test_after_an_event_with_a_known_number_telemetry_goes_on() -> None:
    """Such an event proves a restart, so the numbers after it are new as well."""
    memory = Duplicates()
    for seq in range(10):
        is_new(memory, message(seq))
    assert memory.is_fresh_event(0, message(3), b"fire", SYNCED)
    assert [is_new(memory, message(seq)) for seq in (4, 5, 5)] == [True, True, False]


@pytest.mark.parametrize("boots", [(1,), (1, 2)])
def test_known_numbers_of_a_newer_time_are_a_restart(boots: tuple[int, ...]) -> None:
    """Telemetry that is newer than its boot ever was by more than the late limit cannot be a repeat."""
    memory = Duplicates()
    later = SYNCED + LATE_MS + 1
    for boot in boots:
        assert is_new(memory, message(7, boot=boot, ts=SYNCED), received_ms=later)
    assert not is_new(memory, message(7, ts=SYNCED + LATE_MS), received_ms=later)
    assert is_new(memory, message(7, ts=later), received_ms=later)
    assert not is_new(memory, message(7, ts=later), received_ms=later + LATE_MS)


def test_without_a_clock_a_restart_is_seen_by_our_time() -> None:
    """Nothing but repeats for longer than the late limit is a device that counts from the beginning again."""
    memory = Duplicates()
    for seq in range(100):
        is_new(memory, message(seq), received_ms=SYNCED)
    steps = [is_new(memory, message(seq), received_ms=SYNCED + (seq + 1) * 10_000) for seq in range(40)]
    assert steps == [False] * 30 + [True] * 10


def test_a_clock_that_ran_ahead_hides_no_restart() -> None:
    """A time in the future is ours, so it is not what later messages are measured by."""
    memory = Duplicates()
    assert is_new(memory, message(7, ts=2 * SYNCED), received_ms=SYNCED)
    later = SYNCED + LATE_MS + 1
    assert is_new(memory, message(7, ts=later), received_ms=later)


SENT = st.builds(
    message,
    seq=st.none() | st.integers(0, 40),
    boot=st.none() | st.integers(0, 3),
    ts=st.none() | st.integers(SYNCED, SYNCED + 3),
)


@given(st.lists(SENT, max_size=40), st.lists(SENT, max_size=20))
def test_a_restored_memory_judges_alike(before: list[Status], after: list[Status]) -> None:
    """A snapshot that went through msgpack continues exactly where the original does."""
    memory, restored = Duplicates(), Duplicates()
    for sent in before:
        is_new(memory, sent)
    restored.restore(decode(encode(memory.snapshot())))
    assert [is_new(memory, sent) for sent in after] == [is_new(restored, sent) for sent in after]
