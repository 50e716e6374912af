"""The running service: every part started in order, watched, and stopped in the reverse order."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from alerting.dispatcher import Dispatcher
from alerting.notifiers.file import FileNotifier
from api.app import create_app
from api.services import Services
from detectors.base import World
from detectors.build import build_engine
from detectors.engine import Engine
from domain.errors import ConfigurationError, EngineError
from emberwatch.broker_watch import BrokerWatch
from emberwatch.connection import BrokerAddress, broker, build_transport
from emberwatch.disk import Disk, GuardedJournal
from emberwatch.history_feed import HistoryFeed
from emberwatch.housekeeping import keep_house
from emberwatch.metrics import build_registry
from emberwatch.outlet import AlarmPublisher, ServiceOutlet
from emberwatch.overload import Overload
from emberwatch.overview import Overview
from emberwatch.parts import Parts, clock_ms
from emberwatch.pipeline import Machine, Pipeline
from emberwatch.presence import Presence
from emberwatch.register_feed import feed_registers
from emberwatch.replay import write_address
from emberwatch.selfwatch import SelfWatch, troubles_of
from emberwatch.settings import Settings
from emberwatch.stores import POLICIES, Books, Streams, locked, open_books, open_streams
from emberwatch.worker import Worker
from ingest.collector import Collector
from ingest.thinning import Thinner

_LOG = logging.getLogger(__name__)
_COLLECT_AFTER = (50_000, 50, 50)
"""New containers before a look at the youngest, and how many looks at one age come before one at the next."""
_TELL_EVERY_S = 2.0


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
        _disk(settings).use_reserve()  # on a full disk the stores cannot even be opened
        say("opening the stores")
        books = stores.enter_context(open_books(settings))
        streams = stores.enter_context(open_streams(settings))
        async with AsyncExitStack() as stack:
            say("connecting the broker")
            address = await stack.enter_async_context(broker(settings))
            if settings.broker == "embedded":
                write_address(settings, address)
            parts = await _assemble(settings, books, streams, address, make_machine, say)
            stack.enter_context(_rare_collections())
            await stack.enter_async_context(_tasks(parts, listener))
            host, number = listener.getsockname()[:2]
            yield Running(f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{number}", address, parts)  # noqa: S104  a comparison
            say("stopping: deciding what is left, saving state")
        if parts.failures:
            raise EngineError(f"the service had to stop: {parts.failures[0]}") from parts.failures[0]


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for cycles of garbage seldom, and never among what was there at the start.

    Our own data make no cycles; looking through the registers of 10,000 devices stops every thread for a third of a second.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


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


async def _assemble(
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
    await asyncio.to_thread(pipeline.recover, _progress(say))
    failures: list[BaseException] = []
    stop = _stop_on_failure(asyncio.get_running_loop(), failures)
    feed = HistoryFeed(
        streams.history, streams.journal, streams.snapshots, make_machine, pipeline.world.slots.paths, stop
    )
    outlet.connect(feed, asyncio.get_running_loop())
    feed.start(pipeline.offset)
    worker = Worker(pipeline, stop)
    transport = build_transport(settings, address)
    disk = _disk(settings)
    thinner = Thinner(settings.overload.interval_s * 1000, clock_ms)
    collector = Collector(
        transport,
        GuardedJournal(streams.journal, disk),
        clock=clock_ms,
        on_append=lambda _end: worker.wake(),
        door=thinner,
    )
    worker.start()
    return Parts(
        settings=settings,
        books=books,
        streams=streams,
        address=address,
        transport=transport,
        collector=collector,
        worker=worker,
        history_feed=feed,
        presence=presence,
        outlet=outlet,
        thinner=thinner,
        broker_watch=BrokerWatch(address, settings.mqtt),
        disk=disk,
        started_ms=clock_ms(),
        failures=failures,
    )


def _disk(settings: Settings) -> Disk:
    return Disk.under(settings.folder, settings.retention.disk_free_mib << 20)


def _progress(say: Callable[[str], None]) -> Callable[[int, int], None]:
    """Return a teller of how far the replay is, once in two seconds."""
    told = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_EVERY_S or done == total:
            told = time.monotonic()
            say(f"replaying what was decided before: {done:,} of {total:,} records")

    return tell


def _stop_on_failure(loop: asyncio.AbstractEventLoop, failures: list[BaseException]) -> Callable[[BaseException], None]:
    def stop(error: BaseException) -> None:
        failures.append(error)
        loop.call_soon_threadsafe(signal.raise_signal, signal.SIGTERM)

    return stop


@asynccontextmanager
async def _tasks(parts: Parts, listener: socket.socket) -> AsyncIterator[None]:
    """Run every task; at the end stop them in the order in which data flows, so that nothing taken in is left undecided."""
    application = _application(parts)
    server = _server(application)
    background = [asyncio.create_task(work, name=name) for name, work in _background(parts).items()]
    collecting = asyncio.create_task(parts.collector.run(), name="collector")
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="api")
    for task in (*background, collecting, serving):
        task.add_done_callback(lambda done: _report(done, parts.failures))
    try:
        yield
    finally:
        application.state.context.live.close()  # open screens would hold up the end
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
    parts.outlet.on_feed.append(dispatcher.wake)
    tasks = {
        "receipts": parts.outlet.send_receipts(parts.transport),
        "registers": feed_registers(
            parts.books.registers, parts.collector.submit, parts.worker.pipeline.world.view.last_id
        ),
        "dispatcher": dispatcher.run(),
        "housekeeping": keep_house(parts),
        "overload": Overload(
            parts.thinner, parts.settings, parts.lag_ms, lambda: parts.worker.pipeline.world.view, ledger.alarms
        ).run(),
        "broker watch": parts.broker_watch.run(),
        "self watch": SelfWatch(troubles_of(parts), parts.collector.submit).run(),
    }
    if parts.settings.mqtt.publish_alarms:
        tasks["alarm messages"] = AlarmPublisher(ledger.feed, parts.transport, folder / "alarm-messages.cursor").run()
    return tasks


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the front door decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _application(parts: Parts) -> FastAPI:
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
        failed=_stop_on_failure(asyncio.get_running_loop(), parts.failures),
        on_feed=parts.outlet.on_feed,
        metrics_open=api.metrics_open,
        secure_cookies=api.secure_cookies,
    )
    return create_app(services)


def _server(application: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        lifespan="on",
    )
    return _Server(config)


def _report(task: asyncio.Task[None], failures: list[BaseException]) -> None:
    """Stop the service when a task of it has died: half a service looks alive and is not."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        failures.append(error)
        _LOG.critical("%s stopped", task.get_name(), exc_info=error)
        signal.raise_signal(signal.SIGTERM)
