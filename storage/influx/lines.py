"""Readings as line protocol: one line a reading, from a head made once for its device and a tail for its measurand.

`reading,device=area/site/device,measurand=ch4_lel value=3.5 1795447200123004001`: nothing needs escaping, because device paths
and measurand names hold no space, comma or equals sign.
"""

from collections.abc import Sequence

import numpy as np

from domain.measurands import MEASURANDS
from domain.readings import Int64, Readings

NS = 1_000_000
"""Nanoseconds in a millisecond."""


class LineWriter:
    """Makes the lines of one measurement (with tags all its lines share, if any)."""

    def __init__(self, measurement: str) -> None:
        self._measurement = measurement
        self._paths: tuple[str, ...] = ()
        self._heads: list[str] = []
        self._tails = [f",measurand={measurand.name} value=" for measurand in MEASURANDS]

    def lines(self, readings: Readings, paths: Sequence[str]) -> list[str]:
        """Return one line a reading; `paths[i]` is the device path of slot `i`."""
        self._know(tuple(paths))
        heads, tails = self._heads, self._tails
        columns = (readings.slot, readings.measurand, readings.value, stamps(readings))
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [f"{heads[slot]}{tails[measurand]}{value!r} {stamp}" for slot, measurand, value, stamp in rows]

    def _know(self, paths: tuple[str, ...]) -> None:
        """Make the heads of devices that are new; all of them when the slots have changed hands."""
        if paths[: len(self._paths)] != self._paths:
            self._heads.clear()
        self._heads += [f"{self._measurement},device={path}" for path in paths[len(self._heads) :]]
        self._paths = paths


def stamps(readings: Readings) -> Int64:
    """Return the event times in ns; below the millisecond stands the place in the journal.

    So a replay writes the very same points again, and two readings of one millisecond stay two (where the server keeps ns).
    """
    rows = np.arange(len(readings))
    record_starts = np.flatnonzero(np.diff(readings.offset, prepend=-1))
    record = np.repeat(record_starts, np.diff(record_starts, append=len(readings)))
    return readings.event_ms * NS + readings.offset % 1000 * 1000 + (rows - record) % 1000
