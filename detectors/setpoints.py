"""At what value a gas sensor alarms: its own set points, else its model's, else the rule's default, each with its basis.

Combustible gas is judged in %LEL (methane in ppm by the LEL its model names), gases that are also toxic by toxicity
(GB/T 50493-2019), oxygen on both sides. Devices with equal set points share one profile, so a reading finds its limits by
two array look-ups.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import grown
from detectors.base import World
from detectors.catalogue import CATALOGUE
from detectors.parameters import Parameters
from domain.measurands import COUNT, INDEX, MEASURANDS, Family, Measurand, indices
from domain.readings import Float64, Int16, Int32
from registers.device import Device, DeviceModel

LEVEL_1 = "G102"
_LEVELS = {"G101": "level2", LEVEL_1: "level1"}
"""Rule → the register's field that holds its set point."""
_FULL = "G109"
_PPM_PER_VOL = 10_000.0


class Limit(NamedTuple):
    """When a rule trips on one measurand: below `low` or at `high` and above; clear again `deadband` inside.

    Values in the measurand's unit; `basis` says where the set point comes from; `lel_vol` the LEL convention used (%VOL).
    """

    rule: str
    low: float
    high: float
    deadband: float
    basis: str
    lel_vol: float | None = None

    def trips(self, value: float) -> bool:
        return value < self.low or value >= self.high

    def clears(self, value: float) -> bool:
        return self.low + self.deadband <= value < self.high - self.deadband

    def depth(self, value: float) -> float:
        """Return how far `value` is past the nearer side; negative inside."""
        return max(value - self.high, self.low - value)

    def set_point(self, value: float) -> float:
        """Return the side that `value` is nearer to, as people write it."""
        return self.low if self.low - value > value - self.high else round(self.high, 6)


Profile = dict[int, tuple[Limit, ...]]
"""Measurand → its limits, gravest first."""
_Key = tuple[str | None, float | None, float | None, str | None]


class SetPoints:
    """Profiles by slot, resolved from the registers at a slot's first reading and again after `forget`."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self.forget()

    def forget(self, slots: list[int] | None = None) -> None:
        """Resolve the profiles of these slots anew, because the registers changed; None: of all."""
        if slots is None:
            self._begin()
        else:
            self._profile[[slot for slot in slots if slot < len(self._profile)]] = -1

    def _begin(self) -> None:
        self._profile: Int32 = np.empty(0, np.int32)
        self._profiles: list[Profile] = []
        self._keys: dict[_Key, int] = {}
        self._low: Float64 = np.empty((0, COUNT))
        self._high: Float64 = np.empty((0, COUNT))
        self._level1: Float64 = np.empty((0, COUNT))

    def tripped(self, slots: Int32, measurands: Int16, values: Float64, world: World) -> NDArray[np.bool_]:
        """Return the mask of readings at or past the first limit of their sensor."""
        cell = self._cells(slots, measurands, world)
        over: NDArray[np.bool_] = values >= self._high.ravel()[cell]
        over |= values < self._low.ravel()[cell]
        return over

    def level1(self, slots: Int32, measurands: Int16, world: World) -> Float64:
        """Return the set point of the first gas alarm of each sensor; infinity where there is none."""
        cells = self._cells(slots, measurands, world)
        level1: Float64 = self._level1.ravel()[cells]
        return level1

    def _cells(self, slots: Int32, measurands: Int16, world: World) -> Int32:
        self._profile = grown(self._profile, len(world.slots), fill=-1)
        profile = self._profile[slots]
        if (profile < 0).any():
            for slot in np.unique(slots[profile < 0]).tolist():
                self._profile[slot] = self._resolved(slot, world)
            profile = self._profile[slots]
        cells: Int32 = profile * np.int32(COUNT) + measurands
        return cells

    def limits(self, slot: int, measurand: int) -> tuple[Limit, ...]:
        """Return the limits of one sensor of a slot that has been through `tripped` or `level1`."""
        return self._profiles[int(self._profile[slot])].get(measurand, ())

    def _resolved(self, slot: int, world: World) -> int:
        device = world.view.device(world.slots.place(slot).device)
        model = world.view.model(device.model) if device is not None else None
        key: _Key = (None, None, None, None)
        if device is not None and model is not None:
            key = (model.code, device.level1, device.level2, device.set_point_basis)
        if key not in self._keys:
            self._keys[key] = len(self._profiles)
            self._add(profile(self._parameters, device, model))
        return self._keys[key]

    def _add(self, made: Profile) -> None:
        low, high, level1 = np.full((1, COUNT), -np.inf), np.full((1, COUNT), np.inf), np.full((1, COUNT), np.inf)
        for measurand, limits in made.items():
            low[0, measurand] = max(limit.low for limit in limits)
            high[0, measurand] = min(limit.high for limit in limits)
            level1[0, measurand] = next((limit.high for limit in limits if limit.rule == LEVEL_1), math.inf)
        self._profiles.append(made)
        self._low, self._high = np.vstack((self._low, low)), np.vstack((self._high, high))
        self._level1 = np.vstack((self._level1, level1))


def profile(parameters: Parameters, device: Device | None, model: DeviceModel | None) -> Profile:
    """Return the limits of every watched measurand for a device of a model (both None: the rules' defaults)."""
    made: Profile = {INDEX["o2_vol"]: (_oxygen(parameters.of("G103")),)}
    for index in indices(Family.COMBUSTIBLE, Family.TOXIC):
        measurand = MEASURANDS[index]
        owners = (device, model) if model is not None and model.measurand == measurand.name else ()
        levels = tuple(_level(parameters, rule, measurand, owners, model) for rule in _LEVELS)
        made[index] = levels + _full_scale(parameters.of(_FULL), measurand, model)
    return made


def _full_scale(values: Mapping[str, float], measurand: Measurand, model: DeviceModel | None) -> tuple[Limit, ...]:
    """Return the end of the range: the model's, else that of a sensor in %LEL; of other units nobody knows it."""
    known = model.full_scale if model is not None and model.measurand == measurand.name else None
    if known is not None:
        return (Limit(_FULL, -math.inf, known, values["deadband"] * known, "型号登记：满量程"),)
    if measurand.unit != "%LEL":
        return ()
    full = values["full_scale_lel"]
    return (Limit(_FULL, -math.inf, full, values["deadband"] * full, _basis(_FULL, "full_scale_lel")),)


def _oxygen(values: Mapping[str, float]) -> Limit:
    high = math.nextafter(values["high"], math.inf)  # alarms above it, not at it
    return Limit("G103", values["low"], high, values["deadband"], _basis("G103", "low"))


def _level(
    parameters: Parameters,
    rule: str,
    measurand: Measurand,
    owners: tuple[Device | DeviceModel | None, ...],
    model: DeviceModel | None,
) -> Limit:
    values = parameters.of(rule)
    for owner in owners:
        own = getattr(owner, _LEVELS[rule], None)
        if own is not None:
            return _banded(values, rule, measurand, own, _own_basis(owner), model)
    if measurand.family is Family.TOXIC:
        return _banded(values, rule, measurand, values[measurand.name], _basis(rule, measurand.name), model)
    high = values["combustible_lel"] * _per_lel(values, measurand, model)
    return _banded(values, rule, measurand, high, _basis(rule, "combustible_lel"), model)


def _banded(
    values: Mapping[str, float], rule: str, measurand: Measurand, high: float, basis: str, model: DeviceModel | None
) -> Limit:
    """Return the limit with its deadband: a share of a toxic set point, some %LEL of a combustible one, never over half."""
    if measurand.family is Family.TOXIC:
        return Limit(rule, -math.inf, high, values["deadband_toxic"] * high, basis)
    deadband = values["deadband_lel"] * _per_lel(values, measurand, model)
    return Limit(rule, -math.inf, high, min(deadband, high / 2), basis, _lel_vol(values, measurand, model))


def _per_lel(values: Mapping[str, float], measurand: Measurand, model: DeviceModel | None) -> float:
    """Return how much of the measurand's unit 1 %LEL is."""
    if measurand.unit == "%LEL":
        return 1.0
    return (_lel_vol(values, measurand, model) or 0.0) * _PPM_PER_VOL / 100.0


def _lel_vol(values: Mapping[str, float], measurand: Measurand, model: DeviceModel | None) -> float | None:
    if model is not None and model.lel_vol is not None:
        return model.lel_vol
    return values["ch4_lel_vol"] if measurand.name.startswith("ch4_") else None


def _basis(rule: str, name: str) -> str:
    return next(p.basis for p in CATALOGUE[rule].parameters if p.name == name)


def _own_basis(owner: Device | DeviceModel | None) -> str:
    register = "设备登记" if isinstance(owner, Device) else "型号登记"
    stated = getattr(owner, "set_point_basis", None)
    return f"{register}：{stated}" if stated else register
