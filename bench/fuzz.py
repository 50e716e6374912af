"""Hostile bytes against everything that reads devices: mutated wire examples, for so many seconds, from a seed.

    python -m bench.fuzz [--seconds 20] [--seed 1] [--json]

Nothing may crash, hang or grow: whatever comes is decoded, dead or a repeat, in bounded time and memory, and the same whether it
is read many messages at once or one by one. An input that breaks this is printed and the exit code is 1; run it again with
the same seed.
"""

import argparse
import gc
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import CorruptionError, EngineError
from domain.readings import Contacts, Readings
from domain.records import RETAINED, Record, RecordBatch
from domain.slots import SlotTable
from ingest.decoding import Decoded, Decoder
from ingest.thinning import QUIET, Thinner
from ingest.transport import MAX_PAYLOAD_BYTES, Message
from ingest.transports.frames import split

NOW = 1_800_000_000_000
BATCH = 500
_SLOW_S = 0.25
"""One payload may take so long at most (the largest allowed is 256 KiB)."""
_BRACKETS = b'{}[]",:\\0-+eE.'
_TOKENS = (
    b"1e999", b"-0", b"NaN", b"null", b"true", b"9223372036854775808", b'"\\ud800"', b"{}", b"[]", b"\xff", b"\x00",
    b'{"v":' * 20, b"[" * 40, b'"ts":', b'"seq":', b'"boot":', b'"v":', b'"type":"scan.in"', b'"data":{}', b"0.1" * 30,
)  # fmt: skip
_TIMES = (0, 1, NOW - 10**9, NOW + 10**9, 2**53, 2**63 - 1, -1)
_STEPS = (*(1,) * 400, 0, 0, 2, 3, -1, -40, 30)
_NUMBERS = (0, 1, 2**53, 2**63 - 1, 2**63, -1)
_TOPICS = tuple(
    f"safety/v1/area/site/dev-{i}/{kind}" for i in range(8) for kind in ("telemetry", "event", "status", "reply")
)
_ODD_TOPICS = (
    "",
    "/",
    "safety/v1",
    "safety/v1/a b/s/d/event",
    "safety/v2/a/s/d/event",
    "safety/v1/a/s/" + "d" * 65 + "/event",
)


def examples() -> list[bytes]:
    """Return honest payloads of every kind."""
    bodies: list[Any] = [
        {"ts": NOW, "seq": 12, "boot": 7, "v": {"ch4_lel": 3.2, "temp_c": 21.5}, "bat": 88, "rssi": -71},
        [{"ts": NOW + i, "seq": i, "boot": 7, "v": {"o2_vol": 20.9}} for i in range(3)],
        {"ts": NOW, "seq": 13, "boot": 7, "type": "scan.in", "data": {"credential": "C-7F3K9QX2", "permit": "DH-1"}},
        {"ts": NOW, "seq": 14, "boot": 7, "type": "alarm.high", "data": {"measurand": "ch4_lel", "value": 27.0}},
        {"type": "fire.alarm", "data": {"point": "smoke"}},
        {"online": False},
        {"id": "01J", "ok": True, "state": "locked"},
    ]
    return [json.dumps(body).encode() for body in bodies]


class Mutator:
    """Makes payloads out of honest ones; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._pool = examples()
        self._numbers = [0, 0, 0]
        self._changes: tuple[Callable[[bytes], bytes], ...] = (
            self._flip, self._cut, self._insert, self._token, self._repeat, self._splice, self._number,
        )  # fmt: skip

    def payload(self) -> bytes:
        """Return the next payload, honest once in ten."""
        made = self._rng.choice(self._pool)
        if self._rng.random() < 0.1:
            return made
        for _ in range(self._rng.choice((1, 1, 2, 3, 8))):
            made = self._rng.choice(self._changes)(made)
        return made[:MAX_PAYLOAD_BYTES]  # the broker takes no more

    def orderly(self) -> Message:
        """Return telemetry as devices send it in streams, with numbers and times that are odd now and then."""
        device = self._rng.randrange(3)
        self._numbers[device] += self._rng.choice(_STEPS)
        body: dict[str, Any] = {"v": {"ch4_lel": round(self._rng.gauss(3, 1), 2), "temp_c": 21}}
        body["ts"] = NOW - 100 + 3 * self._numbers[device] if self._rng.random() < 0.97 else self._rng.choice(_TIMES)
        body["seq"] = self._numbers[device] if self._rng.random() < 0.99 else self._rng.choice(_NUMBERS)
        body["boot"] = 7 if self._rng.random() < 0.99 else self._rng.choice((*_NUMBERS, 8))
        if self._rng.random() < 0.05:
            del body[self._rng.choice(("ts", "seq", "boot"))]
        if self._rng.random() < 0.02:
            body |= self._rng.choice(({"device": "dev-1"}, {"bat": 50}, {"v": {"nonsense": 1}}, {"v": {}}, {"x": {}}))
        return Message(_TOPICS[4 * device], json.dumps(body).encode(), RETAINED * (self._rng.random() < 0.002))

    def topic(self) -> str:
        """Return a topic, nearly always one of ours."""
        return self._rng.choice(_TOPICS if self._rng.random() < 0.98 else _ODD_TOPICS)

    def _at(self, data: bytes) -> int:
        return self._rng.randrange(len(data) + 1)

    def _flip(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + bytes([self._rng.randrange(256)]) + data[at + 1 :]

    def _cut(self, data: bytes) -> bytes:
        start, end = sorted((self._at(data), self._at(data)))
        return data[:start] + data[end:]

    def _insert(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + bytes([self._rng.choice(_BRACKETS)]) + data[at:]

    def _token(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + self._rng.choice(_TOKENS) + data[at:]

    def _repeat(self, data: bytes) -> bytes:
        start, end = sorted((self._at(data), self._at(data)))
        times = 1000 if self._rng.random() < 0.002 else self._rng.randrange(2, 20)
        return data[:start] + data[start:end] * times + data[end:]

    def _splice(self, data: bytes) -> bytes:
        other = self._rng.choice(self._pool)
        return data[: self._at(data)] + other[self._at(other) :]

    def _number(self, data: bytes) -> bytes:
        number = str(
            self._rng.choice((0, 1, -1, 2**53, 2**63, -(2**63), 1e308, 5e-324, self._rng.gauss(0, 1e6)))
        ).encode()
        return data.replace(b"3.2", number).replace(b"12", number, 1)


class Target:
    """Everything that reads what devices send, with its state kept over the whole run."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.slowest_s = 0.0
        self._offset = 0
        self._decoder, self._one_by_one = (
            Decoder(SlotTable(), is_registered=lambda name: name < "dev-4", unknown_allowance=4) for _ in range(2)
        )
        self._thinner = Thinner(1000, lambda: NOW + self._offset)
        self._thinner.begin(QUIET, frozenset())

    def take(self, batch: list[Message]) -> None:
        """Put messages through the door and the decoder; raise CorruptionError when the accounts do not balance."""
        kept = self._thinner(batch)
        records = [Record(NOW + self._offset, m.topic, m.payload, m.flags) for m in kept]
        started = time.perf_counter()
        together = list(self._decoder.decode(RecordBatch(self._offset, records)))
        self.slowest_s = max(self.slowest_s, (time.perf_counter() - started) / len(batch))
        counted = {name: sum(getattr(one.counts, name) for one in together) for name in _OUTCOMES}
        self.counts.update(counted)
        if sum(counted.values()) != len(batch):
            raise CorruptionError(f"{counted} of {len(batch)} messages")
        singles = (RecordBatch(offset, [record]) for offset, record in enumerate(records, self._offset))
        apart = [decoded for single in singles for decoded in self._one_by_one.decode(single)]
        if told(together) != told(apart):
            raise CorruptionError("read one by one it is something else")
        self._offset += len(records)


_OUTCOMES = ("decoded", "dead", "duplicate", "thinned")


def told(parts: Sequence[Decoded]) -> list[Any]:
    """Return all that was read, to compare: columns of readings and of contacts, signals, receipts, what is dead."""
    segments = [part.segment for part in parts]
    columns = [[getattr(one.readings, name) for one in segments] for name in Readings.__slots__]
    columns += [[getattr(one.contacts, name) for one in segments] for name in Contacts.__slots__]
    signals = [signal for one in segments for signal in one.signals]
    receipts = [receipt for part in parts for receipt in part.receipts]
    dead = [(letter.offset, letter.reason) for part in parts for letter in part.dead_letters]
    return [*(np.concatenate(column).tolist() for column in columns), signals, receipts, dead]


def batches(mutator: Mutator) -> Iterator[list[Message]]:
    """Yield batches of messages for ever: of all kinds, and of streams with one hostile message in a hundred."""
    while True:
        yield [
            mutator.orderly() if i % 100 else Message(mutator.topic(), mutator.payload()) for i in range(1, BATCH + 1)
        ]
        flags = [RETAINED if i % 50 == 0 else 0 for i in range(BATCH)]
        yield [Message(mutator.topic(), mutator.payload(), flag) for flag in flags]


def run(seconds: float, seed: int) -> dict[str, Any]:
    """Return what came of it; `broken` holds the first input that broke a promise, if one did."""
    mutator, target, tried = Mutator(seed), Target(), 0
    end, memory = time.monotonic() + seconds, 0
    broken: str | None = None
    for batch in batches(mutator):
        broken = _try(target, batch)
        tried += len(batch)
        memory = memory or (_memory_mib() if tried >= 20 * BATCH else 0)
        if broken is not None or time.monotonic() >= end:
            break
    growth = _memory_mib() - memory if memory else 0
    return {
        "inputs": tried,
        **target.counts,
        "slowest_batch_us_per_input": round(target.slowest_s * 1e6, 1),
        "memory_growth_mib": growth,
        "broken": broken,
    }


def _try(target: Target, batch: list[Message]) -> str | None:
    """Return what broke, or None."""
    try:
        target.take(batch)
        for message in batch[::10]:
            with suppress(EngineError, ValueError, IndexError):  # what the transport takes for no MQTT
                split(b"2" + message.payload)  # the type of a PUBLISH at QoS 1
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
        return f"{error!r} in one of {[(m.topic, m.payload[:300]) for m in batch[:3]]} …"
    return None if target.slowest_s < _SLOW_S else f"{target.slowest_s:.3f} s for one input"


def _memory_mib() -> int:
    """Return what we hold now (the peak would be the largest inputs of our own making)."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() >> 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    result = run(given.seconds, given.seed)
    if given.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:28} {value}")
    return 1 if result["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
