"""Many who wait for the same slow write: while one is being made, what others want becomes the next, as one (group commit)."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Together(Generic[_T]):
    """Calls `write` with items of all that wait, in a thread, one call at a time; each waits for its own and gets its error.

    An item whose turn has not come is not written when the one who waits for it gives up.
    """

    def __init__(self, write: Callable[[list[_T]], None]) -> None:
        self._write = write
        self._writing: asyncio.Future[None] | None = None
        self._waiting: list[tuple[_T, asyncio.Future[None]]] = []

    async def __call__(self, item: _T) -> None:
        """Return when the item is written; raise what `write` raised."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, written))
        if self._writing is None:
            self._write_next()
        await written

    def _write_next(self) -> None:
        turn = [(item, written) for item, written in self._waiting if not written.done()]
        self._waiting, self._writing = [], None
        if turn:
            items = [item for item, _ in turn]
            self._writing = asyncio.get_running_loop().run_in_executor(None, self._write, items)
            self._writing.add_done_callback(lambda done: self._settle(done, [written for _, written in turn]))

    def _settle(self, done: "asyncio.Future[None]", waiting: list["asyncio.Future[None]"]) -> None:
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        for written in waiting:
            if written.done():
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)
        self._write_next()
