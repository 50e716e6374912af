"""Every comparison runs, counts right, and tells its numbers under the agreed names; how fast it is, is no claim here."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from bench.__main__ import NAMES
from bench.fleet import Fleet, publish_packets
from ingest.codecs import native
from ingest.transports.frames import split


def told(name: str, *arguments: object) -> dict[str, Any]:
    """Run one comparison and return what it printed as JSON."""
    command = [sys.executable, "-m", "bench", name, "--json", *(str(argument) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_the_fleet_says_what_the_wire_allows() -> None:
    """Each packet is a PUBLISH of a message of five measurands, numbered from the first on, and each alarm comes once."""
    fleet = Fleet(20, rounds=3, alarming=10)
    said = list(fleet.messages_of(0, fleet.warm + fleet.rounds))
    packets = split(b"".join(publish_packets(said)))
    assert [message.payload for message in packets.messages] == [one.payload for one in said]
    read = [native.telemetry(one.payload, "any")[0] for one in said]
    assert {len(message.v) for message in read} == {5}
    assert [message.seq for message in read[::20]] == [0, 1, 2, 3]
    assert sum(one.alarms for one in said) == 2
    assert fleet.alarms() == {(rule, fleet.path(i)) for rule in ("G101", "G102") for i in (0, 10)}


def test_the_list_names_every_comparison() -> None:
    """`--list` tells each name with what it measures."""
    command = [sys.executable, "-m", "bench", "--list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(NAMES)


def test_a_name_that_is_none_starts_nothing() -> None:
    """A slip of the pen is no half hour of every comparison."""
    done = subprocess.run([sys.executable, "-m", "bench", "pipelin"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no comparison 'pipelin' (known: pipeline," in done.stderr


def test_the_whole_house_on_one_core_loses_nothing() -> None:
    """Messages and alarms are all there."""
    result = told("pipeline", "--messages", 2_000)
    assert result["lost"] == 0
    assert result.keys() >= {"us_per_msg", "msgs_per_s"}


def test_growth_tells_cost_and_memory_of_each_size() -> None:
    """One row a size, and how much the costs differ."""
    result = told("growth", "--largest", 1_000, "--messages", 4_000)
    assert [row["devices"] for row in result["sizes"]] == [1_000]
    assert result["ratio"] == 1.0


@pytest.mark.mosquitto
def test_the_collector_is_compared_with_a_bare_parser(mosquitto_program: str) -> None:
    """Both hear every message."""
    result = told("collector", "--messages", 3_000)
    assert result["lost"] == 0
    assert result.keys() >= {"us_per_msg", "msgs_per_s", "reference_msgs_per_s", "ratio"}


@pytest.mark.mosquitto
def test_a_steady_stream_ends_with_its_alarms_on_a_screen(mosquitto_program: str) -> None:
    """Every alarm of the fleet came over the live stream, and how long it took is told."""
    result = told("steady", "--seconds", 2, "--rate", 1_000)
    assert result["lost"] == 0
    assert result["p99_ms"] is not None
    assert result["alarms"] == 20


@pytest.mark.mosquitto
@pytest.mark.parametrize("level", [5, 4])
def test_a_backlog_is_drained_in_order_and_marked_late(mosquitto_program: str, level: int) -> None:
    """Nothing is missing, out of order, or wrongly marked, by MQTT 5 and by 3.1.1."""
    result = told("backlog", "--messages", 8_000, "--level", level)
    assert (result["lost"], result["out_of_order"], result["wrongly_late"]) == (0, 0, 0)
    assert result["late"] > 0


@pytest.mark.mosquitto
def test_peers_do_the_same_job(mosquitto_program: str, lacking: Callable[[str, str], NoReturn]) -> None:
    """Ours, paho and Node-RED each have a cost; it is said why where Node-RED cannot run."""
    result = told("peers", "--messages", 3_000, "--rate", 3_000)
    assert min(result["us_per_msg"], result["paho_us_per_msg"]) > 0
    if isinstance(result["node_red_us_per_msg"], str):
        lacking("Node-RED", result["node_red_us_per_msg"])
    assert result["node_red_us_per_msg"] > 0
