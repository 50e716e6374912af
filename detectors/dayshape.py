"""The usual level at each hour of the day, apart for workdays and weekends, learned for many channels at once.

Hours are local. Between the middles of two hours the level is interpolated, so that a steep morning is no staircase. An hour not
yet seen on a weekend is taken from the workdays and the other way round; one never seen has no level (NaN).
"""

import datetime as dt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import grown
from domain.readings import Float64, Int32, Int64
from registers.local_time import LOCAL

Float32 = NDArray[np.float32]

HOURS = 24
_HOUR_MS = 3_600_000.0
_DAY_MS = HOURS * _HOUR_MS
_OFFSET_MS = (LOCAL.utcoffset(None) or dt.timedelta()).total_seconds() * 1000
_FIRST_WEEKDAY = 3
"""1 January 1970 was a Thursday."""
_SATURDAY = 5
_DAYS = 10.0
"""An hour's level is about the mean of its last ten days."""
_CLASS_SHARE = np.array([5 / 7, 2 / 7], np.float32)
_WIDEST = 8.0
_NEAR = 4.0
"""An hour first seen on a weekend is as on workdays if it departs from them by no more than so many spreads."""
_FIRST_DAYS = 1.0 / HOURS
"""What a channel said in its first hour shapes no day: devices that come and go need no tables."""


class Moment(NamedTuple):
    """Where readings fall: the hour of the day, 24 more on weekends, and its neighbour with the neighbour's share."""

    hour: Int64
    cell: Int64
    near: Int64
    far: Int64
    far_share: Float64


def moment(times_ms: Float64) -> Moment:
    """Return where instants fall in the local week."""
    local = times_ms + _OFFSET_MS
    days = np.floor(local / _DAY_MS)
    hours = (local - days * _DAY_MS) / _HOUR_MS
    week = days + _FIRST_WEEKDAY
    weekend = (week - 7.0 * np.floor(week / 7.0) >= _SATURDAY) * np.int64(HOURS)  # % takes ten times as long
    hour = hours.astype(np.int64)
    before = np.floor(hours - 0.5)
    near = before.astype(np.int64)
    far = near + 1
    near[near < 0] = HOURS - 1
    far[far == HOURS] = 0
    return Moment(hour, hour + weekend, near + weekend, far + weekend, hours - 0.5 - before)


class DayShape:
    """Tables of the channels known for an hour: `level` (n, 48) in the channel's unit, `width` (n, 24) of each hour in spreads.

    288 bytes such a channel, 4 any other. The first table is nobody's: it says what is known of the others, nothing.
    """

    def __init__(self) -> None:
        self._table: Int32 = np.empty(0, np.int32)
        """Channel → its table."""
        self._made = 1
        self.level: Float32 = np.full((1, 2 * HOURS), np.nan, np.float32)
        self.width: Float32 = np.ones((1, HOURS), np.float32)

    def grow(self, size: int) -> None:
        self._table = grown(self._table, size)

    def _make(self, channels: Int64) -> None:
        """Make tables for channels that have none."""
        first, self._made = self._made, self._made + len(channels)
        self.level, self.width = grown(self.level, self._made, fill=np.nan), grown(self.width, self._made, fill=1.0)
        self._table[channels] = range(first, self._made)

    def snapshot(self, count: int) -> dict[str, NDArray[Any]]:
        """Return the state of the first `count` channels."""
        level, width = self.level[: self._made].copy(), self.width[: self._made].copy()
        return {"table": self._table[:count].copy(), "level": level, "width": width}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Become what `snapshot` gave."""
        self._table, self._made = np.array(state["table"]), len(state["level"])
        self.level, self.width = np.array(state["level"]), np.array(state["width"])

    def expected(self, channels: Int64, at: Moment, otherwise: Float64) -> Float64:
        """Return the interpolated level; `otherwise` where this hour was never seen."""
        tables = self._table[channels]
        if not tables.any():
            return otherwise
        near = self._known(tables, at.near)
        far = self._known(tables, at.far)
        level = near + (far - near) * at.far_share
        missing = np.isnan(level)
        if missing.any():
            level[missing] = np.where(np.isnan(near), far, near)[missing]
            level = np.where(np.isnan(level), otherwise, level)
        return level

    def _known(self, tables: Int32, cells: Int64) -> Float64:
        level = self.level[tables, cells].astype(float)
        missing = np.isnan(level)
        if missing.any():
            level[missing] = self.level[tables[missing], (cells[missing] + HOURS) % (2 * HOURS)]
        return level

    def _begun(self, tables: Int32, cell: Int64, values: Float64, near: NDArray[np.bool_]) -> Float32:
        """Return the levels; one never seen begins as on the other kind of day if that is near, else with its reading."""
        level = self.level[tables, cell]
        new = np.flatnonzero(np.isnan(level))
        if len(new):
            other = self.level[tables[new], (cell[new] + HOURS) % (2 * HOURS)]
            level[new] = np.where(near[new] & ~np.isnan(other), other, values[new])
        return level

    def is_new(self, channels: Int64, at: Moment) -> NDArray[np.bool_]:
        """Whether this hour of this kind of day was never seen."""
        new: NDArray[np.bool_] = np.isnan(self.level[self._table[channels], at.cell])
        return new

    def widths(self, channels: Int64, at: Moment) -> Float32:
        """Return how wide this hour usually is, in spreads of the channel."""
        widths: Float32 = self.width[self._table[channels], at.hour]
        return widths

    def learn(
        self, channels: Int64, at: Moment, values: Float64, hours: Float32, days: Float32, limit: Float32, z: Float32
    ) -> None:
        """Move the hour's level and width towards this reading of a channel `days` old; `hours`, (2, n), are what it counts as.

        The level moves as if by no more than `limit`; `z` is the residual in spreads of the channel.
        """
        new = np.flatnonzero((self._table[channels] == 0) & (days >= _FIRST_DAYS))
        if len(new):
            self._make(channels[new])
        tables = self._table[channels]
        known = np.flatnonzero(tables)
        if not len(known):
            return
        rows = known if len(known) < len(tables) else slice(None)
        cell, hour, values, tables = at.cell[rows], at.hour[rows], values[rows], tables[rows]
        hours, days, limit, z = hours[:, rows], days[rows], limit[rows], z[rows]
        seen = np.minimum(1.0 + days * _CLASS_SHARE[cell // HOURS], _DAYS)
        level = self._begun(tables, cell, values, np.abs(z) <= _NEAR)
        step = (values - level).astype(np.float32)
        step = np.maximum(np.minimum(step, limit), -limit) * np.minimum(hours[0] / seen, 1.0)
        self.level[tables, cell] = level + step
        width = self.width[tables, hour]
        self.width[tables, hour] = width + (np.minimum(np.abs(z), _WIDEST) - width) * (hours[1] / _DAYS)
