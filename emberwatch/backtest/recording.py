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
from emberwatch.backtest.truth import Interval, merge

_ROW = re.compile(r"\{([^{}]+)\}")
"""A column's name in a mapping's device: the device is what that column says."""
_ALTERNATING = ("current_a", "voltage_v")
_TOLERATED = 0.05
"""More unreadable rows than this share mean that the file is not what we take it for."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Readings of c channels at n moments, ascending: `times` (n,) epoch ms, `values` (n, c), NaN where there is none.

    `rows` that the files held; `remarks`: what was assumed or left out; `labelled`: the events a label column marks, or
    None without one; `day_first`: whether days come before months in its dates, None where that is no question.
    """

    channels: tuple[Channel, ...]
    times: Int64
    values: Float64
    rows: int
    remarks: tuple[str, ...] = ()
    labelled: tuple[Interval, ...] | None = None
    day_first: bool | None = None

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

    In a mapping's device `{file}` stands for each file's name without ending, `{COLUMN}` for what that column says in each
    row. Files without a mapping whose times overlap are of different devices, others go on where the one before ended.
    Raises InputError naming the missing column, the line with an unreadable time, or the channel that is mapped twice.
    """
    names = columns.distinct_names([file.stem for file in files])
    parts = [
        _read(file, time_column, [text.replace("{file}", name) for text in mapping])
        for file, name in zip(files, names, strict=True)
    ]
    apart = any("{file}" in text for text in mapping)
    if not mapping and len(parts) > 1:
        spans = sorted(part.span for part in parts)
        apart = any(a.end_ms >= b.start_ms for a, b in pairwise(spans))
        parts = _told_apart(names, parts, overlap=apart)
    joined = _joined(parts)
    said = columns.numbered([file.stem for file in files], names) if apart else []
    return replace(joined, remarks=(*joined.remarks, *said))


def _read(file: Path, time_column: str | None, mapping: Sequence[str]) -> Recording:
    mapped = [parse_mapping(_ROW.sub("x", text)).column for text in mapping]
    table = open_table(file)
    if not table.sample:
        raise InputError(f"{file} has no rows")
    time = columns.time_columns(table) if time_column is None else (table.place(time_column),)
    values, labels, others = columns.value_columns(table, time)
    if mapping:
        said = [table.place(name) for text in mapping for name in _ROW.findall(text)]
        labels = [place for place in labels if table.names[place] not in mapped]
        places = tuple(table.place(column) for column in mapped)
        plan = Plan(time, places, tuple(labels), said[0] if said else None, tuple(mapping))
    else:
        whose = columns.whose_column(table, time)
        if values == [whose]:  # what there is to judge
            whose = None
        values = [place for place in values if place != whose]
        others = [name for name in others if whose is None or name != table.names[whose]]
        plan = Plan(time, tuple(values), tuple(labels), whose, (), tuple(others))
    if not plan.values:
        raise InputError(f"{file} has no column of numbers beside its time (columns: {', '.join(table.names)})")
    return _recorded(table, taken_of(table, plan))


def _recorded(table: Table, taken: Taken) -> Recording:
    """Return what was read, in order of time, each row once."""
    file, plan = table.file, taken.plan
    rows = len(taken.texts) + len(taken.broken)
    if not taken.texts:
        raise InputError(f"{file}, {taken.broken[0]}" if rows else f"{file} has no rows")
    unit = columns.time_unit(table, plan.time[0]) if len(plan.time) == 1 else ""
    times, assumed, day_first = read_times(taken.texts, unit)
    values = np.frombuffer(taken.numbers, np.float64).reshape(len(times), len(plan.values))
    marks = np.frombuffer(taken.marks, np.uint8).astype(np.bool_) if plan.labels else np.zeros(len(times), np.bool_)
    good = times != NEVER
    for i in np.flatnonzero(~good)[:1].tolist():
        taken.broken.append(f"line {taken.lines[i]}: {taken.texts[i][:40]!r} is no time between 1970 and 2200")
    timeless = int((~good).sum())
    _refuse_strange(file, taken, timeless, rows)
    whole = Series(times, values, marks)
    shares = list(taken.shares())
    said = [*([assumed] if assumed else []), *taken.left_out(timeless)]
    names: list[str | None] = [None]
    if plan.whose is not None:
        written = [name or "" for name, _ in shares]
        names = [*(own := columns.distinct_names(written))]
        said += columns.numbered(written, own)
    parts = [_of_one(table, plan, whole.take(good & mine), name) for name, (_, mine) in zip(names, shares, strict=True)]
    if plan.labels:
        said.append(f"column '{table.names[plan.labels[0]]}' says when something was the matter")
    joined = _joined(parts)
    return replace(joined, rows=rows, remarks=(*joined.remarks, *said), day_first=day_first)


def _of_one(table: Table, plan: Plan, series: Series, name: str | None) -> Recording:
    """Return the recording of the rows of the device `name`, or of the whole file when it is None."""
    channels, values, remarks = _channels(table, plan, series.values, name)
    alternating = np.array([channel.measurand in _ALTERNATING for channel in channels])
    series, changed = settled(series._replace(values=values), alternating)
    labelled = tuple(marked(series.times, series.marks)) if plan.labels else None
    return Recording(channels, series.times, series.values, len(series.times), (*remarks, *changed), labelled)


def _refuse_strange(file: Path, taken: Taken, timeless: int, rows: int) -> None:
    unread = len(taken.broken) - (timeless > 0) + timeless
    if unread > _TOLERATED * rows:
        raise InputError(f"{file}, {taken.broken[-1] if timeless else taken.broken[0]}")


def _channels(
    table: Table, plan: Plan, values: Float64, name: str | None
) -> tuple[tuple[Channel, ...], Float64, list[str]]:
    """Return the channels, their readings in the measurands' units, and how columns were understood."""
    known = [bool(np.isfinite(column).any()) for column in values.T]
    if plan.mapping:
        channels = [parse_mapping(_ROW.sub(name or "", text)) for text in plan.mapping]
        if name is None and not all(known):
            raise InputError(f"{table.file}: column '{channels[known.index(False)].column}' holds no number")
        return tuple(channels), values, []
    places = [place for place, some in zip(plan.values, known, strict=True) if some]
    if not places:
        raise InputError(f"{table.file} holds no number (columns: {', '.join(table.names)})")
    channels, converted, remarks = columns.channels_of(table, places, list(values[:, known].T))
    if name is not None and plan.whose is not None:
        token = f"{{{table.names[plan.whose]}}}"
        alone = len({channel.device for channel in channels}) == 1
        for device in {channel.device.device for channel in channels}:
            remarks[0] = remarks[0].replace(f"={device}:", f"={token}:" if alone else f"={token}-{device}:")
        channels = _renamed(channels, name)
    left = [*plan.others, *(table.names[p] for p, some in zip(plan.values, known, strict=True) if not some)]
    remarks += [f"columns left out: {', '.join(left)}"] if left else []
    return tuple(channels), np.column_stack(converted), remarks


def _told_apart(names: Sequence[str], parts: Sequence[Recording], *, overlap: bool) -> list[Recording]:
    """Return the parts with the file's name (`names`) in each device where files overlap in time, which one device cannot."""
    if not overlap and any(len(part.channels) > 1 for part in parts):
        return list(parts)
    names = names if overlap else [names[0]] * len(parts)
    return [replace(p, channels=tuple(_renamed(p.channels, name))) for p, name in zip(parts, names, strict=True)]


def _renamed(channels: Sequence[Channel], stem: str) -> list[Channel]:
    """Return the channels of devices called after `stem`, by that alone if they are one device's."""
    alone = len({channel.device for channel in channels}) == 1
    names = [stem if alone else f"{stem[:40]}-{channel.device.device}"[:64] for channel in channels]
    return [c._replace(device=in_recording(name)) for c, name in zip(channels, names, strict=True)]


def _refuse_doubles(channels: Sequence[Channel]) -> None:
    for (device, measurand), n in Counter((c.device, c.measurand) for c in channels).items():
        if n > 1:
            raise InputError(f"two columns are mapped to {given_name(str(device))}:{measurand}")


def _joined(parts: Sequence[Recording]) -> Recording:
    """Return the parts as one, in order of time; raise InputError when one file has a channel twice."""
    for part in parts:
        _refuse_doubles(part.channels)
    if len(parts) == 1:
        return parts[0]
    channels = tuple(dict.fromkeys(channel for part in parts for channel in part.channels))
    _refuse_doubles(channels)
    times = np.concatenate([part.times for part in parts])
    values = np.full((len(times), len(channels)), np.nan)
    start = 0
    for part in parts:
        places = [channels.index(channel) for channel in part.channels]
        values[start : start + len(part.times), places] = part.values
        start += len(part.times)
    order = np.argsort(times, kind="stable")
    labelled = [event for part in parts for event in part.labelled or ()]
    known = tuple(merge(labelled)) if any(part.labelled is not None for part in parts) else None
    remarks = tuple(dict.fromkeys(remark for part in parts for remark in part.remarks))
    day_first = next((part.day_first for part in parts if part.day_first is not None), None)
    rows = sum(part.rows for part in parts)
    return Recording(channels, times[order], values[order], rows, remarks, known, day_first)
