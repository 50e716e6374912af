"""Every scenario is deterministic, speaks wire.md, and its ground truth agrees with what it does."""

import io
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from unittest.mock import ANY

import pytest

from domain.errors import InputError, MalformedPayloadError
from domain.places import DevicePath
from ingest.codecs import native
from ingest.topics import Kind, Topic
from registers.device import Device
from registers.place import Site
from simulators.device import TimedMessage
from simulators.fleet import Fleet
from simulators.incidents import Malformed
from simulators.scenario import Scenario, TruthRow, generate, load_scenario, scenario_names, truth, write_truth

START = 1_772_000_000_000
SECONDS = 180.0
ALL = pytest.mark.parametrize("name", scenario_names())
VALUE_RULES = {
    "G102": ("alarm.low", "alarm.high"),
    "G101": ("alarm.high",),
    "F101": ("fire.alarm",),
    "D103": ("fault",),
    "D105": ("fault",),
    "D108": ("fault",),
}


def played(name: str, seconds: float | None = SECONDS, **options: float) -> list[TimedMessage]:
    seconds = None if name == "gas-slow-leak" else seconds
    if name == "storm":
        seconds = 60.0
    return list(generate(load_scenario(name), START, seconds=seconds, **options))


DECODERS: dict[Kind, Callable[[bytes, str], object]] = {
    Kind.TELEMETRY: native.telemetry,
    Kind.EVENT: native.event,
    Kind.STATUS: native.status,
    Kind.REPLY: native.reply,
}


def decode(message: TimedMessage) -> None:
    path, kind = Topic.parse(message.topic)
    DECODERS[kind](message.payload, path.device)


def spoilt(scenario: Scenario) -> set[str]:
    """Return the devices that also send rubbish."""
    return {path for path, incidents in scenario.incidents.items() if any(isinstance(i, Malformed) for i in incidents)}


@ALL
def test_the_same_seed_and_start_give_the_same_bytes(name: str) -> None:
    """Generation is pure."""
    assert list(islice(generate(load_scenario(name), START), 3000)) == list(
        islice(generate(load_scenario(name), START), 3000)
    )


def test_another_seed_gives_other_bytes() -> None:
    """The seed reaches the noise."""
    one, other = (list(generate(load_scenario("gas-leak", seed=seed), START)) for seed in (1, 2))
    assert [m.payload for m in one] != [m.payload for m in other]


@ALL
def test_every_message_is_of_the_wire_and_in_order(name: str) -> None:
    """All bytes decode by the native codec, except from devices told to send rubbish; only status is retained."""
    scenario, unreadable, last_ms = load_scenario(name), set(), START
    for message in played(name):
        assert message.at_ms >= last_ms
        last_ms = message.at_ms
        assert message.retain == message.topic.endswith("/status")
        try:
            decode(message)
        except MalformedPayloadError:
            unreadable.add(str(Topic.parse(message.topic).path))
    assert unreadable <= spoilt(scenario)


@ALL
def test_truth_names_devices_that_speak_and_rules_by_code(name: str) -> None:
    """Each row's device is in the scenario, its times are in order and inside it."""
    scenario = load_scenario(name)
    end_ms = START + round(1000 * (scenario.duration_s or SECONDS))
    rows = truth(scenario, START, seconds=None if scenario.duration_s else SECONDS)
    assert rows
    for row in rows:
        stem = row.device.removesuffix("-")  # a group is named by its members' path
        assert row.device in scenario.devices or any(path.startswith(stem) for path in scenario.devices)
        assert START <= row.start_ms < row.end_ms <= end_ms
        assert len(row.rule) == 4
        assert row.rule[0] in "GFWXDPS"


@ALL
def test_truth_and_alarm_bits_of_the_devices_agree(name: str) -> None:
    """Where gas, fire or a fault is expected the device says so within the row's time, and nowhere else."""
    messages = played(name)
    last_ms = messages[-1].at_ms
    events = [
        (json.loads(m.payload)["type"], str(Topic.parse(m.topic).path), m.at_ms)
        for m in messages
        if m.topic.endswith("/event")
    ]
    rows = [row for row in truth(load_scenario(name), START, seconds=SECONDS) if row.rule in VALUE_RULES]
    for row in rows:
        heard = any(t in VALUE_RULES[row.rule] and d == row.device and row.start_ms <= at for t, d, at in events)
        assert heard or row.end_ms > last_ms, row
    expected = {(row.device, type_) for row in rows for type_ in VALUE_RULES[row.rule]}
    alarms = {type_ for types in VALUE_RULES.values() for type_ in types}
    assert {(device, type_) for type_, device, _ in events if type_ in alarms} <= expected


def test_the_demo_shows_everything_within_its_first_minute() -> None:
    """Gas, unregistered and uncertified welding, an expired certificate, fire and silence all begin at once."""
    early = {row.rule for row in truth(load_scenario("demo"), START, seconds=40.0)}
    assert early >= {"G102", "G101", "W101", "W103", "W104", "F101", "D101"}
    events = {json.loads(m.payload).get("type") for m in played("demo", 55.0) if m.topic.endswith("/event")}
    assert events >= {"alarm.low", "alarm.high", "fire.alarm", "power.on", "scan.in"}


def test_the_demo_never_ends() -> None:
    """It has no duration, and an hour later incidents still come."""
    scenario = load_scenario("demo")
    assert scenario.duration_s is None
    assert any(row.start_ms > START + 3_600_000 for row in truth(scenario, START, seconds=7200.0))


def test_speed_compresses_time_and_keeps_clocks_right() -> None:
    """At ten times the speed the same things are said in a tenth of the time, with time stamps of the sending."""
    real, fast = played("gas-leak", None), played("gas-leak", None, speed=10.0)
    assert [m.topic for m in fast] == [m.topic for m in real]
    assert fast[-1].at_ms - START == pytest.approx((real[-1].at_ms - START) / 10, abs=1)
    assert all(json.loads(m.payload)["ts"] == m.at_ms for m in fast if b'"ts"' in m.payload)
    assert truth(load_scenario("gas-leak"), START, speed=10.0)[0].start_ms == START + 2000


def test_truth_is_written_as_csv() -> None:
    """Columns and time format are those that back-tests read."""
    file = io.StringIO()
    write_truth([TruthRow(START, START + 1500, "G101", "a/s/d", "漏气, 小")], file)
    assert file.getvalue() == (
        "start_utc,end_utc,rule,device,note\n"
        '2026-02-25T06:13:20.000+00:00,2026-02-25T06:13:21.500+00:00,G101,a/s/d,"漏气, 小"\n'
    )


def test_devices_whose_will_must_fire_are_named() -> None:
    """Only a silence with a will needs a connection of its own."""
    assert load_scenario("silence").breaking() == ["jiulishan/school-1/school-ch4-1"]


def test_a_fleet_is_in_its_registers() -> None:
    """Every simulated detector has an entry whose site and model exist."""
    fleet = Fleet(count=250, interval_s=0.5)
    registers = {noun: {entry.key: entry for entry in entries} for noun, entries in fleet.registers().items()}
    assert len(registers["device"]) == 250
    for detector in fleet.detectors():
        path = DevicePath.parse(detector.path)
        assert registers["device"][path.device] == Device(code=path.device, site=path.site, model=fleet.model)
        assert registers["site"][path.site] == Site(code=path.site, name=ANY, area=path.area)
    assert list(registers["area"]) == [fleet.area]
    assert list(registers["model"]) == [fleet.model]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nonsense", "scenario mine"),
        ("title = 1", "title"),
        ('title = "x"\ncolour = 1', "colour"),
        ('title = "x"\ndevices = ["nobody"]', "nobody"),
        ('title = "x"\n[[incident]]\nkind = "leak"\ndevice = "nobody"\nat_s = 1\nlasts_s = 1\nflow_m3h = 1', "nobody"),
        ('title = "x"\n[[incident]]\nkind = "flood"\ndevice = "d"\nat_s = 1\nlasts_s = 1', "flood"),
        ('title = "x"\n[[machine]]\npath = "a/s/m"\nprocess = "gas"', "no electric arc"),
        ('title = "x"\n[[machine]]\npath = "not a path"', "not a path"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    """The message names the file and the mistake."""
    file = tmp_path / "mine.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(InputError, match=complaint):
        load_scenario(file)


def test_an_unknown_name_lists_the_known_ones() -> None:
    """Someone who mistypes a name sees what there is."""
    with pytest.raises(InputError, match="gas-leak"):
        load_scenario("gas-leek")
