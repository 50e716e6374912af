"""Many who write at once: everybody's item is written once, in order, and everybody hears what became of theirs."""

import asyncio
import threading

from alerting.together import Together


async def test_what_comes_during_a_write_is_the_next_write() -> None:
    """The first is written alone; all that come meanwhile are written as one, in order."""
    written: list[list[int]] = []
    began, may_end = threading.Event(), threading.Event()

    def write(items: list[int]) -> None:
        began.set()
        may_end.wait(10)
        written.append(items)

    together = Together(write)
    first = asyncio.create_task(together(0))
    await asyncio.to_thread(began.wait, 10)
    others = [asyncio.create_task(together(i)) for i in range(1, 6)]
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(first, *others)
    assert written == [[0], [1, 2, 3, 4, 5]]


async def test_a_failure_reaches_everybody_it_concerns() -> None:
    """What the write raised is raised to each whose item was in it, and the next write is tried as ever."""
    fails = [True]

    def write(_items: list[int]) -> None:
        if fails[0]:
            raise OSError("disk full")

    together = Together(write)
    results = await asyncio.gather(together(1), together(2), return_exceptions=True)
    assert [type(result) for result in results][:1] == [OSError]
    fails[0] = False
    await together(3)


async def test_who_gives_up_leaves_nobody_waiting_and_wrote_nothing_later() -> None:
    """Also then one write at a time, none without items; what was given up before its turn is not written after all."""
    written: list[list[int]] = []
    began, may_end = threading.Event(), threading.Event()

    def write(items: list[int]) -> None:
        written.append(items)
        began.set()
        may_end.wait(10)

    together = Together(write)
    tasks = [asyncio.create_task(together(i)) for i in range(4)]
    await asyncio.to_thread(began.wait, 10)
    for task in tasks[:2]:
        task.cancel()
    await asyncio.wait(tasks[:2])
    assert written == [[0]]
    may_end.set()
    await asyncio.gather(*tasks[2:])
    assert written == [[0], [2, 3]]
    assert all(task.cancelled() for task in tasks[:2])
