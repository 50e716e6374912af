"""Register changes on their way into the journal, so that detectors learn of them in order with what devices say.

The store's stream of changes is polled, so it does not matter who made a change: the API, the command line, a migration.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from domain.errors import EngineError
from domain.records import REGISTER
from ingest.transport import Message
from registers.store import Registers

_LOG = logging.getLogger(__name__)
_PERIOD_S = 0.5
_PER_RECORD = 500


async def feed_registers(
    registers: Registers,
    submit: Callable[[list[Message]], None],
    after: int,
) -> None:
    """Submit every change with id > `after` as a journal record, for ever; a change submitted twice is ignored downstream."""
    while True:
        try:
            changes = await asyncio.to_thread(registers.changes, after, _PER_RECORD)
        except EngineError as error:
            _LOG.warning("register changes wait: %s", error)
            changes = []
        if changes:
            submit([Message(REGISTER, msgspec.json.encode(changes))])
            after = changes[-1].id
        else:
            await asyncio.sleep(_PERIOD_S)
