"""After an hour of ours away: what 10,000 devices said meanwhile waits in the broker, and is drained.

    python -m bench.backlog [--messages 600000] [--level 5] [--json]

The service subscribes, stops, and comes back to messages measured over the last hour (one a minute and device). How fast they
are decided, against a bare parser that only counts the same backlog; whether the alarms are all there, in the order of what
was measured, and marked late exactly where they are. `--level 4` is MQTT 3.1.1.
"""

import asyncio
import itertools
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import uvloop

from bench.broker import broker
from bench.collector import finished
from bench.fleet import Fleet
from bench.house import house, missing_alarms, settled, until
from bench.measure import Cost, Stopwatch, arguments, child, hear, say, tell
from emberwatch.parts import Parts
from emberwatch.settings import MqttSettings

DEVICES = 10_000
_HOURS = 1.0
_LATE_MS = 300_000
_SURE_MS = 60_000
"""So near the limit between late and fresh either is right: we do not know when a message left the broker."""


async def run(fleet: Fleet, folder: str, port: int, mqtt: MqttSettings) -> tuple[Cost, dict[str, Any]]:
    """Return what draining cost, and what is wrong with what came of it."""
    async with house(fleet, folder, port, mqtt) as service:
        await until(lambda: service.parts.transport.counters.connected)  # from now on the broker keeps what is for us
    reference = await asyncio.to_thread(_filled_and_counted, fleet, port)
    watch = Stopwatch()
    async with house(fleet, folder, port, mqtt) as service:
        decoded = await settled(service.parts, fleet.said)
        cost = watch.read(decoded)
        faults = await asyncio.to_thread(_judge, service.parts, fleet)
        return cost, {**reference, "lost": fleet.said - decoded + faults.pop("missing"), **faults}


def _filled_and_counted(fleet: Fleet, port: int) -> dict[str, Any]:
    """Publish the hour; return the rate at which a bare parser drained its own copy of it."""
    sending = ("--port", port, "--devices", fleet.devices, "--rounds", fleet.rounds, "--hours", _HOURS)
    with child("bench.publisher", *sending) as publisher:
        hear(publisher)
        with child("bench.subscriber", "bare", "--port", port) as subscriber:
            hear(subscriber)
        for _ in ("warm-up", "rest"):
            say(publisher)
            hear(publisher)
    with child("bench.subscriber", "bare", "--port", port) as subscriber:
        hear(subscriber)
        told = finished(subscriber, fleet.said)
    return {"reference_msgs_per_s": round(told["messages"] / told["wall_s"])}


def _judge(parts: Parts, fleet: Fleet) -> dict[str, int]:
    """Return how many alarms are missing, come after one measured later, or were wrongly marked late or not."""
    raised = list(_raised(parts))
    measured = [alarm["event_ms"] for alarm in raised]
    ages = [(alarm["raised_at_ms"] - alarm["event_ms"], alarm["late"]) for alarm in raised]
    return {
        "missing": missing_alarms(parts, fleet),
        "late": sum(late for _, late in ages),
        "wrongly_late": sum((age > _LATE_MS) != late for age, late in ages if abs(age - _LATE_MS) > _SURE_MS),
        "out_of_order": sum(before > after for before, after in itertools.pairwise(measured)),
    }


def _raised(parts: Parts) -> Iterator[dict[str, Any]]:
    """Yield each alarm of the gravest rule as it was when it was raised, in that order."""
    seen: set[int] = set()
    after = 0
    while items := parts.books.ledger.feed.feed(after):
        after = items[-1].id
        for item in items:
            if item.kind == "alarm" and item.body["rule"] == "G101" and item.body["id"] not in seen:
                seen.add(item.body["id"])
                yield item.body


def main() -> None:
    chosen = arguments(__doc__ or "", messages=600_000, level=5)
    mqtt = MqttSettings(protocol="5" if chosen.level == 5 else "3.1.1")
    devices = min(DEVICES, max(1, chosen.messages // 4))  # each says several things during the hour
    fleet = Fleet(devices, max(1, chosen.messages // devices - 1))
    with broker() as port, tempfile.TemporaryDirectory() as folder:
        cost, result = uvloop.run(run(fleet, folder, port, mqtt))
    ratio = round(cost.msgs_per_s / result["reference_msgs_per_s"], 3)
    result = {"us_per_msg": cost.us_per_msg, "msgs_per_s": cost.msgs_per_s, "ratio": ratio, **result}
    tell(result, as_json=chosen.json)
    sys.exit(bool(result["lost"] or result["wrongly_late"] or result["out_of_order"]))


if __name__ == "__main__":
    main()
