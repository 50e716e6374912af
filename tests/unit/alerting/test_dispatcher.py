"""Nothing in the outbox is dropped: other channels, other people, later, until somebody is told or it is counted as failed."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from alerting.dispatcher import Dispatcher, Patience
from alerting.notifier import DeliveryError, Message
from domain.errors import EngineError
from domain.findings import Action, Severity
from ledger.books import Sent
from ledger.hazard import Channel as HazardChannel
from ledger.hazard import Grade, HazardDraft
from ledger.policy import RulePolicy
from registers.inspector import Inspector
from storage.sql.engine import reading
from storage.sql.ledger import SqlLedger
from storage.sql.ledger_tables import NOTICE
from storage.sql.outbox import SqlOutbox
from storage.sql.registers import SqlRegisters


@dataclass
class Channel:
    """A notifier that keeps what it sent, and fails in the way it is told to."""

    fails: Exception | None = None
    sent: list[Message] = field(default_factory=list)
    tried: int = 0

    async def send(self, message: Message) -> None:
        self.tried += 1
        if self.fails is not None:
            raise self.fails
        self.sent.append(message)

    def codes(self) -> list[str]:
        return [message.recipient.code for message in self.sent]


@dataclass
class Post:
    """A dispatcher with two channels and a clock that stands still."""

    outbox: SqlOutbox
    dispatcher: Dispatcher
    file: Channel
    sms: Channel
    now: list[int]

    async def rounds(self, count: int, pause_ms: int = 300_000) -> None:
        for _ in range(count):
            await self.dispatcher.round()
            self.now[0] += pause_ms

    def deliveries(self) -> list[dict[str, Any]]:
        """Return what the notices that still wait have been delivered to."""
        return [made for notice in self.outbox.due_notices(2**62) for made in notice.deliveries]


@pytest.fixture
def post(ledger: SqlLedger, registers: SqlRegisters, policies: Mapping[str, RulePolicy], noon: int) -> Post:
    file, sms, now = Channel(), Channel(), [noon]
    notifiers = {"file": file, "sms": sms}
    dispatcher = Dispatcher(ledger.outbox, registers, notifiers, policies, clock_ms=lambda: now[0])
    return Post(ledger.outbox, dispatcher, file, sms, now)


Found = Callable[..., None]
_XINGAO = "xingao/garage/m1"


async def test_alarm_reaches_the_inspector_who_covers_it(post: Post, found: Found) -> None:
    """The message carries its reason; the notice is done and not sent again."""
    found()
    await post.rounds(2)
    assert [(m.recipient.code, m.reason, m.title) for m in post.file.sent] == [
        ("gas", "area=weidong kind=gas", "【重要】可燃气体低报")
    ]
    assert post.outbox.outbox_counts() == {"waiting": 0, "sent": 1, "failed": 0}
    assert post.dispatcher.counts.delivered == 1


async def test_failed_send_is_tried_again_after_a_growing_pause(post: Post, found: Found) -> None:
    """The first pause is short, each next doubles up to the longest; the clock decides."""
    post.file.fails = post.sms.fails = DeliveryError("busy")
    found()
    pauses = []
    for _ in range(9):
        assert await post.dispatcher.round() == 1
        again = post.outbox.due_notices(2**62)[0].not_before_ms
        pauses.append((again - post.now[0]) // 1000)
        post.now[0] = again - 1
        assert await post.dispatcher.round() == 0
        post.now[0] = again
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


async def test_next_channel_after_some_tries(post: Post, found: Found) -> None:
    """Three tries of the first channel, then the second."""
    post.sms.fails = DeliveryError("busy")
    found(device=_XINGAO)
    await post.rounds(3)
    assert (post.sms.tried, post.file.sent) == (3, [])
    await post.rounds(1)
    assert post.file.codes() == ["all"]


async def test_permanent_failure_moves_on_at_once(post: Post, found: Found) -> None:
    """A channel that can never reach this person costs no waiting."""
    post.sms.fails = DeliveryError("no such number", permanent=True)
    found(device=_XINGAO)
    await post.rounds(1)
    assert post.file.codes() == ["all"]
    assert post.outbox.outbox_counts()["sent"] == 1


async def test_next_inspector_when_own_channels_fail(post: Post, found: Found) -> None:
    """When none of the person's channels work, a colleague stands in, and the record says for whom."""
    post.file.fails = DeliveryError("disk full")
    found()
    await post.rounds(3)
    assert post.sms.sent == []
    await post.rounds(1)
    assert post.sms.codes() == ["all"]
    with reading(post.outbox.engine) as connection:
        (record,) = connection.execute(sa.select(NOTICE.c.deliveries)).scalar_one()
    assert (record["inspector"], record["channel"], record["for"]) == ("all", "sms", "gas")
    assert record["reason"] == "stands in for gas"


async def test_who_was_told_is_not_told_again(post: Post, found: Found) -> None:
    """While one of two waits, the other does not hear the same thing twice."""
    post.sms.fails = DeliveryError("busy")
    found(rule="W101", device="weidong/hotpot/unknown-machine")
    found(rule="G102", device="nowhere/x/y")
    await post.rounds(2)
    told = [(m.subject, m.recipient.code) for m in post.file.sent]
    assert len(told) == len(set(told))
    assert {made["for"] for made in post.deliveries()} == {"gas"}
    post.sms.fails = None
    await post.rounds(1)
    assert post.outbox.outbox_counts()["waiting"] == 0


async def test_stand_in_who_already_knows_is_not_told_twice(post: Post, found: Found, registers: SqlRegisters) -> None:
    """If the colleague next in line has heard it himself, that counts, without a second message."""
    registers.put([Inspector(code="gas2", name="赵某四", areas=("weidong",), channels=("sms",))], "test")
    post.sms.fails = DeliveryError("no such number", permanent=True)
    found()
    await post.rounds(1)
    assert post.file.codes() == ["gas", "all"]
    assert post.outbox.outbox_counts()["sent"] == 1


async def test_too_old_a_notice_is_given_up_and_counted(
    post: Post, found: Found, caplog: pytest.LogCaptureFixture
) -> None:
    """After a day without success the notice is marked failed, logged without personal data, and stays."""
    post.file.fails = post.sms.fails = DeliveryError("down")
    found()
    post.now[0] += 24 * 3_600_000
    with caplog.at_level(logging.ERROR):
        await post.rounds(1)
    assert post.outbox.outbox_counts() == {"waiting": 0, "sent": 0, "failed": 1}
    assert post.dispatcher.counts.given_up == 1
    assert "notice 1 was given up" in caplog.text
    assert "张某一" not in caplog.text


async def test_faulty_notifier_is_a_failure_like_others(
    post: Post, found: Found, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug in one channel neither stops the dispatcher nor spills its text into the log."""
    post.file.fails = ZeroDivisionError("13800000001")
    found()
    await post.rounds(1)
    assert post.dispatcher.counts.failed_tries == 1
    assert "ZeroDivisionError" in caplog.text
    assert "13800000001" not in caplog.text


async def test_hanging_notifier_is_cut_off(
    ledger: SqlLedger, registers: SqlRegisters, policies: Mapping[str, RulePolicy], found: Found, noon: int
) -> None:
    """A channel that never answers counts as failed after its time."""

    class Hanging:
        async def send(self, message: Message) -> None:
            self.asked = message
            await asyncio.Event().wait()

    patience = Patience(send_timeout_s=0)
    dispatcher = Dispatcher(
        ledger.outbox, registers, {"file": Hanging()}, policies, clock_ms=lambda: noon, patience=patience
    )
    found()
    await dispatcher.round()
    assert ledger.outbox.due_notices(2**62)[0].attempts == 1


async def test_without_any_channel_the_notice_waits(
    ledger: SqlLedger, registers: SqlRegisters, policies: Mapping[str, RulePolicy], found: Found, noon: int
) -> None:
    """No channel configured is a failure that is tried again, not a success."""
    dispatcher = Dispatcher(ledger.outbox, registers, {}, policies, clock_ms=lambda: noon)
    found()
    await dispatcher.round()
    assert ledger.outbox.outbox_counts()["waiting"] == 1


async def test_one_subject_is_told_in_order(post: Post, found: Found) -> None:
    """Raise, then clear, of one alarm arrive in that order though subjects go out side by side."""
    for _ in range(3):
        found()
        found(action=Action.CLEAR)
    await post.rounds(6)
    assert [m.kind for m in post.file.sent] == ["alarm.raise", "alarm.clear"] * 3


async def test_end_of_an_alarm_waits_for_its_beginning(post: Post, found: Found) -> None:
    """While the raise pauses after a failure, the clear does not overtake it."""
    post.file.fails = DeliveryError("busy")
    found()
    found(action=Action.CLEAR)
    await post.rounds(1, pause_ms=0)
    post.file.fails = None
    await post.rounds(1)
    assert post.file.sent == []
    await post.rounds(2)
    assert [m.kind for m in post.file.sent] == ["alarm.raise", "alarm.clear"]


async def test_graver_alarm_goes_first(post: Post, found: Found) -> None:
    """Notices are begun by severity, then by age; an alarm that became graver counts as grave."""
    for number, severity in enumerate((3, 2, 1)):
        found(device=f"weidong/hotpot/g{number}", severity=Severity(severity))
    found(device="weidong/hotpot/g0", severity=Severity.CRITICAL)
    due = [notice.subject for notice in post.outbox.due_notices(post.now[0])]
    await post.rounds(1)
    assert due == ["alarm/1", "alarm/3", "alarm/2"]
    assert sorted(m.subject for m in post.file.sent) == sorted(due)


async def test_hanging_channel_holds_up_no_graver_alarm(
    ledger: SqlLedger, registers: SqlRegisters, policies: Mapping[str, RulePolicy], found: Found, noon: int
) -> None:
    """While all room is taken by lesser alarms that hang, a fire goes out; a like one waits."""
    told: asyncio.Queue[str] = asyncio.Queue()

    class Hanging:
        async def send(self, message: Message) -> None:
            told.put_nowait(message.subject)
            await asyncio.Event().wait()

    patience = Patience(at_once=1, poll_s=0.01)
    dispatcher = Dispatcher(
        ledger.outbox, registers, {"file": Hanging()}, policies, clock_ms=lambda: noon, patience=patience
    )
    task = asyncio.create_task(dispatcher.run())
    found(severity=Severity.MEDIUM)
    assert await asyncio.wait_for(told.get(), 10) == "alarm/1"
    found(device="weidong/hotpot/g2", severity=Severity.MEDIUM)
    found(device="weidong/hotpot/g3", severity=Severity.CRITICAL)
    assert await asyncio.wait_for(told.get(), 10) == "alarm/3"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert told.empty()


async def test_store_that_fails_makes_nobody_hear_it_twice(
    ledger: SqlLedger, registers: SqlRegisters, policies: Mapping[str, RulePolicy], found: Found, noon: int
) -> None:
    """What was delivered is marked when the store answers again, not sent again."""

    class Failing(SqlOutbox):
        failures = 2

        def notices_sent(self, sent: Sequence[Sent]) -> None:
            if Failing.failures:
                Failing.failures -= 1
                raise EngineError("database is locked")
            super().notices_sent(sent)

    file, patience = Channel(), Patience(poll_s=0)
    dispatcher = Dispatcher(
        Failing(ledger.outbox.engine), registers, {"file": file}, policies, clock_ms=lambda: noon, patience=patience
    )
    found()
    assert [await dispatcher.round(), await dispatcher.round()] == [1, 0]
    assert file.codes() == ["gas"]
    assert ledger.outbox.outbox_counts()["sent"] == 1


async def test_notice_without_words_says_where_to_look(post: Post, ledger: SqlLedger, found: Found, noon: int) -> None:
    """A deadline no calendar can write leaves the sentence out, not the notice."""
    draft = HazardDraft(
        grade=Grade.GENERAL,
        channel=HazardChannel.INSPECTION,
        title="t",
        description="",
        basis="b",
        area="weidong",
        site="hotpot",
        due_ms=10**16,
    )
    ledger.hazards.open_hazard(draft, by="user:li", at_ms=noon)
    found()
    await post.rounds(1)
    assert sorted(m.subject.partition("/")[0] for m in post.file.sent) == ["alarm", "hazard"]
    hazard = next(m for m in post.file.sent if m.subject.startswith("hazard"))
    assert "请立即在平台查看" in hazard.title
    assert post.outbox.outbox_counts() == {"waiting": 0, "sent": 2, "failed": 0}


async def test_run_waits_for_a_failing_database_and_wakes_for_news(
    post: Post, found: Found, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage is logged and outlived; `wake` makes the dispatcher look at once."""
    outage = asyncio.Event()
    real, loop = SqlOutbox.due_notices, asyncio.get_running_loop()

    def failing(self: SqlOutbox, now_ms: int, limit: int = 100, busy: Collection[str] = ()) -> Any:
        monkeypatch.setattr(SqlOutbox, "due_notices", real)
        loop.call_soon_threadsafe(outage.set)
        raise EngineError("away")

    monkeypatch.setattr(SqlOutbox, "due_notices", failing)
    sent = asyncio.Event()

    async def send(message: Message) -> None:
        sent.set()

    monkeypatch.setattr(post.file, "send", send)
    task = asyncio.create_task(post.dispatcher.run())
    await outage.wait()
    found()
    post.dispatcher.wake()
    await asyncio.wait_for(sent.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "notices wait: away" in caplog.text
