"""W110: before hot work the air is tested, not more than half an hour ahead, and holds next to no combustible gas.

After an interruption longer than the permit's level allows it is tested again. Limits by GB 30871 (unverified): 0.5 %VOL of
a gas whose lower explosive limit is 4 %VOL or more, else 0.2 %VOL; converted to what the instrument shows.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from detectors.catalogue import CATALOGUE
from detectors.welding.verdict import Verdict, verdict
from detectors.welding.work import Work
from domain.findings import Severity
from domain.measurands import BY_NAME
from domain.readings import Quality, Signal

LEL_VOL = {"ch4_lel": 5.0, "ch4_ppm": 5.0, "c3h8_lel": 2.1, "h2_lel": 4.0, "lel": 2.1}
"""Lower explosive limit in %VOL of what each measurand shows (GB/T 50493-2019 App. A); a gas nobody names: as propane."""
_PPM_PER_VOL = 10_000.0
_UNNAMED = ""
_KEPT = 6
_MINUTE_MS = 60_000


class GasTest(NamedTuple):
    """One test: our time and the device's, what was measured (empty: not said), and how much, if said."""

    at_ms: int
    event_ms: int
    measurand: str
    value: float | None

    def time(self, work: Work) -> int:
        """Return when it was, by the clock that the work is judged by."""
        return self.event_ms if work.late else self.at_ms


class GasTests:
    """The last tests by machine slot."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values
        self._of: dict[int, list[GasTest]] = {}

    def take(self, signal: Signal) -> None:
        """Take in one `gas_test`; tests of oxygen or poison are other tests."""
        name, value = signal.data.get("measurand"), signal.data.get("value")
        if name is not None and name not in LEL_VOL:
            return
        at_ms = signal.event_ms if signal.quality & Quality.LATE else signal.received_ms
        number = float(value) if isinstance(value, int | float) else None
        test = GasTest(at_ms, signal.event_ms, name or _UNNAMED, number)
        self._of[signal.slot] = [*self._of.get(signal.slot, []), test][-_KEPT:]

    def judge(self, work: Work, began_ms: int, *, permitted: bool) -> Verdict | None:
        """Return why the work, which began at `began_ms`, is not covered by a good test.

        `permitted`: under a permit, which asks for a test; without one only a bad result is told.
        """
        before = [test for test in self._of.get(work.slot, []) if test.time(work) <= work.at_ms]
        window_ms = self._values["window_min"] * _MINUTE_MS
        valid = [test for test in before if test.time(work) >= began_ms - window_ms]
        if not valid:
            if not permitted:
                return None
            age = {"test_age_min": (began_ms - before[-1].time(work)) // _MINUTE_MS} if before else {}
            return verdict("W110", {"reason": "gas_test_too_old" if before else "no_gas_test"} | age)
        newest = {test.measurand: test for test in valid}.values()
        bad = [test for test in newest if test.value is not None and test.value > self._limit(test.measurand)]
        if bad:
            return verdict("W110", {"reason": "gas_over_limit"} | self._facts(bad[0]))
        if all(test.value is None for test in newest):
            return verdict("W110", {"reason": "no_result"}, Severity.HIGH)
        return None

    def _limit(self, measurand: str) -> float:
        """Return the most that passes, in the measurand's unit; for a gas nobody names, the strictest in %LEL."""
        name = measurand or "lel"
        lel = LEL_VOL[name]
        vol = self._values["light_vol" if lel >= self._values["light_lel_vol"] else "heavy_vol"]
        return vol * _PPM_PER_VOL if BY_NAME[name].unit == "ppm" else 100.0 * vol / lel

    def _facts(self, test: GasTest) -> dict[str, Any]:
        name = test.measurand or "lel"
        return {
            "measurand": name,
            "value": test.value,
            "unit": BY_NAME[name].unit,
            "set_point": round(self._limit(test.measurand), 2),
            "set_point_basis": str(CATALOGUE["W110"].basis),
        }

    def snapshot(self) -> list[list[Any]]:
        return [[slot, *test] for slot, kept in self._of.items() for test in kept]

    def restore(self, rows: list[list[Any]]) -> None:
        self._of = {}
        for slot, *test in rows:
            self._of.setdefault(slot, []).append(GasTest(*test))
