"""Which column is what when the user does not say: the time, readings, labels.

A column with numbers but without a known quantity and unit is a plain quantity (`value`), a device of its own. Columns that
are named alike but for the quantity (`TempA`, `COA`) are one device.
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from domain.errors import InputError
from domain.measurands import BY_NAME, Family
from domain.readings import Float64
from emberwatch.backtest.channels import Channel, in_recording
from emberwatch.backtest.moments import NEVER, UNITS, read_times
from emberwatch.backtest.quantities import PLAIN, Found, find, last_word, named
from emberwatch.backtest.table import Cells, Table

_TIME = re.compile(
    r"(date|time|timestamp|datetime|ts|ds|epoch|unix\w*|utc|t|elapsed)|.*(time|date|timestamp).*|.*(时间|日期|时刻).*"
    r"|datum.*|\w*zeit\w*"
)
_DATE_ONLY = re.compile(r"((local|utc)_)?(date|日期|day|datum|column1)(_*(utc|local))?")
_CLOCK_ONLY = re.compile(
    r"((local|utc|start|begin|end)_)?(time|时间|时刻|hour|hr|小时|clock|(uhr)?zeit|stunde|column2)(_*(utc|local|start|begin|end|ending))?"
)
_HOUR = re.compile(r".*(hour|hr|小时|stunde).*")
_NO_READING = re.compile(
    r"(unnamed.*|index|idx|id|no\.?|nr|row|序号|编号|lat(itude)?|lon(gitude)?|year|month|day|hour|minute|second"
    r"|weekday|weekend|.*changepoint.*|.*wind.*|.*风[速向].*|sequence|seq|cnt|counter|)"
)
_LABEL = re.compile(
    r"(is_?)?(anomal\w*|label\w*|outlier\w*|fault\w*|attack\w*|leak\w*|event\w*|alarm\w*|fire_?alarm|fire|class|target"
    r"|ground_?truth|gt|release\w*|normal.attack|异常|标签|标注|故障|泄漏|报警|告警|火灾)"
)
_WHOSE = re.compile(
    r"(sensor|device|node|station|location|place|site|tag|meter|house|room|mote|asset|machine|welder|detector|point)"
    r"(_?(id|name|no|number|code))?|(传感器|设备|点位|位置|探测器|焊机).*"
)
_NORMAL = frozenset(("0", "0.0", "normal", "false", "no", "ok", "none", "n", "正常", "否", ""))
_EPOCH_MS = 946_684_800_000
"""Numbers from the year 2000 on are times even in a column without a name."""
_SPELLED = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "秒": "s", "minute": "min", "minutes": "min", "mins": "min",
    "分钟": "min", "hr": "h", "hour": "h", "hours": "h", "小时": "h", "millis": "ms", "milliseconds": "ms", "毫秒": "ms",
    "day": "d", "days": "d",
}  # fmt: skip


def time_columns(table: Table) -> tuple[int, ...]:
    """Return the column of time, or those of date and time of day; raise InputError when none looks like one."""
    sample = table.sample
    names = [_plain_name(name) for name in table.names]
    dates = [i for i, name in enumerate(names) if _DATE_ONLY.fullmatch(name)]
    clocks = [i for i, name in enumerate(names) if _CLOCK_ONLY.fullmatch(name)]
    for date in dates:
        for clock in clocks:
            if date != clock and _are_date_and_clock(
                _column(sample, date), _column(sample, clock), hours=_HOUR.fullmatch(names[clock]) is not None
            ):
                return date, clock
    likely = [i for i, name in enumerate(names) if _TIME.fullmatch(name)]
    for place in [*likely, *(i for i in range(len(names)) if i not in likely)]:
        if _is_time(_column(sample, place), certain=place in likely):
            return (place,)
    raise InputError(
        f"{table.file}: no column looks like a time (columns: {', '.join(table.names)}); name it with --time COLUMN"
    )


def _are_date_and_clock(dates: Sequence[str], clocks: Sequence[str], *, hours: bool) -> bool:
    """Whether two columns are a time together; the clock may be the number of its hour where the header says so."""
    said = [(date, clock) for date, clock in zip(dates, clocks, strict=True) if date and clock]
    if any(":" in date for date, _ in said) or not all(hours or ":" in clock or "时" in clock for _, clock in said):
        return False
    return bool(said) and float(np.mean(read_times([" ".join(both) for both in said]).ms != NEVER)) > 0.5  # noqa: PLR2004


def _is_time(cells: Sequence[str], *, certain: bool) -> bool:
    """Whether a column reads as times; by its name alone (`certain`) any numbers that do not fall, else dates or epochs."""
    said = [cell for cell in cells if cell]
    if not said:
        return False
    moments = read_times(said).ms
    good = moments != NEVER
    if good.mean() < 0.5:  # noqa: PLR2004  most of them
        return False
    words = any(not _is_number(cell) for cell in said)
    epoch = bool(np.median(moments[good]) > _EPOCH_MS)
    falls = int((np.diff(moments[good]) < 0).sum())
    return words or epoch or (certain and falls < 0.1 * good.sum())


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def time_unit(table: Table, place: int) -> str:
    """Return the unit in which the header says that times are counted, as in UNITS; "" when it says none."""
    name = table.names[place]
    said = (_SPELLED.get(text, text) for text in (named(name, table.units[place])[1], last_word(name)))
    return next((unit for unit in said if unit in UNITS), "")


def value_columns(table: Table, taken: Sequence[int]) -> tuple[list[int], list[int], list[str]]:
    """Return the columns of readings, those of labels, and the names of those that are neither."""
    sample = table.sample
    values, labels, others = [], [], []
    for place, name in enumerate(table.names):
        if place in taken:
            continue
        if _LABEL.fullmatch(_plain_name(name)) and _is_label(_column(sample, place)):
            labels.append(place)
        elif _is_reading(_plain_name(name), _column(sample, place)):
            values.append(place)
        else:
            others.append(name or f"column{place + 1}")
    return values, labels, others


def whose_column(table: Table, taken: Sequence[int]) -> int | None:
    """Return the column that says of which device each row is: by its name, and few different cells."""
    sample = table.sample
    for place, name in enumerate(table.names):
        cells = _column(sample, place)
        if place not in taken and _WHOSE.fullmatch(_plain_name(name)) and 3 * len(set(cells)) <= len(cells):
            return place
    return None


def _is_reading(name: str, cells: Sequence[str]) -> bool:
    if _NO_READING.fullmatch(name) or not _is_numeric(cells):
        return False
    return not (_TIME.fullmatch(name) and _is_time(cells, certain=False))


def _column(sample: Sequence[list[str]], place: int) -> list[str]:
    return [cells[place] if place < len(cells) else "" for cells in sample]


def _is_numeric(cells: Sequence[str]) -> bool:
    """Whether most cells that say something are numbers; a column that says nothing yet may become one."""
    counting = Cells()
    numbers = sum(not np.isnan(counting.number(cell)) for cell in cells)
    return numbers >= counting.words


def _is_label(cells: Sequence[str]) -> bool:
    """Whether the column holds two kinds of cells at most, or one kind of name beside normal ones."""
    kinds = {cell.strip().lower() for cell in cells}
    return len(kinds - _NORMAL) <= 1 or not any(_is_number(kind) for kind in kinds - _NORMAL)


def is_event(cell: str) -> bool:
    """Whether a label says that something was the matter."""
    return cell.strip().lower() not in _NORMAL


def channels_of(
    table: Table, places: Sequence[int], columns: Sequence[Float64]
) -> tuple[list[Channel], list[Float64], list[str]]:
    """Return the channel of each column with its readings in the measurand's unit, and what to tell the user of it."""
    found = [find(table.names[place], table.units[place]) for place in places]
    names = _device_names(table, places, found)
    channels = [
        Channel(table.names[place], in_recording(name), what.measurand)
        for place, name, what in zip(places, names, found, strict=True)
    ]
    readings = [column * what.factor + what.offset for column, what in zip(columns, found, strict=True)]
    told = [
        f"--map '{channel.column}={channel.device.device}:{channel.measurand}'{_change(what)}"
        for channel, what in zip(channels, found, strict=True)
    ]
    remarks = ["read as " + " ".join(told)]
    if any(what.measurand == PLAIN for what in found):
        remarks.append(
            f"'{PLAIN}' is a quantity of no known kind or unit, judged by its own history alone (A101); "
            "if you know better, copy the options above and say e.g. ch4_ppm, or co_ppm, temp_c, power_kw"
        )
    return channels, readings, remarks


def _device_names(table: Table, places: Sequence[int], found: Sequence[Found]) -> list[str]:
    """Return each column's device: what its header says beside the quantity, else the file; never twice with one measurand."""
    stem, used, names = _legal(table.file.stem) or "recording", Counter[tuple[str, str]](), []
    kinds: dict[str, bool] = {}
    for place, what in zip(places, found, strict=True):
        rest = _legal(what.rest)
        name = rest or (f"{stem}-{place + 1}" if what.rest else stem)
        name = stem if len(places) == 1 else f"{stem}-{rest}" if rest.isdigit() else name
        electric = BY_NAME[what.measurand].family is Family.ELECTRIC
        if kinds.setdefault(name, electric) != electric:  # or a room's warmth would be a cable's
            name = f"{name}-{_legal(what.measurand)}"
        used[name, what.measurand] += 1
        again = used[name, what.measurand]
        names.append(name[-60:] if again == 1 else f"{name[-60:]}-{again}")
    return names


def distinct_names(texts: Sequence[str]) -> list[str]:
    """Return a legal device's name for each text, never one for two: those alike, or without a Latin letter, are numbered."""
    names: dict[str, None] = {}
    alike = Counter[str]()
    for text in texts:
        name = free = _legal(text) or "device"
        while free in names:
            alike[name] += 1
            free = f"{name[:50]}-{alike[name] + 1}"
        names[free] = None
    return list(names)


def numbered(texts: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return what to tell of texts whose device's name does not show them."""
    pairs = [f"{text or 'nothing'} is {name}" for text, name in zip(texts, names, strict=True) if name != _legal(text)]
    return [f"names of devices: {', '.join(pairs)}"] if pairs else []


def _change(what: Found) -> str:
    if (what.factor, what.offset) == (1.0, 0.0):
        return ""
    return f" (times {what.factor:.4g}{f' {what.offset:+.4g}' if what.offset else ''})"


def _plain_name(name: str) -> str:
    return re.sub(r"[\s-]+", "_", named(name)[0].strip("_ \"'"))


def _legal(name: str) -> str:
    """Return a device's name of a header: letters, digits and strokes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:60]
