"""Many who wait for the same slow write: while one is being made, what others want becomes the next, as one (group commit)."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Together(Generic[_T]):
    """Calls `write` with items of all that wait, in a thread, one call at a time; each waits for its own and gets its error."""

    def __init__(self, write: Callable[[list[_T]], None]) -> None:
        self._write = write
        self._one_at_a_time = asyncio.Lock()
        self._waiting: list[tuple[_T, asyncio.Future[None]]] = []

    async def __call__(self, item: _T) -> None:
        """Return when the item is written; raise what `write` raised."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, written))
        async with self._one_at_a_time:
            if not written.done():
                await self._write_all()
        await written

    async def _write_all(self) -> None:
        """Write what waits, to the end: who cancels one of them must not leave the others waiting."""
        items, self._waiting = self._waiting, []
        writing = asyncio.get_running_loop().run_in_executor(None, self._write, [item for item, _ in items])
        writing.add_done_callback(lambda done: _settle(done, [written for _, written in items]))
        await asyncio.wait((writing,))


def _settle(done: "asyncio.Future[None]", waiting: list["asyncio.Future[None]"]) -> None:
    for written in waiting:
        if written.done():
            continue
        if done.cancelled():
            written.cancel()
        elif (error := done.exception()) is not None:
            written.set_exception(error)
        else:
            written.set_result(None)
