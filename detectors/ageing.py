"""D105: a detector past its service life, one that says so itself, or one whose calibration has run out.

Judged once a day, at local midnight, and when a register changes: a notice some days ahead, an alarm once the day has passed.
"""

import datetime as dt
from typing import Any

import numpy as np

from detectors.arrays import grown
from detectors.base import Output, World
from detectors.faultcodes import END_OF_LIFE, speaks_of
from detectors.holding import Holding, Moment
from detectors.parameters import Parameters
from detectors.roll import Roll
from domain.changes import RegisterChange
from domain.findings import Finding, Severity
from domain.readings import Int64, Segment
from registers.device import Device, DeviceKind
from registers.place import Site
from registers.view import local_day

_RULE = "D105"
_NEVER = 10**7
_DAYS_A_YEAR = 365.25
_FOR_EVER = 5_000_000
"""Days of the longest life that is counted, some 13,700 years: no row of the registers may stop us."""
_HOMES = frozenset({"居民", "居住", "住宅", "物业"})
"""Industries of sites that are homes (CJJ/T 146: five years instead of three)."""
_CAUSES = ("service_life", "calibration")
_FINE, _NEAR, _PAST = range(3)


class ServiceLife:
    """Implements Detector for D105. Arrays by slot: 10 bytes a device."""

    rules: tuple[str, ...] = (_RULE,)

    def __init__(self, parameters: Parameters) -> None:
        self._values = parameters.of(_RULE)
        self._roll = Roll()
        self._alarms = Holding(_RULE)
        self._last_day = np.empty((0, len(_CAUSES)), np.int32)
        """Day number of the last good day by cause; _NEVER where none is known."""
        self._stage = np.empty((0, len(_CAUSES)), np.uint8)
        self._today = 0

    def observe(self, segment: Segment, world: World) -> Output:
        findings = []
        for signal in segment.signals:
            if speaks_of(signal, END_OF_LIFE):
                path, moment = world.slots.path(signal.slot), Moment.of(signal)
                if signal.type == "fault":
                    findings += self._alarms.hold(path, END_OF_LIFE, moment, {"signal": signal.type}, Severity.MEDIUM)
                else:
                    findings += self._alarms.release(path, END_OF_LIFE, moment)
        return Output(findings)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        today = local_day(now_ms).toordinal()
        if today == self._today:
            return Output()
        self._today = today
        return Output(self._judge(np.arange(len(self._stage)), Moment(offset, now_ms, now_ms), world))

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        moves = self._roll.update(changes, world)
        self._last_day = grown(self._last_day, len(world.slots), fill=_NEVER)
        self._stage = grown(self._stage, len(world.slots))
        slots: dict[int, None] = {}
        for move in moves:
            slots |= dict.fromkeys(slot for slot in (move.old, move.new) if slot is not None)
            if move.old is not None:
                self._last_day[move.old] = _NEVER
            if move.new is not None and move.device is not None:
                self._last_day[move.new] = self._good_until(move.device, world)
        found = self._alarms.withdraw(offset, now_ms, changes)  # also what the device said of itself
        return Output(found + self._judge(np.array(list(slots), np.int64), Moment(offset, now_ms, now_ms), world))

    def _good_until(self, device: Device, world: World) -> tuple[int, int]:
        calibration = device.calibration_due.toordinal() if device.calibration_due else _NEVER
        life = self._life(device, world)
        if device.installed_on is None or life is None:
            return _NEVER, calibration
        return device.installed_on.toordinal() + round(min(life * _DAYS_A_YEAR, _FOR_EVER)), calibration

    def _life(self, device: Device, world: World) -> float | None:
        """Return the years that the model is good for, or those of its kind; None when nobody says."""
        model, site = world.view.model(device.model), world.view.site(device.site)
        if model is None:
            return None
        if model.life_years is not None or model.kind is not DeviceKind.GAS:
            return model.life_years
        return self._values["home_gas_years" if _is_home(site, world) else "gas_years"]

    def _judge(self, slots: Int64, moment: Moment, world: World) -> list[Finding]:
        """Return what the day makes of these slots."""
        today = local_day(moment.at_ms).toordinal()
        last = self._last_day[slots]
        stage = np.where(last < today, _PAST, np.where(last - self._values["ahead_days"] <= today, _NEAR, _FINE))
        rows, columns = np.nonzero(stage != self._stage[slots])
        findings = []
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            findings += self._turn(int(slots[row]), column, int(stage[row, column]), today, moment, world)
        return findings

    def _turn(self, slot: int, column: int, stage: int, today: int, moment: Moment, world: World) -> list[Finding]:
        self._stage[slot, column] = stage
        path, cause = world.slots.path(slot), _CAUSES[column]
        if stage == _FINE:
            return self._alarms.release(path, cause, moment)
        last = int(self._last_day[slot, column])
        evidence: dict[str, Any] = {"good_until": dt.date.fromordinal(last).isoformat()}
        evidence |= {"days_left": last - today} if stage == _NEAR else {"overdue_days": today - last}
        evidence |= self._facts(slot, world) if cause == "service_life" else {}
        return self._alarms.hold(path, cause, moment, evidence, Severity.MEDIUM if stage == _PAST else Severity.NOTICE)

    def _facts(self, slot: int, world: World) -> dict[str, Any]:
        device = world.view.device(world.slots.place(slot).device)
        if device is None or device.installed_on is None:
            return {}
        model = world.view.model(device.model)
        stated = model is not None and model.life_years is not None
        return {
            "installed_on": device.installed_on.isoformat(),
            "life_years": self._life(device, world),
            "life_basis": "型号登记" if stated else "CJJ/T 146-2011",
        }

    def snapshot(self) -> dict[str, Any]:
        return {
            "roll": self._roll.snapshot(),
            "alarms": self._alarms.snapshot(),
            "last_day": self._last_day.copy(),
            "stage": self._stage.copy(),
            "today": self._today,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._roll.restore(state["roll"])
        self._alarms.restore(state["alarms"])
        self._last_day, self._stage = np.array(state["last_day"]), np.array(state["stage"])
        self._today = state["today"]


def _is_home(site: Site | None, world: World) -> bool:
    enterprise = world.view.enterprise(site.enterprise) if site is not None else None
    industries = {owner.industry for owner in (site, enterprise) if owner is not None}
    return not industries.isdisjoint(_HOMES)
