"""Whatever a run of a simulation waits for, it can be stopped."""

import asyncio

from simulators import sending


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    """As a wait with a time limit does before Python 3.12 when what it waits for comes in that very moment."""
    swallowed = 0

    async def deaf() -> None:
        nonlocal swallowed
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    await sending._end([task])
    assert task.cancelled()
    assert swallowed == 1
