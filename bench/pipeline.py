"""The whole house on one core with no broker in the way: what one message costs from the socket to every store.

    python -m bench.pipeline [--messages 300000] [--json]

The service as it ships (journal with fsync, all detectors, ledger, DuckDB, screens) subscribes to `bench.source`, which sends
messages of five measurands encoded before. Measured from the first byte to the last reading in DuckDB, after a warm-up in
which every device has spoken once.
"""

import asyncio
import os
import sys
import tempfile

import uvloop

from bench.fleet import Fleet
from bench.house import house, missing_alarms, settled
from bench.measure import Child, Cost, Stopwatch, arguments, child, cores, hear, say, tell

DEVICES = 10_000


async def run(fleet: Fleet, source: Child, folder: str) -> tuple[Cost, int]:
    """Return what the fleet's messages cost, and how many messages and alarms are missing."""
    port = (await asyncio.to_thread(hear, source))[1]
    async with house(fleet, folder, int(port)) as service:
        parts = service.parts
        await _send(source)
        warm = fleet.devices * fleet.warm
        await settled(parts, warm)
        watch = Stopwatch()
        await _send(source)
        decoded = await settled(parts, warm + fleet.messages)
        cost = watch.read(fleet.messages)
        return cost, warm + fleet.messages - decoded + await asyncio.to_thread(missing_alarms, parts, fleet)


async def _send(source: Child) -> None:
    say(source)
    await asyncio.to_thread(hear, source)


def main() -> None:
    chosen = arguments(__doc__ or "", messages=300_000)
    devices = min(DEVICES, chosen.messages)
    fleet = Fleet(devices, max(1, chosen.messages // devices))
    ours, others = cores()
    sending = child("bench.source", "--devices", devices, "--rounds", fleet.rounds, affinity=others)
    with tempfile.TemporaryDirectory() as folder, sending as source:
        os.sched_setaffinity(0, ours)
        cost, lost = uvloop.run(run(fleet, source, folder))
    tell({"us_per_msg": cost.us_per_msg, "msgs_per_s": cost.msgs_per_s, "lost": lost}, as_json=chosen.json)
    sys.exit(bool(lost))


if __name__ == "__main__":
    main()
