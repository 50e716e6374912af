"""How near our collector comes to what Python can do: QoS 1 through a saturated Mosquitto, into the durable journal.

    python -m bench.collector [--messages 200000] [--json]

The same messages, as fast as the broker takes them, first to a bare parser that only counts, then to the collector with its
journal (commit with fsync before each acknowledgement); in turns, so that a busy machine is busy for both.
"""

import json
import time
from collections import Counter
from typing import Any

from bench.broker import broker
from bench.measure import Child, arguments, child, hear, say, tell

DEVICES = 10_000
_TURNS = ("bare", "collector", "collector", "bare")
_PATIENCE_S = 15.0


def listen(kind: str, devices: int, rounds: int, rate: int = 0) -> dict[str, Any]:
    """Return what one subscriber said of the fleet's messages: messages, cpu_s, wall_s, and how many were `sent`."""
    with broker() as port, child("bench.subscriber", kind, "--port", port) as subscriber:
        hear(subscriber)
        sending = ("--port", port, "--devices", devices, "--rounds", rounds, "--rate", rate)
        with child("bench.publisher", *sending) as publisher:
            hear(publisher)
            sent = 0
            for _ in ("warm-up", "rest"):
                say(publisher)
                sent += int(hear(publisher)[1])
            return {**finished(subscriber, sent), "sent": sent}


def finished(subscriber: Child, sent: int) -> dict[str, Any]:
    """Ask until all has come or nothing does any more."""
    end, before = time.monotonic() + _PATIENCE_S, -1
    while True:
        say(subscriber)
        told: dict[str, Any] = json.loads(" ".join(hear(subscriber)))
        if told["messages"] >= sent or time.monotonic() > end:
            return told
        if told["messages"] > before:
            end, before = time.monotonic() + _PATIENCE_S, told["messages"]
        time.sleep(0.2)


def main() -> None:
    chosen = arguments(__doc__ or "", messages=200_000)
    devices = min(DEVICES, chosen.messages)
    totals: dict[str, Counter[str]] = {"bare": Counter(), "collector": Counter()}
    for kind in _TURNS:
        totals[kind].update(listen(kind, devices, max(1, chosen.messages // devices)))
    ours, reference = totals["collector"], totals["bare"]
    rates = {kind: total["messages"] / total["wall_s"] for kind, total in totals.items()}
    result = {
        "us_per_msg": round(1e6 * ours["cpu_s"] / ours["messages"], 2),
        "reference_us_per_msg": round(1e6 * reference["cpu_s"] / reference["messages"], 2),
        "msgs_per_s": round(rates["collector"]),
        "reference_msgs_per_s": round(rates["bare"]),
        "ratio": round(rates["collector"] / rates["bare"], 3),
        "lost": ours["sent"] - ours["messages"],
    }
    tell(result, as_json=chosen.json)


if __name__ == "__main__":
    main()
