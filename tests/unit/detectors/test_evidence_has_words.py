"""The evidence of every device, electricity, dust and tank rule can be said in Chinese: no bare code reaches an inspector."""

import re

import pytest

from ledger.evidence import sentence

REASONS = [
    "silent",
    "will",
    "together",
    "service_life",
    "calibration",
    "end_of_life",
    "battery_low",
    "charge",
    "tamper",
    "mute",
    "shield",
    "clock_skew",
    "messages_lost",
    "two_devices",
    "no_answer",
    "refused",
    "frozen",
    "noise",
    "span_loss",
    "zero_drift",
    "selftest_failed",
    "low_low",
    "low",
    "high",
    "high_high",
    "level1",
    "level2",
    "set_point",
    "rise",
    "fan_off",
    "discharge",
    "stop_order",
    "above_safe",
    "unusual",
]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_a_word(reason: str) -> None:
    """As the detectors give it."""
    assert re.fullmatch(r"原因：[\u4e00-\u9fff]+", sentence({"reason": reason}))
