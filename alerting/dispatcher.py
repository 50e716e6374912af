"""Empties the outbox: routes each notice, sends it, and keeps trying by other ways and other people until somebody is told.

A notice is marked only after its deliveries, so a crash in between repeats a message rather than losing it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from alerting.directory import Directory, Place
from alerting.messages import Text, bare, compose
from alerting.notifier import DeliveryError, Message, Notifier
from alerting.routing import Step, Told, ladder, route
from alerting.together import Together
from domain.errors import EngineError
from domain.findings import Severity
from ledger.books import Notice, Outbox, Sent
from ledger.policy import RulePolicy
from registers.inspector import Inspector
from registers.store import Registers

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How failures are met: tries of one way before the next, growing pauses up to the longest, and when to give up.

    A notice does not start while `at_once` others, as grave or graver, are on their way; less grave ones never hold it up.
    Between two looks at the outbox there are `rest_s` at least: what comes meanwhile is looked up together. What the registers
    say is trusted for `trust_s`.
    """

    tries: int = 3
    first_pause_ms: int = 5_000
    longest_pause_ms: int = 300_000
    give_up_ms: int = 24 * 3_600_000
    send_timeout_s: float = 30.0
    poll_s: float = 1.0
    rest_s: float = 0.1
    trust_s: float = 1.0
    at_once: int = 100

    def retry_at(self, notice: Notice, now_ms: int) -> int | None:
        """Return when to try the notice again; None when it has grown too old."""
        pause = min(self.first_pause_ms << min(notice.attempts, 30), self.longest_pause_ms)
        retry_ms = now_ms + pause
        return retry_ms if retry_ms < notice.created_at_ms + self.give_up_ms else None


@dataclass(slots=True)
class DispatchCounts:
    """What was done since the start: messages delivered, tries that failed, notices given up."""

    delivered: int = 0
    failed_tries: int = 0
    given_up: int = 0


class Job(NamedTuple):
    """A notice with its message but for the recipient, who is to be told, and everybody who might stand in.

    `problem`: why nobody can be found for it, else empty.
    """

    notice: Notice
    title: str = ""
    text: str = ""
    told: Sequence[Told] = ()
    inspectors: list[Inspector] = []  # noqa: RUF012  never changed
    problem: str = ""


class Dispatcher:
    """Sends due notices by the `notifiers` (channel → notifier); `clock_ms` gives epoch milliseconds.

    Notices about one subject go out in order, one after another; different subjects do not wait for each other,
    and the graver goes first.
    """

    def __init__(
        self,
        outbox: Outbox,
        registers: Registers,
        notifiers: Mapping[str, Notifier],
        policies: Mapping[str, RulePolicy],
        *,
        clock_ms: Callable[[], int],
        patience: Patience | None = None,
    ) -> None:
        self.counts = DispatchCounts()
        self._outbox = outbox
        self._mark_sent = Together(outbox.notices_sent)
        self._registers = registers
        self._directory = Directory(registers)
        self._read_at = time.monotonic()
        self._notifiers = notifiers
        self._policies = policies
        self._clock_ms = clock_ms
        self._patience = patience or Patience()
        self._woken = asyncio.Event()
        self._busy: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look at the outbox now rather than at the next poll; call it from the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; a failing database is waited for."""
        try:
            while True:
                self._woken.clear()
                try:
                    await self._begin()
                except EngineError as error:
                    _LOG.warning("notices wait: %s", error)
                await asyncio.sleep(self._patience.rest_s)
                await self._pause()
        finally:
            await self._end()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), self._patience.poll_s)

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def round(self) -> int:
        """Try every due notice once, the oldest of each subject; return how many there were."""
        tasks = await self._begin()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(tasks)

    async def _begin(self) -> list[asyncio.Task[None]]:
        """Begin to deliver what is due and not held back by as many others, as grave or graver, still on their way."""
        jobs = await asyncio.to_thread(self._look, list(self._busy))
        return [self._start(job) for job in jobs if self._has_room(_gravity(job.notice))]

    def _look(self, busy: Collection[str]) -> list[Job]:
        due = self._outbox.due_notices(self._clock_ms(), busy=busy)
        if not due:
            return []
        directory = self._up_to_date()
        inspectors = directory.inspectors()
        return [self._job(notice, directory, inspectors) for notice in due]

    def _up_to_date(self) -> Directory:
        """Return what the registers said at most `trust_s` ago."""
        now = time.monotonic()
        if now - self._read_at > self._patience.trust_s:
            self._directory, self._read_at = Directory(self._registers), now
        return self._directory

    def _job(self, notice: Notice, directory: Directory, inspectors: list[Inspector]) -> Job:
        try:
            place = directory.place(notice.body)
            told = route(inspectors, place, notice.body.get("assignee"))
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001  one notice that concerns nobody must not hold up all others
            return Job(notice, problem=f"nobody for it: {type(error).__name__}")
        title, text = self._words(notice, place)
        return Job(notice, title, text, told, inspectors)

    def _words(self, notice: Notice, place: Place) -> Text:
        try:
            return compose(notice, place, self._policies)
        except Exception as error:  # noqa: BLE001  a bug of ours in wording: bare words are better than silence
            _LOG.error("notice %d has bare words only: %s", notice.id, type(error).__name__)
            return bare(notice, place)

    def _has_room(self, gravity: int) -> bool:
        return sum(other <= gravity for other in self._busy.values()) < self._patience.at_once

    def _start(self, job: Job) -> asyncio.Task[None]:
        notice = job.notice
        self._busy[notice.subject] = _gravity(notice)
        task = asyncio.create_task(self._deliver(job), name=f"notice {notice.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._finished(notice.subject, done))
        return task

    def _finished(self, subject: str, task: asyncio.Task[None]) -> None:
        """Make room for the next; what failed is said, and tried again at the next poll."""
        del self._busy[subject]
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            self._woken.set()
        else:
            _LOG.error("%s waits: %s", task.get_name(), type(error).__name__)

    async def _deliver(self, job: Job) -> None:
        made = list(job.notice.deliveries)
        if job.problem:
            await self._failed(job.notice, job.problem, None, made)
            return
        errors = [error for told in job.told if (error := await self._tell(job, told, made))]
        now_ms, notice = self._clock_ms(), job.notice
        if not errors:
            await self._record(partial(self._mark_sent, Sent(notice.id, now_ms, made)))
        else:
            await self._failed(notice, errors[0], self._patience.retry_at(notice, now_ms), made)

    async def _failed(
        self, notice: Notice, error: str, retry_at_ms: int | None, made: Sequence[dict[str, Any]]
    ) -> None:
        if retry_at_ms is None:
            self.counts.given_up += 1
            _LOG.error("notice %d was given up: %s", notice.id, error)
        failed = partial(self._outbox.notice_failed, notice.id, self._clock_ms(), error=error)
        await self._record(partial(asyncio.to_thread, partial(failed, retry_at_ms=retry_at_ms, deliveries=made)))

    async def _record(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write down what was done until it is written: a store that fails must not make anybody hear it twice."""
        while True:
            try:
                return await write()
            except EngineError as error:
                _LOG.warning("a notice that was dealt with cannot be marked yet: %s", error)
            await asyncio.sleep(self._patience.poll_s)

    async def _tell(self, job: Job, told: Told, made: list[dict[str, Any]]) -> str:
        """Reach one inspector or a stand-in, adding the delivery to `made`; return why not, or nothing.

        Each round takes the way its number asks for; ways that can never work are passed over at once.
        """
        if any(delivery["for"] == told.inspector.code for delivery in made):
            return ""
        steps = ladder(told, job.inspectors, list(self._notifiers))
        error = "no channel is configured"
        turn = job.notice.attempts // self._patience.tries
        for number in range(len(steps)):
            step = steps[(turn + number) % len(steps)]
            failure = await self._try(job, told, step, made)
            if failure is None:
                return ""
            error = f"{step.channel}: {failure}"
            if not failure.permanent:
                break
        return error

    async def _try(self, job: Job, told: Told, step: Step, made: list[dict[str, Any]]) -> DeliveryError | None:
        """Send by one way unless that person already heard it; return the failure, if any."""
        who = step.inspector.code
        if not any(delivery["inspector"] == who for delivery in made):
            failure = await self._send(self._notifiers[step.channel], _message(job, told, step))
            if failure is not None:
                self.counts.failed_tries += 1
                return failure
            self.counts.delivered += 1
        reason = told.reason if who == told.inspector.code else f"stands in for {told.inspector.code}"
        code, at_ms = told.inspector.code, self._clock_ms()
        made.append({"inspector": who, "channel": step.channel, "for": code, "reason": reason, "at_ms": at_ms})
        return None

    async def _send(self, notifier: Notifier, message: Message) -> DeliveryError | None:
        try:
            async with asyncio.timeout(self._patience.send_timeout_s):
                await notifier.send(message)
        except DeliveryError as error:
            return error
        except TimeoutError:
            return DeliveryError("no answer in time")
        except Exception as error:  # noqa: BLE001  a faulty notifier must not stop the others
            # Only the type: the text of a foreign error may hold an address.
            _LOG.error("a notifier failed in an unforeseen way: %s", type(error).__name__)
            return DeliveryError(type(error).__name__)
        return None


def _gravity(notice: Notice) -> int:
    return notice.body.get("severity") or Severity.NOTICE


def _message(job: Job, told: Told, step: Step) -> Message:
    return Message(
        notice=job.notice.id,
        kind=job.notice.kind,
        subject=job.notice.subject,
        at_ms=job.notice.created_at_ms,
        severity=job.notice.body.get("severity"),
        title=job.title,
        text=job.text,
        reason=told.reason,
        recipient=step.inspector,
    )
