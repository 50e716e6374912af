"""Readings as line protocol: one line a reading, each from a prefix made once for its device and measurand.

`reading,device=area/site/device,measurand=ch4_lel value=3.5 1795447200123004001`: nothing needs escaping, because device paths
and measurand names hold no space, comma or equals sign.
"""

from collections.abc import Sequence

import numpy as np

from domain.measurands import COUNT, MEASURANDS
from domain.readings import Int64, Readings

NS = 1_000_000
"""Nanoseconds in a millisecond."""


class LineWriter:
    """Makes the lines of one measurement (with tags all its lines share, if any)."""

    def __init__(self, measurement: str) -> None:
        self._measurement = measurement
        self._prefixes: dict[tuple[str, int], str] = {}

    def lines(self, readings: Readings, paths: Sequence[str]) -> list[str]:
        """Return one line a reading; `paths[i]` is the device path of slot `i`."""
        codes, rows = np.unique(readings.slot.astype(np.int64) * COUNT + readings.measurand, return_inverse=True)
        prefixes = [self._prefix(paths[code // COUNT], code % COUNT) for code in codes.tolist()]
        columns = zip(rows.tolist(), readings.value.tolist(), stamps(readings).tolist(), strict=True)
        return [f"{prefixes[row]}{value!r} {stamp}" for row, value, stamp in columns]

    def _prefix(self, path: str, measurand: int) -> str:
        prefix = self._prefixes.get((path, measurand))
        if prefix is None:
            tags = f"{self._measurement},device={path},measurand={MEASURANDS[measurand].name}"
            prefix = self._prefixes[path, measurand] = f"{tags} value="
        return prefix


def stamps(readings: Readings) -> Int64:
    """Return the event times in ns; below the millisecond stands the place in the journal.

    So a replay writes the very same points again, and two readings of one millisecond stay two (where the server keeps ns).
    """
    rows = np.arange(len(readings))
    record_starts = np.flatnonzero(np.diff(readings.offset, prepend=-1))
    record = np.repeat(record_starts, np.diff(record_starts, append=len(readings)))
    return readings.event_ms * NS + readings.offset % 1000 * 1000 + (rows - record) % 1000
