"""A district on an ordinary day, four times over: 20,000 messages a second at QoS 1 through Mosquitto, everything on.

    python -m bench.steady [--seconds 15] [--rate 20000] [--json]

What one message costs this process (CPU, user and system), and how long an alarm takes from its publication to a screen that
listens to the live stream. Broker, devices and screen are processes of their own.
"""

import asyncio
import json
import sys
import tempfile
from typing import Any

import uvloop

from api.accounts import issue_token
from bench.broker import broker
from bench.fleet import Fleet
from bench.house import house, missing_alarms, settled
from bench.measure import Child, Stopwatch, arguments, child, hear, percentile, say, tell
from emberwatch.parts import clock_ms
from registers.account import Role

DEVICES = 10_000
_ALARMING = 100


async def run(fleet: Fleet, folder: str, port: int, rate: int) -> dict[str, Any]:
    """Return the result's keys."""
    async with house(fleet, folder, port) as service:
        parts = service.parts
        token = issue_token(parts.books.accounts, "bench", Role.VIEWER, clock_ms())
        sending = ("--port", port, "--devices", fleet.devices, "--rounds", fleet.rounds, "--alarming", _ALARMING)
        with (
            child("bench.listener", service.url, token) as listener,
            child("bench.publisher", *sending, "--rate", rate) as publisher,
        ):
            await asyncio.to_thread(hear, publisher)
            await asyncio.to_thread(hear, listener)
            await _published(publisher)
            warm = fleet.devices * fleet.warm
            await settled(parts, warm)
            watch = Stopwatch()
            await _published(publisher)
            cost = watch.read(fleet.messages)
            lost = warm + fleet.messages - await settled(parts, warm + fleet.messages)
            sent = await asyncio.to_thread(hear, publisher)
            delays = await asyncio.to_thread(_delays, listener, json.loads(" ".join(sent)))
            return {
                "us_per_msg": cost.us_per_msg,
                "msgs_per_s": cost.msgs_per_s,
                "lost": lost + await asyncio.to_thread(missing_alarms, parts, fleet),
                "p50_ms": percentile(delays, 0.5),
                "p99_ms": percentile(delays, 0.99),
                "alarms": len(delays),
            }


async def _published(publisher: Child) -> None:
    say(publisher)
    await asyncio.to_thread(hear, publisher)


def _delays(listener: Child, sent: dict[str, int]) -> list[int]:
    """Return how long each alarm took, in ms."""
    say(listener, str(len(sent)))
    seen = json.loads(" ".join(hear(listener)))
    return [seen[device] - at_ms for device, at_ms in sent.items() if device in seen]


def main() -> None:
    chosen = arguments(__doc__ or "", seconds=15, rate=20_000)
    messages = chosen.seconds * chosen.rate
    devices = min(DEVICES, messages)
    fleet = Fleet(devices, max(1, messages // devices), alarming=_ALARMING)
    with broker() as port, tempfile.TemporaryDirectory() as folder:
        result = uvloop.run(run(fleet, folder, port, chosen.rate))
    tell(result, as_json=chosen.json)
    sys.exit(bool(result["lost"]))


if __name__ == "__main__":
    main()
