"""Devices with a known truth for the crash bench: what each says when, repeated as real devices repeat it."""

import itertools
import json
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from registers.device import Device, DeviceKind, DeviceModel
from registers.noun import Noun
from registers.place import Area, Site

AREA, SITE = "crash", "hall"
STEP_S = 0.25
_REPEAT_S = 1.0
_CONFIRMED_WITHIN_S = 60.0
_RECEIPTS = f"safety/v1/{AREA}/{SITE}/+/receipt"


class Plan:
    """Who says what when: gas detectors that pass both set points and stay there, fire detectors that report smoke once."""

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
        """Yield (topic, payload) of one step: one message a device; past the last step every level stands."""
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
    """Publishes the plan at QoS 1, waits for every confirmation of the broker, and repeats events until their receipt.

    Goes on past the plan's end until `enough` is set. `sent` counts first sendings.
    """

    def __init__(self, plan: Plan, host: str, port: int) -> None:
        super().__init__(name="publisher", daemon=True)
        self.enough = threading.Event()
        self.sent = 0
        self.repeated = 0
        self._plan = plan
        self._handed_over = 0
        self._confirmed = 0
        self._events: dict[tuple[str, int], tuple[str, bytes, float]] = {}
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="crash-devices")
        client.max_inflight_messages_set(1000)
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda client, *_: client.subscribe(_RECEIPTS) and None
        client.on_message = lambda _client, _ours, message: self._receipt(message)
        client.on_publish = self._on_publish
        client.connect(host, port)

    @property
    def waiting(self) -> int:
        """Events whose receipt has not come."""
        return len(self._events)

    def run(self) -> None:
        self._client.loop_start()
        for step in itertools.count():
            if step >= self._plan.steps and self.enough.is_set():
                break
            for topic, payload in self._plan.messages(step):
                self._first(step, topic, payload)
            self._repeat()
            time.sleep(STEP_S)
        self._wait_for_all()
        self._client.disconnect()
        self._client.loop_stop()

    def _first(self, step: int, topic: str, payload: bytes) -> None:
        if topic.endswith("/event"):
            self._events[topic, step] = topic, payload, time.monotonic()
        self.sent += 1
        self._publish(topic, payload)

    def _publish(self, topic: str, payload: bytes) -> None:
        self._handed_over += 1
        self._client.publish(topic, payload, qos=1)

    def _repeat(self) -> None:
        for key, (topic, payload, at) in list(self._events.items()):
            if time.monotonic() - at >= _REPEAT_S and key in self._events:
                self._events[key] = topic, payload, time.monotonic()
                self.repeated += 1
                self._publish(topic, payload)

    def _receipt(self, message: mqtt.MQTTMessage) -> None:
        seq = json.loads(message.payload)["seq"]
        self._events.pop((message.topic.replace("/receipt", "/event"), seq), None)

    def _on_publish(self, *_: Any) -> None:
        self._confirmed += 1

    def _wait_for_all(self) -> None:
        end = time.monotonic() + _CONFIRMED_WITHIN_S
        while (self._events or self._confirmed < self._handed_over) and time.monotonic() < end:
            self._repeat()
            time.sleep(STEP_S)
