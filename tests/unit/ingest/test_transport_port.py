"""Claims about what all transports share: waiting between attempts, secrets, and what counts as full."""

import asyncio
import logging
from itertools import islice

import pytest

from domain.errors import EngineError
from ingest.transport import MAX_WAITING_BYTES, Batch, Counters, Endpoint, Message, back_off, keep_connected


def test_waiting_grows_to_a_cap_and_is_never_quite_the_same() -> None:
    """Each wait is between half and the whole of a delay that doubles up to thirty seconds."""
    waits, delays = list(islice(back_off(), 12)), [min(0.1 * 2**i, 30.0) for i in range(12)]
    assert all(delay / 2 <= wait <= delay for wait, delay in zip(waits, delays, strict=True))
    assert waits != list(islice(back_off(), 12))


def test_a_password_is_not_shown() -> None:
    """An endpoint may end up in a log or a traceback."""
    assert "hunter2" not in repr(Endpoint("host", 1883, "me", "me", "hunter2"))


@pytest.mark.parametrize(
    ("messages", "size", "full"), [(10, 0, False), (11, 0, True), (1, MAX_WAITING_BYTES + 1, True)]
)
def test_full_is_a_matter_of_messages_and_of_bytes(messages: int, size: int, *, full: bool) -> None:
    """The window may be used to the last message; acknowledging makes room again."""
    endpoint, counters = Endpoint("host", 1883, "me", receive_max=10), Counters()
    batch = Batch([Message("topic", b"")] * messages, size, None)
    counters.took(batch)
    assert endpoint.is_full(counters) is full
    counters.released(batch)
    assert not endpoint.is_full(counters)
    assert (counters.received, counters.received_bytes) == (messages, size)


async def test_an_outage_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """The first failure is a warning; the attempts after it are for those who look for them."""
    caplog.set_level(logging.DEBUG, "ingest.transport")
    attempts = asyncio.Queue[None]()

    async def refused() -> None:
        attempts.put_nowait(None)
        raise EngineError("refused")

    task = asyncio.create_task(keep_connected(refused, Counters(), "broker"))
    for _ in range(3):
        await attempts.get()
    task.cancel()
    await asyncio.wait((task,))
    assert [record.levelno for record in caplog.records[:2]] == [logging.WARNING, logging.DEBUG]


async def waits(monkeypatch: pytest.MonkeyPatch, serves: str) -> list[float]:
    """Return the waits after sessions that were made and lost at once (`y`) or never made (`n`)."""
    made, counters, done, sleep = list[float](), Counters(), asyncio.Event(), asyncio.sleep
    turns = iter(serves)

    async def session() -> None:
        if next(turns) == "y":
            counters.opened()
        raise EngineError("gone")

    async def waited(seconds: float) -> None:
        made.append(seconds)
        if len(made) == len(serves):
            done.set()
            await asyncio.Event().wait()
        await sleep(0)

    monkeypatch.setattr("ingest.transport.asyncio.sleep", waited)
    task = asyncio.create_task(keep_connected(session, counters, "broker"))
    await done.wait()
    task.cancel()
    await asyncio.wait((task,))
    return made


async def test_a_broker_that_is_not_there_is_soon_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is away: what it holds for us when it is back, it may lose again."""
    assert max(await waits(monkeypatch, "n" * 20)) <= 2.0


async def test_a_session_that_is_taken_away_again_and_again_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two under one name: the waits grow to half a minute."""
    assert (await waits(monkeypatch, "y" * 12))[-1] >= 15.0


async def test_a_broker_that_was_away_is_no_rival(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that dies again and again, but was found missing in between, is met again at once."""
    assert max(await waits(monkeypatch, "yyn" * 10)) <= 0.2
