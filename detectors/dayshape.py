"""The usual level at each hour of the day, apart for workdays and weekends, learned for many channels at once.

Hours are local. Between the middles of two hours the level is interpolated, so that a steep morning is no staircase. An hour not
yet seen on a weekend is taken from the workdays and the other way round; one never seen has no level (NaN).
"""

import datetime as dt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import grown
from domain.readings import Float64, Int64
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
_WIDEST = 4.0


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
    weekend = (HOURS * ((days + _FIRST_WEEKDAY) % 7 >= _SATURDAY)).astype(np.int64)
    hour = hours.astype(np.int64)
    before = np.floor(hours - 0.5)
    near = before.astype(np.int64)
    return Moment(hour, hour + weekend, near % HOURS + weekend, (near + 1) % HOURS + weekend, hours - 0.5 - before)


class DayShape:
    """Tables of all channels: `level` (n, 48) in the channel's unit, `width` (n, 24) of each hour in spreads of the channel.

    288 bytes a channel.
    """

    def __init__(self) -> None:
        self.level: Float32 = np.empty((0, 2 * HOURS), np.float32)
        self.width: Float32 = np.empty((0, HOURS), np.float32)

    def grow(self, size: int) -> None:
        self.level = grown(self.level, size, fill=np.nan)
        self.width = grown(self.width, size, fill=1.0)

    def expected(self, channels: Int64, at: Moment, otherwise: Float64) -> Float64:
        """Return the interpolated level; `otherwise` where this hour was never seen."""
        near = self._known(channels, at.near)
        far = self._known(channels, at.far)
        level = near + (far - near) * at.far_share
        missing = np.isnan(level)
        if missing.any():
            level[missing] = np.where(np.isnan(near), far, near)[missing]
            level = np.where(np.isnan(level), otherwise, level)
        return level

    def _known(self, channels: Int64, cells: Int64) -> Float64:
        level = self.level[channels, cells].astype(float)
        missing = np.isnan(level)
        if missing.any():
            level[missing] = self.level[channels[missing], (cells[missing] + HOURS) % (2 * HOURS)]
        return level

    def is_new(self, channels: Int64, at: Moment) -> NDArray[np.bool_]:
        """Whether this hour of this kind of day was never seen."""
        new: NDArray[np.bool_] = np.isnan(self.level[channels, at.cell])
        return new

    def widths(self, channels: Int64, at: Moment) -> Float32:
        """Return how wide this hour usually is, in spreads of the channel."""
        widths: Float32 = self.width[channels, at.hour]
        return widths

    def learn(
        self, channels: Int64, at: Moment, values: Float64, hours: Float32, days: Float32, limit: Float32, z: Float32
    ) -> None:
        """Move the hour's level and width towards this reading, which counts as `hours` of a channel `days` old.

        The level moves as if by no more than `limit`; `z` is the residual in spreads of the channel.
        """
        seen = np.minimum(1.0 + days * _CLASS_SHARE[at.cell // HOURS], _DAYS)
        level = self.level[channels, at.cell]
        step = (values - level).astype(np.float32)
        step = np.maximum(np.minimum(step, limit), -limit) * np.minimum(hours / seen, 1.0)
        self.level[channels, at.cell] = np.where(np.isnan(level), values, level + step)
        width = self.width[channels, at.hour]
        self.width[channels, at.hour] = width + (np.minimum(np.abs(z), _WIDEST) - width) * (hours / _DAYS)
