"""kill -9 at random instants while devices with a known truth publish through a real Mosquitto.

    python -m bench.crash --kills 100 [--devices 200] [--seed 1] [--json]

Every device raises its alarms once, at an instant spread over the whole run. At the end every one of them must be in the
ledger exactly once, and every message must be decoded exactly once (repeats are counted apart).
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from emberwatch.settings import Settings
from emberwatch.stores import open_books
from ingest.mosquitto import Mosquitto, find_mosquitto, free_port
from ledger.alarm import AlarmFilter
from ledger.hazard import HazardFilter
from registers.device import Device, DeviceKind, DeviceModel
from registers.noun import Noun
from registers.place import Area, Site

AREA, SITE = "crash", "hall"
_STEP_S = 0.25
_LIFE_S = (0.1, 4.0)
"""A process lives between these before it is killed: some die while starting, some at work."""


class Outcome(NamedTuple):
    """What came of a run: alarms as (rule, device) that are missing or more than one, messages lost or decoded twice."""

    kills: int
    alarms: int
    missing: list[tuple[str, str]]
    doubled: list[tuple[str, str]]
    hazards_wrong: int
    sent: int
    decoded: int
    duplicate: int
    dead: int
    chain_faults: int

    @property
    def lost(self) -> int:
        """Messages sent and confirmed by the broker, and not decoded (negative: decoded twice)."""
        return self.sent - self.decoded

    @property
    def perfect(self) -> bool:
        """Whether every promise held."""
        return not (self.missing or self.doubled or self.hazards_wrong or self.lost or self.dead or self.chain_faults)


class Plan:
    """Who says what when: gas detectors that pass both set points, fire detectors that report smoke."""

    def __init__(self, devices: int, steps: int, seed: int) -> None:
        rng = random.Random(seed)
        self.steps = steps
        self.fire = {f"smoke-{i:04d}" for i in range(devices // 4)}
        self.gas = {f"gas-{i:04d}" for i in range(devices - len(self.fire))}
        self.trigger = {name: rng.randrange(1, steps) for name in sorted(self.fire | self.gas)}

    def truth(self) -> set[tuple[str, str]]:
        """Return every (rule, device path) that must be in the ledger exactly once."""
        gas = {(rule, path(name)) for name in self.gas for rule in ("G101", "G102")}
        return gas | {("F101", path(name)) for name in self.fire}

    def registers(self) -> Iterator[list[Noun]]:
        """Yield the entries that make the devices known."""
        yield [Area(code=AREA, name="演练")]
        yield [Site(code=SITE, name="演练场", area=AREA)]
        yield [
            DeviceModel(code="gas", name="gas", kind=DeviceKind.GAS, measurand="ch4_lel", interval_s=3600),
            DeviceModel(code="smoke", name="smoke", kind=DeviceKind.FIRE, interval_s=3600),
        ]
        yield [Device(code=name, site=SITE, model=name.split("-")[0]) for name in sorted(self.gas | self.fire)]

    def messages(self, step: int) -> Iterator[tuple[str, bytes]]:
        """Yield (topic, payload) of one step: one message a device."""
        for name, trigger in self.trigger.items():
            body: dict[str, object] = {"ts": time.time_ns() // 1_000_000, "seq": step, "boot": 1}
            if name in self.gas:
                body["v"] = {"ch4_lel": 1.0 if step < trigger else 80.0}
                yield f"safety/v1/{path(name)}/telemetry", json.dumps(body).encode()
            elif step == trigger:
                body |= {"type": "fire.alarm", "data": {"point": "smoke"}}
                yield f"safety/v1/{path(name)}/event", json.dumps(body).encode()
            else:
                body["v"] = {"temp_c": 20.0}
                yield f"safety/v1/{path(name)}/telemetry", json.dumps(body).encode()


def path(name: str) -> str:
    """Return the device path of a name."""
    return f"{AREA}/{SITE}/{name}"


class Publisher(threading.Thread):
    """Publishes the plan at QoS 1 and waits for every confirmation of the broker."""

    def __init__(self, plan: Plan, host: str, port: int) -> None:
        super().__init__(name="publisher", daemon=True)
        self._plan = plan
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="crash-devices")
        self._client.max_inflight_messages_set(1000)
        self._client.connect(host, port)
        self.sent = 0

    def run(self) -> None:
        self._client.loop_start()
        waiting = []
        for step in range(self._plan.steps):
            waiting += [self._client.publish(topic, payload, qos=1) for topic, payload in self._plan.messages(step)]
            self.sent = len(waiting)
            time.sleep(_STEP_S)
        for message in waiting:
            message.wait_for_publish(30)
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def process(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service as a process of its own for the length of the block, then kill -9."""
    environment = {**os.environ, "EMBERWATCH_BROKER": settings.broker, "EMBERWATCH_DATA": settings.data}
    with log.open("ab") as out:
        command = [sys.executable, "-m", "emberwatch", "run", "--port", "0"]
        started = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)
        try:
            yield started
        finally:
            started.send_signal(signal.SIGKILL)
            started.wait()


def run(kills: int, devices: int = 200, seed: int = 1, *, folder: Path | None = None) -> Outcome:
    """Return what came of `kills` kills; state is left in `folder` when one is given."""
    rng = random.Random(seed)
    lives = [rng.uniform(*_LIFE_S) for _ in range(kills)]
    plan = Plan(devices, max(20, round(sum(lives) / _STEP_S)), seed)
    with tempfile.TemporaryDirectory() as temporary:
        home = folder or Path(temporary)
        with _broker(home / "broker") as broker:
            settings = Settings(data=str(home / "data"), broker=f"mqtt://{broker.host}:{broker.port}")
            with open_books(settings) as books:
                for entries in plan.registers():
                    books.registers.put(entries, by="user:bench")
            _first_session(settings, home / "service.log")
            publisher = Publisher(plan, broker.host, broker.port)
            publisher.start()
            for life in lives:
                with process(settings, home / "service.log"):
                    time.sleep(life)
            return _finish(kills, plan, publisher, settings, home / "service.log")


@contextmanager
def _broker(folder: Path) -> Iterator[Mosquitto]:
    program = find_mosquitto()
    if program is None:
        raise SystemExit("this needs mosquitto (Debian: apt-get install mosquitto)")
    folder.mkdir(parents=True)
    broker = Mosquitto(program, folder, free_port())
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def _first_session(settings: Settings, log: Path) -> None:
    """Let the service subscribe once, so that the broker keeps messages for it from then on."""
    with process(settings, log):
        _wait(lambda: "is up" in log.read_text("utf-8", errors="replace"), 60)
        time.sleep(1.0)


def _finish(kills: int, plan: Plan, publisher: Publisher, settings: Settings, log: Path) -> Outcome:
    with process(settings, log):
        publisher.join(120)
        _wait(lambda: _settled(settings, publisher.sent), 120)
    return _judge(kills, plan, publisher.sent, settings)


def _settled(settings: Settings, sent: int) -> bool:
    with open_books(settings) as books:
        return books.ledger.books.committed().counts.decoded >= sent


def _wait(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.2)


def _judge(kills: int, plan: Plan, sent: int, settings: Settings) -> Outcome:
    with open_books(settings) as books:
        counts = books.ledger.books.committed().counts
        alarms = books.ledger.alarms.alarms(AlarmFilter(open_only=False, limit=1_000_000))
        hazards = books.ledger.hazards.hazards(HazardFilter(open_only=False, limit=1_000_000))
        faults = books.ledger.hazards.verify_chain()
    found = Counter((alarm.rule, alarm.device) for alarm in alarms)
    truth = plan.truth()
    due = {pair for pair in truth if pair[0] in ("G101", "F101")}
    ledger = Counter((hazard.rule or "", hazard.device or "") for hazard in hazards)
    return Outcome(
        kills=kills,
        alarms=len(truth),
        missing=sorted(truth - set(found)),
        doubled=sorted(pair for pair, n in found.items() if n > 1),
        hazards_wrong=sum(ledger[pair] != 1 for pair in due),
        sent=sent,
        decoded=counts.decoded,
        duplicate=counts.duplicate,
        dead=counts.dead,
        chain_faults=len(faults),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    outcome = run(arguments.kills, arguments.devices, arguments.seed)
    result = {**outcome._asdict(), "lost": outcome.lost, "perfect": outcome.perfect}
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:14} {value}")
    return 0 if outcome.perfect else 1


if __name__ == "__main__":
    sys.exit(main())
