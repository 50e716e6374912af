"""The rows of a table as numbers, texts of time and marks, and an account of what could not be read."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emberwatch.backtest import columns
from emberwatch.backtest.table import Cells, Table


class Plan(NamedTuple):
    """Which columns of a table are read: time (or date and clock), values, labels, and `whose` row it is (None: the file's).

    `mapping` says what the values are; without one that is guessed. `others` are not read.
    """

    time: tuple[int, ...]
    values: tuple[int, ...]
    labels: tuple[int, ...]
    whose: int | None
    mapping: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(slots=True)
class Taken:
    """What was read of a table so far."""

    plan: Plan
    texts: list[str] = field(default_factory=list)
    numbers: "array[float]" = field(default_factory=lambda: array("d"))
    whose: list[str] = field(default_factory=list)
    marks: bytearray = field(default_factory=bytearray)
    lines: "array[int]" = field(default_factory=lambda: array("q"))
    broken: list[str] = field(default_factory=list)
    cells: Cells = field(default_factory=Cells)

    def take(self, line: int, row: list[str], width: int) -> None:
        """Take in one row, or note why not."""
        plan = self.plan
        if len(row) > width and any(row[width:]):
            self.broken.append(f"line {line}: {len(row)} columns, but the header has {width}")
            return
        if len(row) <= plan.time[-1] or (len(row) < width and len(row) <= min(plan.values)):
            self.broken.append(f"line {line}: only {len(row)} columns")
            return
        number, last = self.cells.number, len(row)
        self.numbers.extend([number(row[place]) if place < last else np.nan for place in plan.values])
        self.texts.append(" ".join(row[place] for place in plan.time))
        self.lines.append(line)
        if plan.whose is not None:
            self.whose.append(row[plan.whose] if plan.whose < last else "")
        if plan.labels:
            self.marks.append(any(columns.is_event(row[place]) for place in plan.labels if place < last))

    def shares(self) -> Iterator[tuple[str | None, NDArray[np.bool_]]]:
        """Yield each device's name with the mask of its rows; None with all of them where no column says whose they are."""
        if self.plan.whose is None:
            yield None, np.ones(len(self.texts), np.bool_)
            return
        names, place = np.unique(np.array(self.whose), return_inverse=True)
        for i, name in enumerate(names.tolist()):
            yield name, place == i

    def left_out(self, timeless: int) -> list[str]:
        """Return what to tell of cells and rows that are not in the recording; `timeless` rows had no time."""
        remarks, cells = [], self.cells
        rows = len(self.broken) - (timeless > 0) + timeless
        if rows:
            remarks.append(f"{rows} rows could not be read and were left out ({self.broken[0]})")
        if cells.sentinels:
            remarks.append(f"{cells.sentinels} cells hold -999 or the like: no reading")
        if cells.words:
            remarks.append(f"{cells.words} cells were neither empty nor a finite number; left out ('{cells.word}')")
        return remarks


def taken_of(table: Table, plan: Plan) -> Taken:
    """Return what the plan takes of a table."""
    taken, width = Taken(plan), len(table.names)
    for line, row in table.rows():
        taken.take(line, row, width)
    return taken
