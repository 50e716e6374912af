"""Faults on the line change when and how often messages come, never what the device said, and keep the stream in order."""

import json
import statistics
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import MalformedPayloadError
from ingest.codecs import native
from simulators.device import Saying, TimedMessage, Voice, event
from simulators.faults import Line, with_faults
from simulators.incidents import (
    Duplicates,
    Fault,
    Incident,
    Losses,
    Malformed,
    Outage,
    Reordering,
    Silence,
    Skew,
    Worn,
)

PATH = "a/s/d"


def clock(at_s: float) -> int:
    return 1_000_000 + round(at_s * 1000)


def telemetry(count: int = 100) -> list[Saying]:
    return [Saying(float(at_s), "telemetry", {"ch4_lel": 1.0}) for at_s in range(count)]


def delivered(incidents: Sequence[Incident], sayings: list[Saying] | None = None) -> list[TimedMessage]:
    voice = Voice(PATH, clock, incidents)
    said = with_faults(telemetry() if sayings is None else sayings, incidents, "seed")
    return list(Line(incidents, clock, "seed").deliver((s.at_s, voice.encode(s)) for s in said))


def seqs(messages: list[TimedMessage]) -> list[int]:
    return [json.loads(message.payload)["seq"] for message in messages]


@given(
    st.lists(
        st.sampled_from(
            [
                Duplicates(device=PATH, at_s=5, lasts_s=50),
                Reordering(device=PATH, at_s=10, lasts_s=60, share=0.5),
                Outage(device=PATH, at_s=30, lasts_s=20),
                Outage(device=PATH, at_s=60, lasts_s=5),
            ]
        ),
        unique=True,
    )
)
def test_no_line_fault_loses_a_message_or_puts_time_out_of_order(incidents: list[Incident]) -> None:
    """Whatever the line does, every message arrives at least once, never early, in order of arrival."""
    messages = delivered(incidents)
    assert set(seqs(messages)) == set(range(100))
    assert [m.at_ms for m in messages] == sorted(m.at_ms for m in messages)
    assert all(m.at_ms >= json.loads(m.payload)["ts"] for m in messages)


def test_duplicates_are_the_same_bytes() -> None:
    """A repeated message cannot be told from its first copy but by its time."""
    messages = delivered([Duplicates(device=PATH, at_s=0, lasts_s=1000, share=1.0)])
    assert set(Counter(m.payload for m in messages).values()) == {2}


def test_reordering_really_reorders() -> None:
    """Some sequence numbers arrive after larger ones."""
    order = seqs(delivered([Reordering(device=PATH, at_s=0, lasts_s=1000)]))
    assert order != sorted(order)


def test_an_outage_holds_messages_back_and_lets_them_all_go_at_its_end() -> None:
    """Late messages keep their old time stamps."""
    messages = delivered([Outage(device=PATH, at_s=20, lasts_s=30)])
    late = [m for m in messages if 20 <= json.loads(m.payload)["seq"] < 50]
    assert {m.at_ms for m in late} == {clock(50)}
    assert [json.loads(m.payload)["ts"] for m in late] == [clock(s) for s in range(20, 50)]


def test_malformed_messages_come_on_top_and_cannot_be_read() -> None:
    """No real message is replaced, and each piece of rubbish is refused by the codec."""
    rubbish = [
        m for m in delivered([Malformed(device=PATH, at_s=0, lasts_s=1000, share=1.0)]) if b'"seq"' not in m.payload
    ]
    assert len(rubbish) == 100
    for payload in {message.payload for message in rubbish}:
        with pytest.raises(MalformedPayloadError):
            native.telemetry(payload, "d")


def test_a_skewed_clock_shifts_time_stamps_and_nothing_else() -> None:
    """The device's time is wrong; the message comes when it comes."""
    messages = delivered([Skew(device=PATH, at_s=0, lasts_s=1000, offset_s=-3600.0)])
    assert all(m.at_ms - json.loads(m.payload)["ts"] == 3_600_000 for m in messages)


def test_silence_is_announced_by_the_will_and_ends_with_a_new_boot() -> None:
    """The will comes once, then nothing, then the device starts anew with sequence numbers from zero."""
    messages = delivered([Silence(device=PATH, at_s=20, lasts_s=30)])
    will = next(i for i, m in enumerate(messages) if m.will)
    assert messages[will][1:] == (f"safety/v1/{PATH}/status", b'{"online":false}', True, True)
    assert json.loads(messages[will + 1].payload) == {"online": True}
    before, after = (json.loads(messages[i].payload) for i in (will - 1, will + 2))
    assert (after["boot"], after["seq"]) == (before["boot"] + 1, 0)
    assert after["ts"] - before["ts"] == 31_000


def test_silence_without_will_just_stops() -> None:
    """A device whose line dies unnoticed leaves nothing but a gap."""
    messages = delivered([Silence(device=PATH, at_s=20, lasts_s=30, will=False)])
    assert not any(m.will for m in messages)
    assert not any(clock(20) <= m.at_ms < clock(50) for m in messages)


def test_a_fault_is_reported_and_mended() -> None:
    """The fault event names its code at both ends."""
    messages = delivered([Fault(device=PATH, at_s=20, lasts_s=30, code="heater")])
    bodies = [json.loads(m.payload) for m in messages if m.topic.endswith("event")]
    assert [(b["ts"], b["type"], b["data"]) for b in bodies] == [
        (clock(20), "fault", {"code": "heater"}),
        (clock(50), "fault.clear", {"code": "heater"}),
    ]


def test_events_leave_out_what_is_not_known() -> None:
    """A scan without a permit has no permit field, rather than null."""
    assert event(0.0, "scan.in", credential="C-1", permit=None).body["data"] == {"credential": "C-1"}


def test_a_lossy_line_loses_about_its_share_and_keeps_the_rest_in_order() -> None:
    """What is lost leaves a gap in the numbers; outside of the incident nothing is lost."""
    heard = seqs(delivered([Losses(device=PATH, at_s=20, lasts_s=60, share=0.5)]))
    assert heard == sorted(heard)
    assert set(range(20)) | set(range(80, 100)) <= set(heard)
    assert 15 <= 100 - len(heard) <= 45


def values(messages: list[TimedMessage]) -> list[float]:
    return [json.loads(message.payload)["v"]["ch4_lel"] for message in messages]


def test_a_worn_sensor_reads_other_than_what_is_there() -> None:
    """Its gain and zero are wrong and it jumps about while it is worn; before and after it is sound."""
    read = values(delivered([Worn(device=PATH, at_s=20, lasts_s=60, gain=0.0, offset=7.0)]))
    assert read == [1.0] * 20 + [7.0] * 60 + [1.0] * 20
    noisy = values(delivered([Worn(device=PATH, at_s=20, lasts_s=60, noise=3.0)]))
    assert noisy[:20] + noisy[80:] == [1.0] * 40
    assert 2.0 < statistics.stdev(noisy[20:80]) < 4.0
