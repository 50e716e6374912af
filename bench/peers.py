"""The same job done by others: Node-RED, and plain paho-mqtt, beside ours doing all of its work.

    python -m bench.peers [--messages 100000] [--rate 10000] [--json]

Node-RED and paho subscribe, parse and compare one value; nothing is kept. Ours is the service as it ships: journal with fsync,
all detectors, ledger, DuckDB, screens. Each alone with the same broker and the same messages at the same rate; CPU (user and
system) of its process from the first message to the last. Node-RED is installed from npm into the user's cache at the first run.
"""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

from bench.broker import broker
from bench.collector import listen
from bench.fleet import Fleet
from bench.house import house, settled
from bench.measure import Stopwatch, arguments, child, hear, say, tell
from ingest.mosquitto import free_port

DEVICES = 10_000
NODE_RED = "node-red@4"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "emberwatch-bench" / "node-red"
_PROGRAM = _CACHE / "node_modules" / "node-red" / "red.js"
_LIMIT = 50
_START_S = 60.0


def flow(port: int) -> list[dict[str, Any]]:
    """Return the flow: messages in, parsed, compared; an alarm would go on to a node that counts."""
    return [
        {"id": "tab", "type": "tab", "label": "peer"},
        {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(port), "protocolVersion": "5",
         "clientid": "node-red", "keepalive": "60", "cleansession": True},
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": "safety/v1/+/+/+/telemetry", "qos": "1", "datatype": "json",
         "broker": "broker", "inputs": 0, "wires": [["compare"]]},
        {"id": "compare", "type": "switch", "z": "tab", "property": "payload.v.ch4_lel", "propertyType": "msg",
         "rules": [{"t": "gte", "v": str(_LIMIT), "vt": "num"}], "outputs": 1, "wires": [["alarm"]]},
        {"id": "alarm", "type": "function", "z": "tab", "func": "context.set('n', (context.get('n') || 0) + 1);",
         "outputs": 0, "wires": []},
    ]  # fmt: skip


def install() -> str | None:
    """Return why Node-RED cannot run here, or None when it can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "no node and npm"
    if not _PROGRAM.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(_CACHE), "--no-audit", "--no-fund", "--loglevel=error", NODE_RED]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    return None if _PROGRAM.exists() else "npm could not install Node-RED"


@contextmanager
def node_red(port: int) -> Iterator[int]:
    """Run Node-RED with the flow; yield its process id once it has subscribed."""
    with tempfile.TemporaryDirectory() as folder:
        flows = Path(folder) / "flows.json"
        flows.write_text(json.dumps(flow(port)))
        command = ["node", str(_PROGRAM), "--userDir", folder, "--port", str(free_port()), str(flows)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            _wait_for(process, "Connected to broker")
            time.sleep(1.0)  # it says so before it has subscribed
            yield process.pid
        finally:
            process.kill()
            process.communicate()


def _wait_for(process: "subprocess.Popen[str]", words: str) -> None:
    end = time.monotonic() + _START_S
    for line in process.stdout or ():
        if words in line:
            return
        if time.monotonic() > end:
            break
    raise RuntimeError("Node-RED did not connect")


def cpu_s(pid: int) -> float:
    """Return the CPU seconds (user and system) a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost_of_node_red(devices: int, rounds: int, rate: int) -> float:
    """Return CPU µs a message."""
    sending = ("--devices", devices, "--rounds", rounds, "--rate", rate)
    with broker() as port, node_red(port) as pid, child("bench.publisher", "--port", port, *sending) as publisher:
        hear(publisher)
        say(publisher)
        hear(publisher)
        before = cpu_s(pid)
        say(publisher)
        messages = int(hear(publisher)[1])
        while _is_busy(pid):
            pass
        return round(1e6 * (cpu_s(pid) - before) / messages, 2)


def _is_busy(pid: int) -> bool:
    """Look for half a second whether a process uses more than a tenth of a core: then it is still behind."""
    before = cpu_s(pid)
    time.sleep(0.5)
    return cpu_s(pid) - before > 0.05


def cost_of_ours(devices: int, rounds: int, rate: int) -> float:
    """Return CPU µs a message of the whole service."""
    with broker() as port, tempfile.TemporaryDirectory() as folder:
        return uvloop.run(_ours(Fleet(devices, rounds), folder, port, rate))


async def _ours(fleet: Fleet, folder: str, port: int, rate: int) -> float:
    sending = ("--port", port, "--devices", fleet.devices, "--rounds", fleet.rounds, "--rate", rate)
    async with house(fleet, folder, port) as service:
        with child("bench.publisher", *sending) as publisher:
            await asyncio.to_thread(hear, publisher)
            say(publisher)
            await asyncio.to_thread(hear, publisher)
            await settled(service.parts, fleet.devices)
            watch = Stopwatch()
            say(publisher)
            await asyncio.to_thread(hear, publisher)
            await settled(service.parts, fleet.devices + fleet.messages)
            return watch.read(fleet.messages).us_per_msg


def main() -> None:
    chosen = arguments(__doc__ or "", messages=100_000, rate=10_000)
    devices = min(DEVICES, chosen.messages)
    rounds = max(1, chosen.messages // devices)
    plain = listen("paho", devices, rounds, chosen.rate)
    paho = round(1e6 * plain["cpu_s"] / plain["messages"], 2)
    ours = cost_of_ours(devices, rounds, chosen.rate)
    missing = install()
    reference = None if missing else cost_of_node_red(devices, rounds, chosen.rate)
    result = {
        "us_per_msg": ours,
        "paho_us_per_msg": paho,
        "node_red_us_per_msg": reference or missing,
        "ratio": None if reference is None else round(reference / ours, 2),
        "rate": chosen.rate,
    }
    tell(result, as_json=chosen.json)


if __name__ == "__main__":
    main()
