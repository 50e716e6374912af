"""The embedded broker: Mosquitto as a child where it is installed, else amqtt in this process.

Both listen on the loopback only, for a demonstration or a small site on one machine. amqtt is a stopgap: MQTT 3.1.1 only,
about a thousand messages a second, and it forgets what is not acknowledged within five seconds and all else at its end.
A Mosquitto that dies is started again on its port.
"""

import asyncio
import logging
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from domain.errors import EngineError
from ingest.mosquitto import HOST, Mosquitto, find_mosquitto, free_port
from ingest.transport import CAP, back_off

_LOG = logging.getLogger(__name__)
_PORTS_TRIED = 20


class _Kind(Protocol):
    name: str
    mqtt5: bool
    ended: asyncio.Event
    """Set when the one that was started last is gone."""

    async def start(self, port: int) -> None: ...

    async def stop(self) -> None: ...


class EmbeddedBroker:
    """`async with EmbeddedBroker(folder) as broker`: a broker at `broker.host`, `broker.port`; its state stays in `folder`.

    Port 0 takes any free one; a busy one, the next that is free. `name` says which of the two serves (asked for, or else
    Mosquitto where it is installed), `mqtt5` whether MQTT 5 is spoken, `restarts` how often it died and was started again.
    Raises EngineError when Mosquitto was asked for and is not installed, and on entering when no port will do.
    """

    host = HOST

    def __init__(self, folder: Path, port: int = 0, *, name: Literal["mosquitto", "amqtt"] | None = None) -> None:
        program = None if name == "amqtt" else find_mosquitto()
        if name == "mosquitto" and program is None:
            raise EngineError("mosquitto is not installed (Debian: apt-get install mosquitto)")
        self.port = port
        self.restarts = 0
        self._folder = folder
        self._kind: _Kind = _Amqtt() if program is None else _Mosquitto(program, folder)
        self.name = self._kind.name
        self.mqtt5 = self._kind.mqtt5

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        wanted = self.port
        for i in range(_PORTS_TRIED):
            self.port = wanted + i if wanted else free_port()
            try:
                await self._kind.start(self.port)
            except EngineError as error:
                _LOG.info("%s", error)
                reason = error
            else:
                self._keeper = asyncio.create_task(self._keep(), name="embedded broker")
                return self
        raise reason

    async def _keep(self) -> None:
        """Start it again whenever it is gone, after longer and longer waits while it does not last."""
        loop, delays = asyncio.get_running_loop(), back_off()
        while True:
            started = loop.time()
            await self._kind.ended.wait()
            if loop.time() - started > CAP:
                delays = back_off()
            self.restarts += 1
            _LOG.error("the embedded broker is gone, with what it had not saved; starting it again")
            await asyncio.sleep(next(delays))
            try:
                await self._kind.start(self.port)
            except (EngineError, OSError) as error:
                _LOG.error("%s", error)

    async def __aexit__(self, *_: object) -> None:
        self._keeper.cancel()
        await asyncio.wait((self._keeper,))
        await self._kind.stop()


class _Mosquitto:
    name = "mosquitto"
    mqtt5 = True

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._child: Mosquitto | None = None
        self.ended = asyncio.Event()

    async def start(self, port: int) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            with suppress(RuntimeError):  # the loop has ended, too
                loop.call_soon_threadsafe(ended.set)

        self._child = Mosquitto(self._program, self._folder, port, on_end=end)
        self._child.spawn()  # in this thread, with whose end the child ends
        self.ended = ended
        await asyncio.to_thread(self._child.wait)

    async def stop(self) -> None:
        if self._child is not None:
            await asyncio.to_thread(self._child.stop)


class _Amqtt:
    name = "amqtt"
    mqtt5 = False

    def __init__(self) -> None:
        self._broker: Any = None
        self.ended = asyncio.Event()

    async def start(self, port: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its plugins warn of their own future
            from amqtt.broker import Broker  # noqa: PLC0415 - slow to import, and seldom wanted
            from amqtt.errors import BrokerError  # noqa: PLC0415

            self._broker = Broker(
                {
                    "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
                    "plugins": {
                        "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
                        "amqtt.plugins.sys.broker.BrokerSysPlugin": {"sys_interval": 10},
                    },
                }
            )
        try:
            await self._broker.start()
        except BrokerError as error:
            raise EngineError(f"amqtt did not start on port {port}: {error}") from error

    async def stop(self) -> None:
        await self._broker.shutdown()
