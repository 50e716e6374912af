"""Transmitters and the ailments of devices: what they say is what the incident promises."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from domain.errors import InputError
from simulators.incidents import AnyIncident, Battery, Clone, Frozen, Mark, Shift, Silence
from simulators.scenario import Scenario, ScenarioFile, build, generate, truth
from simulators.transmitter import MEASURANDS, Transmitter

START = 1_772_000_000_000


def scenario(*incidents: AnyIncident, devices: tuple[str, ...] = ("lpg-level-1",)) -> Scenario:
    return build("t", ScenarioFile(title="t", duration_s=120, devices=devices, incident=incidents))


def messages(made: Scenario) -> Iterable[tuple[float, dict[str, Any]]]:
    """Yield (second, body) of every telemetry message."""
    for message in generate(made, START):
        if message.topic.endswith("/telemetry"):
            yield (message.at_ms - START) / 1000, json.loads(message.payload)


@pytest.mark.parametrize("measurand", sorted(MEASURANDS))
def test_a_transmitter_rests_near_its_ordinary_value(measurand: str) -> None:
    """Nothing happens, and the same seed says the same."""
    device = Transmitter("a/s/d", measurand, 10)
    said = [
        saying for saying, _ in zip(device.sayings([], "1"), range(200), strict=False) if saying.kind == "telemetry"
    ]
    again = [
        saying for saying, _ in zip(device.sayings([], "1"), range(200), strict=False) if saying.kind == "telemetry"
    ]
    assert said == again
    values = [saying.body[measurand] for saying in said]
    assert max(values) - min(values) <= 0.5 * max(values)


def test_a_shift_goes_there_evenly_and_back() -> None:
    """Half way after half the time, there in the end, at rest afterwards."""
    level = dict(messages(scenario(Shift(device="lpg-level-1", at_s=20, lasts_s=60, to=90, over_s=20))))

    def near(second: float) -> float:
        return float(level[min(level, key=lambda known: abs(known - second))]["v"]["level_pct"])

    assert abs(near(15) - 60) < 1
    assert 65 < near(31) < 85
    assert abs(near(60) - 90) < 1
    assert abs(near(110) - 60) < 1


def test_a_shift_may_name_another_quantity() -> None:
    """A deduster's fan stops while its pressure difference stays."""
    shift = Shift(device="furniture-dp-1", at_s=10, lasts_s=100, to=0, measurand="fan")
    bodies = [body["v"] for second, body in messages(scenario(shift, devices=("furniture-dp-1",))) if 20 < second < 100]
    assert {body["fan"] for body in bodies} == {0.0}
    assert all(body["dp_pa"] > 800 for body in bodies)


def test_a_frozen_device_says_one_value() -> None:
    """From its beginning to its end, and not before or after."""
    frozen = Frozen(device="lpg-level-1", at_s=30, lasts_s=60, value=55.5)
    values = {30 <= second < 90: set[float]() for second in (0, 60)}
    for second, body in messages(scenario(frozen)):
        values[30 <= second < 90].add(body["v"]["level_pct"])
    assert values[True] == {55.5}
    assert 55.5 not in values[False]


def test_a_battery_is_reported_beside_the_readings() -> None:
    """As `bat`, while the incident lasts."""
    said = [
        (second, body.get("bat"))
        for second, body in messages(scenario(Battery(device="lpg-level-1", at_s=60, lasts_s=30)))
    ]
    assert {bat for second, bat in said if 60 <= second < 90} == {10.0}
    assert {bat for second, bat in said if not 60 <= second < 90} == {None}


def test_a_double_counts_for_itself() -> None:
    """Two counts take turns under one name; each goes on without a gap."""
    counts: dict[int, list[int]] = {}
    for _, body in messages(scenario(Clone(device="lpg-level-1", at_s=30, lasts_s=60))):
        counts.setdefault(body["boot"], []).append(body["seq"])
    assert len(counts) == 2
    assert all(seqs == list(range(seqs[0], seqs[0] + len(seqs))) for seqs in counts.values())


def test_a_mark_may_name_a_group_and_nothing_else_may() -> None:
    """Truth about a whole site stands at the site; a power cut needs a device."""
    group = "caozhen/lpg-1/-"
    rows = truth(scenario(Mark(device=group, at_s=1, lasts_s=2, expect=("D101",))), START)
    assert [row.device for row in rows] == [group]
    with pytest.raises(InputError, match="not in the scenario"):
        scenario(Silence(device=group, at_s=1, lasts_s=2))
