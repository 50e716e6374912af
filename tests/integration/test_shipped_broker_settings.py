"""Claims about deploy/mosquitto.conf and its ACL: a real Mosquitto runs on them, over TLS, and they keep what they say."""

import asyncio
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import aiomqtt
import pytest

from ingest.mosquitto import Mosquitto, free_port
from ingest.transport import Batch, Endpoint, Transport
from ingest.transports.mqtt5 import Mqtt5Transport
from ingest.transports.paho import PahoTransport

DEPLOY = Path(__file__).parents[2] / "deploy"
DEVICE = "area/site/dev-1"
PATIENCE_S = 30.0

pytestmark = pytest.mark.mosquitto


class Shipped:
    """A running broker with the settings we ship, and what a client needs to reach it."""

    def __init__(self, program: str, folder: Path) -> None:
        self.tls_port = free_port()
        self.broker = Mosquitto(program, folder, free_port())
        self.tls = ssl.create_default_context(cafile=str(folder / "server.crt"))

    def settings(self, folder: Path) -> str:
        """Return the shipped file with its paths and ports turned to `folder` and free ones."""
        text = re.sub(
            r"/etc/mosquitto/(certs/)?|/var/lib/mosquitto", f"{folder}/", (DEPLOY / "mosquitto.conf").read_text()
        )
        text = text.replace("listener 8883", f"listener {self.tls_port} 127.0.0.1")
        return text.replace("listener 1883", f"listener {self.broker.port}") + "user root\nlog_dest stderr\n"

    def client(self, user: str) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1", self.tls_port, username=user, password="secret", tls_context=self.tls, timeout=PATIENCE_S
        )


@pytest.fixture
def shipped(
    mosquitto_program: str, installed: Callable[[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shipped]:
    """Run a Mosquitto on the shipped settings, with a certificate and two users made for the occasion."""
    openssl = installed("openssl", "Debian: apt-get install openssl")
    mosquitto_passwd = installed("mosquitto_passwd", "Debian: apt-get install mosquitto")
    certificate = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [openssl, *certificate.split(), "-keyout", "server.key", "-out", "server.crt"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    (tmp_path / "emberwatch.acl").write_text((DEPLOY / "mosquitto.acl").read_text())
    (tmp_path / "emberwatch.passwd").touch()
    for user in ("emberwatch", DEVICE):
        subprocess.run([mosquitto_passwd, "-b", "emberwatch.passwd", user, "secret"], cwd=tmp_path, check=True)
    running = Shipped(mosquitto_program, tmp_path)
    monkeypatch.setattr("ingest.mosquitto._CONFIGURATION", running.settings(tmp_path))
    running.broker.start()
    yield running
    running.broker.stop()


@pytest.mark.parametrize("kind", [Mqtt5Transport, PahoTransport])
async def test_a_device_reaches_the_collector_over_tls(shipped: Shipped, kind: Callable[[Endpoint], Transport]) -> None:
    """Both transports speak TLS with a password; a device publishes under its own name, small and large, and all arrives."""
    transport = kind(
        Endpoint("127.0.0.1", shipped.tls_port, "collector", username="emberwatch", password="secret", tls=shipped.tls)
    )
    sizes = [1, 300_000, 0, *range(1, 200)]
    batches: asyncio.Queue[Batch] = asyncio.Queue()
    received: list[int] = []
    async with shipped.client(DEVICE) as device:
        await device.publish(f"safety/v1/{DEVICE}/status", b"x" * sizes[0], qos=1, retain=True)
        task = asyncio.create_task(transport.run(batches.put_nowait))
        async with asyncio.timeout(PATIENCE_S):
            while len(received) < len(sizes):
                batch = await batches.get()
                transport.acknowledge([batch])
                if not received:
                    for size in sizes[1:]:
                        await device.publish(f"safety/v1/{DEVICE}/telemetry", b"x" * size, qos=1)
                received += [len(message.payload) for message in batch.messages]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert received == sizes


async def test_a_device_cannot_speak_for_another(shipped: Shipped) -> None:
    """The broker takes no message on a topic that is not the sender's own; its own arrives."""
    async with shipped.client("emberwatch") as service:
        await service.subscribe("safety/v1/#", qos=1)
        for topic in ("safety/v1/area/site/dev-2/event", f"safety/v1/{DEVICE}/command", f"safety/v1/{DEVICE}/event"):
            with suppress(aiomqtt.MqttError):  # a broker may also hang up on who tries
                async with shipped.client(DEVICE) as device:
                    await device.publish(topic, topic.encode(), qos=1)
        async with asyncio.timeout(PATIENCE_S):
            message = await anext(service.messages)
    assert message.payload == f"safety/v1/{DEVICE}/event".encode()


async def test_nobody_comes_in_without_a_password(shipped: Shipped) -> None:
    """Not even from the machine itself."""
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", shipped.broker.port):
            pass
