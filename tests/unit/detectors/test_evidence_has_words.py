"""The evidence of every device, electricity, dust and tank rule can be said in Chinese: no bare code reaches an inspector."""

import re
from pathlib import Path

import pytest

from ledger import evidence
from ledger.evidence import sentence

SCREENS = Path(__file__).parents[3] / "screens" / "src" / "words"

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


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_messages_say_the_screens_say_too(language: str) -> None:
    """Every fact and every value that has a word in a message has one on the screen, in both languages."""
    text = (SCREENS / f"{language}.ts").read_text("utf-8")
    facts, values = text.index("  fact: {"), text.index("  factValue: {")
    keys = [set(re.findall(r"^ {4}'?([\w.]+)'?:", part, re.MULTILINE)) for part in (text[facts:values], text[values:])]
    assert {*evidence._LABELS, *evidence._LISTS, *evidence._UNITS, *evidence._BESIDE} - keys[0] == set()
    assert evidence._VALUES.keys() - keys[1] == set()
