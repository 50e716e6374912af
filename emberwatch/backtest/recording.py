"""Recorded readings of one or several files as arrays in order of time, with what was left out of them and why.

What a column is, is said by the user or guessed from its header (`columns.py`). Nothing is left out in silence.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from domain.errors import InputError
from domain.readings import Float64, Int64
from emberwatch.backtest import columns
from emberwatch.backtest.channels import Channel, given_name, in_recording, parse_mapping
from emberwatch.backtest.known import marked
from emberwatch.backtest.moments import NEVER, read_times
from emberwatch.backtest.rows import Plan, Taken, taken_of
from emberwatch.backtest.series import Series, settled
from emberwatch.backtest.table import Table, open_table
from emberwatch.backtest.truth import Interval

_ALTERNATING = ("current_a", "voltage_v")
_TOLERATED = 0.05
"""More unreadable rows than this share mean that the file is not what we take it for."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Readings of c channels at n moments, ascending: `times` (n,) epoch ms, `values` (n, c), NaN where there is none.

    `rows` that the files held; `remarks`: what was assumed or left out; `labelled`: the events a label column marks, or
    None without one.
    """

    channels: tuple[Channel, ...]
    times: Int64
    values: Float64
    rows: int
    remarks: tuple[str, ...] = ()
    labelled: tuple[Interval, ...] | None = None

    @property
    def readings(self) -> int:
        """How many values there are."""
        return int(np.isfinite(self.values).sum())

    @property
    def span(self) -> Interval:
        """From the first moment to the last."""
        return Interval(int(self.times[0]), int(self.times[-1]))

    @property
    def step_ms(self) -> int:
        """The usual distance of two moments."""
        steps = np.diff(self.times)
        return int(np.median(steps[steps > 0])) if (steps > 0).any() else 60_000

    def series(self, channel: int) -> tuple[Int64, Float64]:
        """Return the times and values of one channel's readings."""
        values = self.values[:, channel]
        there = np.isfinite(values)
        return self.times[there], values[there]


def read_recordings(files: Sequence[Path], time_column: str | None = None, mapping: Sequence[str] = ()) -> Recording:
    """Return the files as one recording, in order of time; what is not said is guessed.

    `{file}` in a mapping stands for each file's name without ending. Files without a mapping whose times overlap are of
    different devices, others go on where the one before ended. Raises InputError naming the missing column, the line with
    an unreadable time, or the channel that is mapped twice.
    """
    parts = [_read(file, time_column, mapping) for file in files]
    if not mapping and len(parts) > 1:
        parts = _told_apart(files, parts)
    channels = tuple(dict.fromkeys(channel for part in parts for channel in part.channels))
    _refuse_doubles(channels)
    return _joined(parts, channels)


def read_recording(file: Path, time_column: str, channels: Sequence[Channel]) -> Recording:
    """Return one file's recording of these channels; raises InputError as `read_recordings` does."""
    table = open_table(file)
    plan = Plan((table.place(time_column),), tuple(table.place(c.column) for c in channels), (), tuple(channels))
    return _recorded(table, taken_of(table, plan))


def _read(file: Path, time_column: str | None, mapping: Sequence[str]) -> Recording:
    channels = tuple(parse_mapping(text.replace("{file}", _stem(file))) for text in mapping)
    table = open_table(file)
    time = columns.time_columns(table) if time_column is None else (table.place(time_column),)
    values, labels, others = columns.value_columns(table, time)
    if mapping:
        plan = Plan(time, tuple(table.place(c.column) for c in channels), _unmapped(labels, channels, table), channels)
    else:
        plan = Plan(time, tuple(values), tuple(labels), None, tuple(others))
        if not values:
            raise InputError(f"{file} has no column of numbers beside its time (columns: {', '.join(table.names)})")
    return _recorded(table, taken_of(table, plan))


def _unmapped(labels: Sequence[int], channels: Sequence[Channel], table: Table) -> tuple[int, ...]:
    mapped = {channel.column for channel in channels}
    return tuple(place for place in labels if table.names[place] not in mapped)


def _stem(file: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", file.stem)[:64]


def _recorded(table: Table, taken: Taken) -> Recording:
    """Return what was read, in order of time, each row once."""
    file, plan = table.file, taken.plan
    rows = len(taken.texts) + len(taken.broken)
    if not rows:
        raise InputError(f"{file} has no rows")
    if not taken.texts:
        raise InputError(f"{file}, {taken.broken[0]}")
    unit = columns.time_unit(table, plan.time[0]) if len(plan.time) == 1 else ""
    times, assumed = read_times(taken.texts, unit)
    values = np.frombuffer(taken.numbers, np.float64).reshape(len(times), len(plan.values))
    good = times != NEVER
    for i in np.flatnonzero(~good)[:1].tolist():
        taken.broken.append(f"line {taken.lines[i]}: {taken.texts[i][:40]!r} is no time between 1970 and 2200")
    _refuse_strange(file, taken, int((~good).sum()), rows)
    channels, values, named = _channels(table, plan, values)
    remarks = [*named, *([assumed] if assumed else []), *taken.left_out(int((~good).sum()))]
    marks = np.frombuffer(taken.marks, np.uint8).astype(np.bool_) if plan.labels else np.zeros(len(times), np.bool_)
    alternating = np.array([channel.measurand in _ALTERNATING for channel in channels])
    series, changed = settled(Series(times[good], values[good], marks[good]), alternating)
    labelled = tuple(marked(series.times, series.marks)) if plan.labels else None
    if plan.labels:
        remarks.append(f"column '{table.names[plan.labels[0]]}' says when something was the matter")
    return Recording(channels, series.times, series.values, rows, (*remarks, *changed), labelled)


def _refuse_strange(file: Path, taken: Taken, timeless: int, rows: int) -> None:
    unread = len(taken.broken) - (timeless > 0) + timeless
    if unread > _TOLERATED * rows:
        raise InputError(f"{file}, {taken.broken[-1] if timeless else taken.broken[0]}")


def _channels(table: Table, plan: Plan, values: Float64) -> tuple[tuple[Channel, ...], Float64, list[str]]:
    """Return the channels with readings, those readings in the measurands' units, and how columns were understood."""
    there = np.array([bool(np.isfinite(column).any()) for column in values.T])
    known = there.tolist()
    if plan.channels is not None:
        if not there.all():
            column = plan.channels[int(np.argmin(there))].column
            raise InputError(f"{table.file}: column '{column}' holds no number")
        return plan.channels, values, []
    places = [place for place, some in zip(plan.values, known, strict=True) if some]
    if not places:
        raise InputError(f"{table.file} holds no number (columns: {', '.join(table.names)})")
    channels, converted, remarks = columns.channels_of(table, places, list(values[:, there].T))
    silent = [table.names[p] for p, some in zip(plan.values, known, strict=True) if not some]
    left = [*plan.others, *silent]
    remarks += [f"columns left out: {', '.join(left)}"] if left else []
    return tuple(channels), np.column_stack(converted), remarks


def _told_apart(files: Sequence[Path], parts: Sequence[Recording]) -> list[Recording]:
    """Return the parts with the file's name in each device where files overlap in time, which one device cannot."""
    spans = sorted(part.span for part in parts)
    overlap = any(a.end_ms >= b.start_ms for a, b in pairwise(spans))
    alone = all(len(part.channels) == 1 for part in parts)
    if not overlap and not alone:
        return list(parts)
    return [_renamed(p, _stem(file if overlap else files[0])[:60]) for file, p in zip(files, parts, strict=True)]


def _renamed(part: Recording, stem: str) -> Recording:
    alone = len(part.channels) == 1
    names = [stem if alone else f"{stem[:40]}-{channel.device.device}"[:64] for channel in part.channels]
    channels = (c._replace(device=in_recording(name)) for c, name in zip(part.channels, names, strict=True))
    return replace(part, channels=tuple(channels))


def _refuse_doubles(channels: Sequence[Channel]) -> None:
    for (device, measurand), n in Counter((c.device, c.measurand) for c in channels).items():
        if n > 1:
            raise InputError(f"two columns are mapped to {given_name(str(device))}:{measurand}")


def _joined(parts: Sequence[Recording], channels: tuple[Channel, ...]) -> Recording:
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part.times for part in parts])
    values = np.full((len(times), len(channels)), np.nan)
    start = 0
    for part in parts:
        places = [channels.index(channel) for channel in part.channels]
        values[start : start + len(part.times), places] = part.values
        start += len(part.times)
    order = np.argsort(times, kind="stable")
    labelled = [event for part in parts for event in part.labelled or ()]
    known = tuple(sorted(labelled)) if any(part.labelled is not None for part in parts) else None
    remarks = tuple(dict.fromkeys(remark for part in parts for remark in part.remarks))
    return Recording(channels, times[order], values[order], sum(part.rows for part in parts), remarks, known)
