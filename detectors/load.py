"""P101 and P102: an enterprise that produces though it must not, and one that draws more than it may or ever does.

Judged at the end of each quarter hour on the load of all its meters together; the alarm stands at its first meter. What is
usual comes from the enterprise's own last weeks (`weeks.py`), and only more than usual is an alarm.
"""

import datetime as dt
from operator import attrgetter
from typing import Any

import numpy as np

from detectors.base import Output, World
from detectors.holding import Holding, Moment
from detectors.meters import Loads, Meters
from detectors.parameters import Parameters
from detectors.weeks import QUARTER_MS, Usual, Weeks, begins_ms, quarter_of
from domain.changes import RegisterChange
from domain.findings import Finding
from domain.readings import Segment
from registers.local_time import LOCAL
from registers.place import Enterprise
from registers.stop_order import StopOrder

_ORDER, _SAFE, _UNUSUAL = "stop_order", "above_safe", "unusual"
_DIGITS = 2


class Load:
    """Implements Detector for P101 and P102. Memory: 36 bytes a slot, 16 KiB an enterprise with meters."""

    rules: tuple[str, ...] = ("P101", "P102")

    def __init__(self, parameters: Parameters) -> None:
        self._margin = parameters.of("P101")["margin"]
        self._values = parameters.of("P102")
        self._meters = Meters()
        self._weeks = Weeks()
        self._stopped, self._excess = Holding("P101"), Holding("P102")
        self._runs: dict[str, int] = {}
        """Enterprise → quarters in a row that were unusual."""
        self._at: dict[str, str] = {}
        """Enterprise → path where its alarms stand, while there are any."""

    def observe(self, segment: Segment, world: World) -> Output:
        readings = self._meters.live(segment, len(world.slots))
        found = []
        quarters = (readings.received_ms - begins_ms(0)) // QUARTER_MS
        for quarter in np.unique(quarters).tolist():
            rows = np.flatnonzero(quarters == quarter)
            offset, at_ms = int(readings.offset[rows[0]]), int(readings.received_ms[rows[0]])
            found += self._until(Moment(offset, at_ms, at_ms), world)
            self._meters.add(readings.take(rows))
        return Output(found)

    def tick(self, offset: int, now_ms: int, world: World) -> Output:
        return Output(self._until(Moment(offset, now_ms, now_ms), world))

    def _until(self, moment: Moment, world: World) -> list[Finding]:
        """Close the open quarter if it is over."""
        if quarter_of(moment.at_ms) <= self._meters.quarter:
            return []
        return self._judge(self._meters.close(moment.at_ms), moment, world)

    def _judge(self, loads: Loads, moment: Moment, world: World) -> list[Finding]:
        self._weeks.grow(len(loads.kw))
        usual = self._weeks.usual(loads.quarter)
        whole = (loads.reporting == loads.meters) & (loads.meters > 0)
        self._weeks.put(loads.quarter, np.where(whole, loads.kw, np.nan))
        score = self._score(loads, usual, whole)
        orders = _orders(world, loads.quarter)
        found = []
        for i, code in enumerate(self._meters.enterprises):
            gone = code in self._at and not loads.meters[i]
            if gone or (loads.reporting[i] and self._matters(code, float(loads.kw[i]), score[i], orders, world)):
                found += self._enterprise(i, loads, usual, float(score[i]), orders, moment, world)
        return found

    def _matters(self, code: str, kw: float, score: float, orders: dict[str, StopOrder], world: World) -> bool:
        """Tell whether an enterprise is, was or may come into alarm: few are."""
        enterprise = world.view.enterprise(code)
        safe_kw = enterprise.safe_kw if enterprise is not None else None
        unusual = code in self._runs or score >= self._values["score"]
        return unusual or code in orders or code in self._at or (safe_kw is not None and kw > safe_kw)

    def _score(self, loads: Loads, usual: Usual, whole: Any) -> Any:
        """Return how many spreads each load is above what is usual; 0 where that is not known."""
        known = whole & (usual.samples > 0)
        spread = np.maximum(
            usual.spread, np.maximum(self._values["floor_share"] * np.abs(usual.median), self._values["floor_kw"])
        )
        return np.where(known, (loads.kw - usual.median) / spread, 0.0)

    def _enterprise(
        self,
        i: int,
        loads: Loads,
        usual: Usual,
        score: float,
        orders: dict[str, StopOrder],
        moment: Moment,
        world: World,
    ) -> list[Finding]:
        code, kw = self._meters.enterprises[i], float(loads.kw[i])
        facts = {
            "enterprise": code,
            "kw": round(kw, _DIGITS),
            "quarter": dt.datetime.fromtimestamp(begins_ms(loads.quarter) / 1000, LOCAL).isoformat(timespec="minutes"),
            "meters": int(loads.meters[i]),
            "meters_reporting": int(loads.reporting[i]),
        }
        path = self._at.get(code) or self._meters.paths(i, world)[0]
        found = self._ordered(path, kw, orders.get(code), facts, moment)
        found += self._safe(path, kw, world.view.enterprise(code), facts, moment)
        told = {"usual_kw": round(float(usual.median[i]), _DIGITS), "times_spread": round(score, _DIGITS)}
        told |= {"samples": int(usual.samples[i])} if score else {}
        found += self._unusual(path, code, score, facts | told, moment)
        if self._stopped.holds(path) or self._excess.holds(path):
            self._at[code] = path
        else:
            self._at.pop(code, None)
        return found

    def _ordered(
        self, path: str, kw: float, order: StopOrder | None, facts: dict[str, Any], moment: Moment
    ) -> list[Finding]:
        if order is None or kw <= order.base_kw:
            return self._stopped.release(path, _ORDER, moment, facts)
        if kw <= order.base_kw * (1 + self._margin):
            return []
        told = {"order": order.code, "base_kw": order.base_kw, "since": order.starts_at.isoformat(timespec="minutes")}
        return self._stopped.hold(path, _ORDER, moment, facts | told)

    def _safe(
        self, path: str, kw: float, enterprise: Enterprise | None, facts: dict[str, Any], moment: Moment
    ) -> list[Finding]:
        safe_kw = enterprise.safe_kw if enterprise is not None else None
        if safe_kw is not None and kw > safe_kw:
            return self._excess.hold(path, _SAFE, moment, facts | {"safe_kw": safe_kw})
        if safe_kw is not None and kw > safe_kw * (1 - self._values["deadband"]):
            return []
        return self._excess.release(path, _SAFE, moment, facts)

    def _unusual(self, path: str, code: str, score: float, facts: dict[str, Any], moment: Moment) -> list[Finding]:
        if score < self._values["score"]:
            self._runs.pop(code, None)
            return self._excess.release(path, _UNUSUAL, moment, facts)
        self._runs[code] = self._runs.get(code, 0) + 1
        if self._runs[code] < self._values["quarters"]:
            return []
        return self._excess.hold(path, _UNUSUAL, moment, facts | {"quarters": self._runs[code]})

    def started(self, offset: int, now_ms: int, world: World) -> Output:
        return Output()

    def changed(self, offset: int, now_ms: int, changes: list[RegisterChange], world: World) -> Output:
        self._meters.register(changes, world)
        found = [f for alarms in (self._stopped, self._excess) for f in alarms.withdraw(offset, now_ms, changes)]
        left = {finding.device for finding in found}
        # What its enterprise still does is told at another of its meters when the quarter is over.
        self._at = {code: path for code, path in self._at.items() if path not in left}
        return Output(found)

    def snapshot(self) -> dict[str, Any]:
        return {
            "meters": self._meters.snapshot(),
            "weeks": self._weeks.snapshot(),
            "stopped": self._stopped.snapshot(),
            "excess": self._excess.snapshot(),
            "runs": list(self._runs.items()),
            "at": list(self._at.items()),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._meters.restore(state["meters"])
        self._weeks.restore(state["weeks"])
        self._stopped.restore(state["stopped"])
        self._excess.restore(state["excess"])
        self._runs, self._at = dict(state["runs"]), dict(state["at"])


def _orders(world: World, quarter: int) -> dict[str, StopOrder]:
    """Return enterprise → the strictest order that held through the whole quarter."""
    begin, end = (dt.datetime.fromtimestamp(begins_ms(q) / 1000, LOCAL) for q in (quarter, quarter + 1))
    holding = [o for o in world.view.rows(StopOrder) if o.holds(begin) and o.holds(end - dt.timedelta(seconds=1))]
    loosest_first = sorted(holding, key=attrgetter("base_kw"), reverse=True)
    return {order.enterprise: order for order in loosest_first}
