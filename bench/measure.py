"""What every comparison shares: arguments, CPU time of this process, a core of its own, and how results are told."""

import argparse
import json
import os
import subprocess
import sys
import time
import timeit
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

Child = subprocess.Popen[str]


class Cost(NamedTuple):
    """What `messages` cost this process: CPU seconds (user and system, all threads) and wall seconds."""

    messages: int
    cpu_s: float
    wall_s: float

    @property
    def us_per_msg(self) -> float:
        """CPU microseconds a message."""
        return round(1e6 * self.cpu_s / max(self.messages, 1), 2)

    @property
    def msgs_per_s(self) -> int:
        """Messages a second by the clock on the wall."""
        return round(self.messages / max(self.wall_s, 1e-9))


class Stopwatch:
    """Starts when made."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def read(self, messages: int) -> Cost:
        """Return what was spent until now."""
        return Cost(messages, time.process_time() - self._cpu, time.perf_counter() - self._wall)


def cores() -> tuple[set[int], set[int]]:
    """Return the core for what is measured, and those for everything else (the same one where there is one only)."""
    available = sorted(os.sched_getaffinity(0))
    return {available[0]}, set(available[1:]) or {available[0]}


@contextmanager
def child(module: str, *arguments: object, affinity: set[int] | None = None) -> Iterator[Child]:
    """Run `python -m module` with pipes for the length of the block."""
    command = [sys.executable, "-m", module, *(str(argument) for argument in arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    try:
        if affinity:
            os.sched_setaffinity(process.pid, affinity)
        yield process
    finally:
        process.kill()
        process.communicate()


def hear(process: Child) -> list[str]:
    """Return the words of the child's next line; raise RuntimeError when it has ended."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError(f"{process.args!r} ended too early")
    return line.split()


def say(process: Child, line: str = "") -> None:
    """Write one line to the child."""
    if process.stdin:
        process.stdin.write(line + "\n")
        process.stdin.flush()


def yardstick() -> float:
    """Return the CPU µs of one small fixed piece of work: how fast this machine is just now, to compare runs by."""
    decoder, work = (
        msgspec.json.Decoder(dict[str, float]),
        b'{"ch4_lel": 3.2, "co_ppm": 2.0, "o2_vol": 20.9, "temp_c": 21.5}',
    )
    timer = timeit.Timer(lambda: decoder.decode(work), timer=time.process_time)
    return round(1e6 * min(timer.repeat(20, 1_000)) / 1_000, 2)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that `share` of the values do not exceed; None of no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def arguments(text: str, **numbers: int) -> argparse.Namespace:
    """Parse `--json` and one option a number, named like it."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return parser.parse_args()


def tell(result: Mapping[str, Any] | Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print one result or several rows of them; to a single one the yardstick is added."""
    if isinstance(result, Mapping):
        result = {**result, "yardstick_us": yardstick()}
    if as_json:
        print(json.dumps(result))
        return
    rows = [result] if isinstance(result, Mapping) else result
    for name in dict.fromkeys(key for row in rows for key in row):
        print(f"{name:22}", *(f"{row.get(name, '')!s:>14}" for row in rows))
