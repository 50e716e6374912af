"""What is known to have happened, from a file of events: tables of start and end, of moments, of labelled rows, or JSON.

JSON is a list of [start, end] pairs, of moments, or of objects with a start and an end; or an object from the names of
recordings to such lists, of which the recording's own is taken.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from domain.errors import InputError
from emberwatch.backtest import columns
from emberwatch.backtest.moments import NEVER, read_times
from emberwatch.backtest.table import Table, open_table
from emberwatch.backtest.truth import Interval

_START = re.compile(r"start|begin|onset|ignit|开始|起始|发生|^from$|^t0$")
_END = re.compile(r"end|stop|finish|until|结束|终止|^to$|^t1$")
_FILE = re.compile(r"file(_?name)?|recording|series|dataset|文件")
_UNTIL_THE_LAST = 7_258_118_400_000
"""The end of an event of which only the beginning is known: the recording's own end comes first."""


def read_truth(file: Path, recordings: Sequence[Path] = (), *, day_first: bool | None = None) -> list[Interval]:
    """Return the known events of a file, in order; those of other recordings are left out where the file names recordings.

    Dates that could have the day or the month first are as the recording's (`day_first`).
    Raises InputError when nothing in it looks like events.
    """
    try:
        if file.suffix.lower() == ".json":
            rows = _of_json(msgspec.json.decode(file.read_bytes()), recordings, file)
            return _intervals(rows, [f"event {i}" for i in range(1, len(rows) + 1)], file, day_first=day_first)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"cannot read {file}: {error}") from error
    return _of_table(open_table(file), recordings, day_first=day_first)


def _of_table(table: Table, recordings: Sequence[Path], *, day_first: bool | None) -> list[Interval]:
    names = [name.strip().lower() for name in table.names]
    start = _first(names, ("start", "start_utc"), _START)
    if start is None:
        return _of_rows(table, recordings, day_first=day_first)
    end = _first(names, ("end", "end_utc"), _END, but=start)
    whose = next((i for i, name in enumerate(names) if _FILE.fullmatch(name)), None)
    rows = [(f"line {line}", [*cells, *[""] * len(names)]) for line, cells in table.rows()]
    if whose is not None and any(_is_of(cells[whose], recordings) for _, cells in rows):
        rows = [(line, cells) for line, cells in rows if _is_of(cells[whose], recordings)]
    pairs = [(cells[start], cells[end] if end is not None else "") for _, cells in rows]
    return _intervals(
        pairs, [line for line, _ in rows], table.file, columns.time_unit(table, start), day_first=day_first
    )


def _first(names: Sequence[str], exactly: Sequence[str], like: re.Pattern[str], but: int = -1) -> int | None:
    exact = (names.index(name) for name in exactly if name in names)
    return next(exact, next((i for i, name in enumerate(names) if i != but and like.search(name)), None))


def _of_rows(table: Table, recordings: Sequence[Path], *, day_first: bool | None) -> list[Interval]:
    """Return the events of a table with a moment a row: the marked rows if a column marks some, else each row."""
    try:
        time = columns.time_columns(table)
    except InputError:
        raise InputError(
            f"{table.file} has no columns of start and end, nor of moments and labels (columns: {', '.join(table.names)})"
        ) from None
    _, labels, _ = columns.value_columns(table, time)
    rows = [(f"line {line}", [*cells, *[""] * len(table.names)]) for line, cells in table.rows()]
    texts = [" ".join(cells[i] for i in time) for _, cells in rows]
    unit = columns.time_unit(table, time[0])
    if not labels and any(table.file.resolve() == recording.resolve() for recording in recordings):
        raise InputError(f"{table.file} has no column of labels (columns: {', '.join(table.names)})")
    if not labels:
        return _intervals(
            [(text, text) for text in texts], [line for line, _ in rows], table.file, unit, day_first=day_first
        )
    marks = np.array([any(columns.is_event(cells[i]) for i in labels) for _, cells in rows])
    return marked(_times(texts, [line for line, _ in rows], table.file, unit, day_first=day_first), marks)


def marked(times: Any, marks: Any) -> list[Interval]:
    """Return the runs of marked moments, from the first to the last of each; both arrays (n,), times ascending."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marks.astype(np.int8), [0]))))
    return [Interval(int(times[a]), int(times[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _of_json(value: Any, recordings: Sequence[Path], file: Path) -> list[tuple[str, str]]:
    if isinstance(value, dict) and _pair(value) is None:
        own = [events for name, events in value.items() if _is_of(name, recordings)]
        lists = own or [events for events in value.values() if isinstance(events, list)]
        if len(lists) != 1:
            raise InputError(f"{file} holds {len(lists)} lists of events, and none is named after the recording")
        return _of_json(lists[0], recordings, file)
    pairs = [_pair(event) for event in value] if isinstance(value, list) else [None]
    if None in pairs:
        raise InputError(f"{file} is no list of [start, end], of moments, or of objects with a start and an end")
    return [pair for pair in pairs if pair is not None]


def _pair(event: Any) -> tuple[str, str] | None:
    """Return start and end of one event of JSON as text."""
    if isinstance(event, str | int | float):
        return str(event), str(event)
    if isinstance(event, list) and len(event) == 2 and all(isinstance(x, str | int | float) for x in event):  # noqa: PLR2004
        return str(event[0]), str(event[1])
    if isinstance(event, dict):
        names = [name.lower() for name in event]
        start, values = _first(names, ("start",), _START), list(event.values())
        if start is not None and not isinstance(values[start], list | dict):
            end = _first(names, ("end",), _END, but=start)
            return str(values[start]), "" if end is None or values[end] is None else str(values[end])
    return None


def _is_of(name: str, recordings: Iterable[Path]) -> bool:
    """Whether a name, with or without folder and ending, is that of a recording."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return any(last in (recording.name, recording.stem) for recording in recordings)


def _intervals(
    pairs: Sequence[tuple[str, str]], lines: Sequence[str], file: Path, unit: str = "", *, day_first: bool | None
) -> list[Interval]:
    """Return the events, numbers counted in `unit`; one without an end lasts until the recording's."""
    n = len(pairs)
    texts = [start for start, _ in pairs] + [end for _, end in pairs]
    open_ended = [not end.strip() for _, end in pairs]
    filled = texts[:n] + [texts[i] if open_ended[i] else texts[n + i] for i in range(n)]
    moments = _times(filled, [*lines, *lines], file, unit, day_first=day_first)
    found = []
    for i, line in enumerate(lines):
        start, end = int(moments[i]), _UNTIL_THE_LAST if open_ended[i] else int(moments[n + i])
        if end < start:
            raise InputError(f"{file}, {line}: the event ends before it starts")
        found.append(Interval(start, end))
    return sorted(found)


def _times(texts: Sequence[str], lines: Sequence[str], file: Path, unit: str, *, day_first: bool | None) -> Any:
    moments = read_times(texts, unit, day_first=day_first).ms if texts else np.empty(0, np.int64)
    for i in np.flatnonzero(moments == NEVER)[:1].tolist():
        raise InputError(f"{file}, {lines[i]}: {texts[i][:40]!r} is no time between 1970 and 2200")
    return moments
