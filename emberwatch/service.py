"""The running service: every part started in order, watched, and stopped in the reverse order."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass

import uvicorn

from alerting.dispatcher import Dispatcher
from alerting.notifiers.file import FileNotifier
from api.app import create_app
from api.services import Services
from detectors.base import World
from detectors.build import build_engine
from detectors.engine import Engine
from domain.errors import ConfigurationError
from emberwatch.connection import BrokerAddress, broker, build_transport
from emberwatch.history_feed import HistoryFeed
from emberwatch.housekeeping import keep_house
from emberwatch.metrics import build_registry
from emberwatch.outlet import AlarmPublisher, ServiceOutlet
from emberwatch.overview import Overview
from emberwatch.parts import Parts, clock_ms
from emberwatch.pipeline import Machine, Pipeline
from emberwatch.presence import Presence
from emberwatch.register_feed import feed_registers
from emberwatch.settings import Settings
from emberwatch.stores import POLICIES, Books, Streams, locked, open_books, open_streams
from emberwatch.worker import Worker
from ingest.collector import Collector

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """A service that is up: where its screen and its broker are."""

    url: str
    address: BrokerAddress
    parts: Parts


def new_machine(settings: Settings) -> Callable[[], Machine]:
    """Return a maker of machines with the settings' rule parameters; raise ConfigurationError when one is not legal."""

    def build(world: World) -> Engine:
        return build_engine(world, settings.rules)

    build(World())
    return lambda: Machine(build)


@asynccontextmanager
async def running(settings: Settings, say: Callable[[str], None], port: int | None = None) -> AsyncIterator[Running]:
    """Run the service for the length of the block; `say` is told of each step. Raises ConfigurationError, EngineError."""
    make_machine = new_machine(settings)
    listener = listen(settings.api.host, settings.api.port if port is None else port)
    with ExitStack() as stores, contextlib.closing(listener):
        stores.enter_context(locked(settings.folder))
        say("opening the stores")
        books = stores.enter_context(open_books(settings))
        streams = stores.enter_context(open_streams(settings))
        async with AsyncExitStack() as stack:
            say("connecting the broker")
            address = await stack.enter_async_context(broker(settings))
            parts = _assemble(settings, books, streams, address, make_machine, say)
            await stack.enter_async_context(_tasks(parts, listener))
            host, number = listener.getsockname()[:2]
            yield Running(f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{number}", address, parts)  # noqa: S104  a comparison
            say("stopping: deciding what is left, saving state")


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise ConfigurationError when the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port"
        ) from error
    return listener


def _assemble(
    settings: Settings,
    books: Books,
    streams: Streams,
    address: BrokerAddress,
    make_machine: Callable[[], Machine],
    say: Callable[[str], None],
) -> Parts:
    presence = Presence()
    outlet = ServiceOutlet(presence)
    pipeline = Pipeline(streams.journal, make_machine(), books.ledger.books, streams.snapshots, outlet)
    say("replaying what was decided before")
    replayed = pipeline.recover()
    say(f"replayed {replayed:,} records")
    feed = HistoryFeed(streams.history, streams.journal, streams.snapshots, make_machine, pipeline.world.slots.paths)
    outlet.connect(feed, asyncio.get_running_loop())
    feed.start(pipeline.offset)
    worker = Worker(pipeline, _stop_on_failure(asyncio.get_running_loop()))
    transport = build_transport(settings, address)
    collector = Collector(transport, streams.journal, clock=clock_ms, on_append=lambda _end: worker.wake())
    worker.start()
    return Parts(settings, books, streams, address, transport, collector, worker, feed, presence, outlet, clock_ms())


def _stop_on_failure(loop: asyncio.AbstractEventLoop) -> Callable[[BaseException], None]:
    def stop(_error: BaseException) -> None:
        loop.call_soon_threadsafe(signal.raise_signal, signal.SIGTERM)

    return stop


@asynccontextmanager
async def _tasks(parts: Parts, listener: socket.socket) -> AsyncIterator[None]:
    """Run every task; at the end stop them in the order in which data flows, so that nothing taken in is left undecided."""
    server = _server(parts)
    background = [asyncio.create_task(work, name=name) for name, work in _background(parts).items()]
    collecting = asyncio.create_task(parts.collector.run(), name="collector")
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="api")
    for task in (*background, collecting, serving):
        task.add_done_callback(_report)
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        for task in (*background, collecting):
            task.cancel()
        await asyncio.gather(*background, collecting, return_exceptions=True)
        await asyncio.to_thread(parts.worker.stop)
        await asyncio.to_thread(parts.history_feed.stop)


def _background(parts: Parts) -> dict[str, Coroutine[None, None, None]]:
    ledger, folder = parts.books.ledger, parts.settings.folder
    notifier = FileNotifier(folder / parts.settings.notices.file)
    dispatcher = Dispatcher(ledger.outbox, parts.books.registers, {"file": notifier}, POLICIES, clock_ms=clock_ms)
    tasks = {
        "receipts": parts.outlet.send_receipts(parts.transport),
        "registers": feed_registers(
            parts.books.registers, parts.collector.submit, parts.worker.pipeline.world.view.last_id
        ),
        "dispatcher": dispatcher.run(),
        "housekeeping": keep_house(parts),
    }
    if parts.settings.mqtt.publish_alarms:
        tasks["alarm messages"] = AlarmPublisher(ledger.feed, parts.transport, folder / "alarm-messages.cursor").run()
    return tasks


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the front door decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(parts: Parts) -> uvicorn.Server:
    ledger, overview, api = parts.books.ledger, Overview(parts), parts.settings.api
    services = Services(
        registers=parts.books.registers,
        alarms=ledger.alarms,
        hazards=ledger.hazards,
        feed=ledger.feed,
        outbox=ledger.outbox,
        dead_letters=ledger.dead_letters,
        history=parts.streams.history,
        accounts=parts.books.accounts,
        status=overview.status,
        ready=overview.ready,
        online=overview.online,
        registry=build_registry(overview.look),
        clock_ms=clock_ms,
        metrics_open=api.metrics_open,
    )
    config = uvicorn.Config(
        create_app(services),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        lifespan="on",
    )
    return _Server(config)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _LOG.critical("%s stopped", task.get_name(), exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)
