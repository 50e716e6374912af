"""What more devices cost: 1,000 to 1,000,000 registered ones, each heard once, then the same number of messages from all over.

    python -m bench.growth [--largest 100000] [--messages 100000] [--json]

Each size in a process of its own, from records to decisions (decoder, registers, all detectors; no broker, no store): CPU µs a
message, and resident memory a device over that of the empty machine: of one that says five measurands, and of one that says one,
as most gas detectors do. `ratio`: the slowest size over the fastest. A million devices take minutes, so they come only when
asked for.
"""

import argparse
import itertools
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.fleet import Fleet, payload
from bench.measure import tell
from detectors.build import build_engine
from domain.changes import RegisterChange
from domain.records import REGISTER, START, Record, RecordBatch
from emberwatch.pipeline import Machine

_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_SEGMENT = 2_000
_ONE = b'{"ts": %d, "seq": 0, "boot": 7, "v": {"ch4_lel": 3.%d}, "rssi": -71}'
_A_RECORD = 1_000


class Feeder:
    """Gives records to a machine in order."""

    def __init__(self) -> None:
        self.machine = Machine(build_engine)
        self._offset = 0
        self._now_ms = time.time_ns() // 1_000_000

    def give(self, *said: tuple[str, bytes]) -> None:
        """Decide one segment."""
        records = [Record(self._now_ms, topic, payload) for topic, payload in said]
        for decoded in self.machine.decoder.decode(RecordBatch(self._offset, records)):
            self.machine.engine.process(decoded.segment)
        self._offset += len(records)


def measure(devices: int, messages: int, *, one: bool) -> dict[str, Any]:
    """Return cost and memory of one size, in this process; of `one` measurand a device, memory alone."""
    feeder, fleet = Feeder(), Fleet(devices, rounds=1, alarming=devices + 1)
    feeder.give((START, b""))
    empty = _resident()
    for record in _registers(fleet):
        feeder.give((REGISTER, record))
    for segment in _segments(_once(fleet, one=one)):
        feeder.give(*segment)
    full = _resident()
    if one:
        return {"bytes_per_device_of_one": round((full - empty) / devices)}
    costs = sorted(_cost(feeder, segment) for segment in _segments(_from_all_over(fleet, messages)))
    return {
        "devices": devices,
        "us_per_msg": round(costs[len(costs) // 2], 2),
        "bytes_per_device": round((full - empty) / devices),
    }


def _registers(fleet: Fleet) -> Iterator[bytes]:
    entries = (entry for entries in fleet.registers() for entry in entries)
    changes = (RegisterChange(i, e.noun, e.key, e.projection()) for i, e in enumerate(entries, 1))
    while part := list(itertools.islice(changes, _A_RECORD)):
        yield msgspec.json.encode(part)


def _segments(said: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    segment: list[tuple[str, bytes]] = []
    for one in said:
        segment.append(one)
        if len(segment) == _SEGMENT:
            yield segment
            segment = []
    if segment:
        yield segment


def _once(fleet: Fleet, *, one: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the first thing each device says."""
    now_ms = time.time_ns() // 1_000_000
    for number in range(fleet.devices):
        said = _ONE % (now_ms, number % 10) if one else payload(number, 0, now_ms, alarming=False)
        yield fleet.topic(number), said


def _from_all_over(fleet: Fleet, messages: int) -> Iterator[tuple[str, bytes]]:
    """Yield what devices drawn at random say, each with its own next number."""
    rng = random.Random(1)
    seq: dict[int, int] = {}
    now_ms = time.time_ns() // 1_000_000
    for _ in range(messages):
        number = rng.randrange(fleet.devices)
        seq[number] = seq.get(number, 0) + 1
        yield fleet.topic(number), payload(number, seq[number], now_ms, alarming=False)


def _cost(feeder: Feeder, segment: list[tuple[str, bytes]]) -> float:
    started = time.process_time()
    feeder.give(*segment)
    return 1e6 * (time.process_time() - started) / len(segment)


def _resident() -> int:
    """Return bytes of memory in use; the peak where the system does not say."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if chosen.only:
        print(json.dumps(measure(chosen.only, chosen.messages, one=chosen.one)))
        return
    rows = [_alone(size, chosen.messages) for size in _SIZES if size <= chosen.largest]
    costs = [row["us_per_msg"] for row in rows]
    result = {"ratio": round(max(costs) / min(costs), 2), "us_per_msg": costs[-1], "sizes": rows}
    tell(result if chosen.json else rows, as_json=chosen.json)


def _alone(size: int, messages: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.growth", "--only", str(size), "--messages", str(messages)]
    told: dict[str, Any] = {}
    for kind in ([], ["--one"]):
        told |= json.loads(subprocess.run([*command, *kind], check=True, capture_output=True).stdout)
    return told


if __name__ == "__main__":
    main()
