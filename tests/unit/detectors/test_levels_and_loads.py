"""P101 to P103 and S101 to S103: electricity, tanks, hoppers and dedusters at their limits."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.dedusters import Dedusters
from detectors.electricfire import ElectricFire
from detectors.hoppers import Hoppers
from detectors.load import Load
from detectors.parameters import Parameters
from detectors.rises import Rises
from detectors.tanks import Tanks
from detectors.weeks import WEEKS, Weeks, begins_ms, quarter_of
from domain.findings import Severity
from domain.measurands import INDEX
from domain.readings import Readings
from registers.device import Device, DeviceKind, DeviceModel
from registers.local_time import LOCAL
from registers.place import Area, Enterprise, Site
from registers.stop_order import StopOrder

QUARTER = 900
Stages = Callable[..., Any]


def model(measurand: str, kind: DeviceKind = DeviceKind.PROCESS, **fields: Any) -> DeviceModel:
    return DeviceModel(code=f"M-{measurand}", name="型", kind=kind, measurand=measurand, **fields)


class TestTanks:
    @pytest.fixture
    def tank(self, stage: Stages, entries: dict[str, Any]) -> Any:
        made = stage(Tanks(Parameters()))
        limits: dict[str, Any] = {
            "low_low": 5.0,
            "low": 10.0,
            "high": 85.0,
            "high_high": 90.0,
            "set_point_basis": "规程",
        }
        made.register(*entries.values(), model("level_pct", full_scale=100.0, **limits))
        made.register(Device(code="l1", site="s", model="M-level_pct"))
        return made

    def level(self, tank: Any, *values: float, step_s: float = 20) -> list[str]:
        said: list[str] = []
        for value in values:
            tank.wait(step_s)
            said += tank.read("l1", level_pct=value)
        return said

    @pytest.mark.parametrize(("value", "limit"), [(90.0, "high_high"), (5.0, "low_low")])
    def test_where_interlocks_act_it_alarms_at_once(self, tank: Any, value: float, limit: str) -> None:
        """HH and LL are critical and wait for nothing; the evidence names the limit and where it comes from."""
        assert self.level(tank, 50.0, value) == ["S101 raise"]
        assert tank.found[-1].severity == Severity.CRITICAL
        evidence = tank.found[-1].evidence
        assert (evidence["reason"], evidence["set_point"]) == (limit, value)
        assert evidence["set_point_basis"] == "型号登记：规程"

    def test_h_and_l_wait_for_a_minute(self, tank: Any) -> None:
        """A wave that touches the limit is no alarm; a level that stays is, and less grave."""
        assert self.level(tank, 86.0, 86.0, 84.0, 86.0, 86.0, 86.0) == []
        assert self.level(tank, 86.0) == ["S101 raise"]
        assert tank.found[-1].severity == Severity.HIGH

    def test_it_grows_graver_and_milder_with_the_level(self, tank: Any) -> None:
        """One alarm: raised at H, changed at HH and back, cleared a deadband of two points inside H."""
        said = self.level(tank, 86.0, 86.0, 86.0, 86.0, 91.0, 89.0, 87.9, 84.0, 83.0, 82.9)
        assert said == ["S101 raise", "S101 change", "S101 change", "S101 clear"]

    def test_the_devices_own_limit_comes_first(self, tank: Any) -> None:
        """One tank may be filled less than its make allows; the other limits stay the model's."""
        tank.register(Device(code="l1", site="s", model="M-level_pct", high_high=70.0, high=60.0))
        assert self.level(tank, 71.0) == ["S101 raise"]
        assert self.level(tank, 50.0, 4.0) == ["S101 clear", "S101 raise"]

    def test_a_side_without_a_limit_is_not_watched(self, tank: Any) -> None:
        """Nor is a device that is in no register."""
        tank.register(model("level_pct", high_high=90.0))
        assert self.level(tank, 1.0, 86.0, 86.0, 86.0, 86.0, 86.0) == []
        assert tank.read("x1", level_pct=99.0) == []

    def test_late_news_neither_clears_nor_is_lost(self, tank: Any) -> None:
        """An old reading raises, marked late; it does not touch what current readings say."""
        assert tank.read("l1", level_pct=95.0, late=True) == ["S101 raise"]
        assert tank.found[-1].late
        assert tank.read("l1", level_pct=95.0) == ["S101 change"]
        assert tank.read("l1", level_pct=50.0, late=True) == []
        assert tank.read("l1", level_pct=50.0) == ["S101 clear"]


class TestElectricFire:
    @pytest.fixture
    def watch(self, stage: Stages, entries: dict[str, Any]) -> Any:
        made = stage(ElectricFire(Parameters()))
        cable, leak = (model(name, DeviceKind.ELECTRIC) for name in ("temp_c", "residual_ma"))
        made.register(*entries.values(), cable, leak)
        made.register(
            Device(code="c1", site="s", model=cable.code), Device(code="r1", site="s", model=leak.code, level1=100.0)
        )
        return made

    def test_defaults_and_own_set_points(self, watch: Any) -> None:
        """70 °C for a cable, 300 mA for a leak unless the register says 100."""
        assert watch.read("c1", temp_c=70.0) == ["P103 raise"]
        assert watch.read("c1", temp_c=62.0) == ["P103 clear"]
        assert watch.read("r1", residual_ma=100.0) == ["P103 raise"]
        assert watch.read("a/s/stranger", residual_ma=299.0) == []
        assert watch.read("a/s/stranger", residual_ma=300.0) == ["P103 raise"]

    def test_a_hot_room_is_no_hot_cable(self, watch: Any) -> None:
        """Temperature counts only where the device is an electric one."""
        assert watch.read("g1", temp_c=95.0) == []


class TestHoppers:
    @pytest.fixture
    def hopper(self, stage: Stages, entries: dict[str, Any]) -> Any:
        made = stage(Hoppers(Parameters()))
        made.register(*entries.values())
        return made

    def temperatures(self, hopper: Any, *values: float, step_s: float = 60) -> list[str]:
        said: list[str] = []
        for value in values:
            hopper.wait(step_s)
            said += hopper.read("h1", hopper_temp_c=value)
        return said

    def test_two_levels(self, hopper: Any) -> None:
        """60 °C is grave, 70 °C critical; it clears below the first."""
        slowly = [59.0 + i / 4 for i in range(45)]
        assert self.temperatures(hopper, *slowly, step_s=120) == ["S102 raise", "S102 change"]
        assert [finding.severity for finding in hopper.found] == [Severity.HIGH, Severity.CRITICAL]
        assert self.temperatures(hopper, 57.0) == ["S102 clear"]

    def test_ten_degrees_in_ten_minutes_are_smouldering(self, hopper: Any) -> None:
        """Far below the levels, critical at once; the evidence says how much in how long."""
        assert self.temperatures(hopper, *(30.0 + 1.2 * i for i in range(9))) == []
        assert self.temperatures(hopper, 40.8) == ["S102 raise"]
        assert hopper.found[-1].severity == Severity.CRITICAL
        assert hopper.found[-1].evidence["rise"] == 10.8

    def test_the_same_rise_in_an_hour_is_a_working_day(self, hopper: Any) -> None:
        """Ten degrees in forty minutes say nothing."""
        assert self.temperatures(hopper, *(30.0 + i / 4 for i in range(60))) == []

    def test_it_ends_when_the_rise_ends(self, hopper: Any) -> None:
        """Less than half the limit within ten minutes."""
        self.temperatures(hopper, 30.0, 41.0)
        assert self.temperatures(hopper, *[41.0] * 9) == ["S102 clear"]


@given(st.lists(st.tuples(st.integers(0, 120), st.floats(-50, 150)), min_size=1, max_size=60))
def test_a_rise_is_measured_from_the_lowest_of_ten_minutes(steps: list[tuple[int, float]]) -> None:
    """For any readings in order: value minus the least value of this minute and the nine before it."""
    times = np.cumsum([seconds * 1000 for seconds, _ in steps])
    values = np.array([value for _, value in steps])
    n = len(values)
    readings = Readings(
        np.arange(n),
        np.zeros(n, np.int32),
        np.full(n, INDEX["hopper_temp_c"], np.int16),
        values,
        times,
        times,
        np.zeros(n, np.uint8),
    )
    minutes = times // 60_000
    expected = [values[i] - min(values[: i + 1][minutes[i] - minutes[: i + 1] < 10]) for i in range(n)]
    assert Rises().rise(readings, 1).tolist() == expected


class TestDedusters:
    @pytest.fixture
    def deduster(self, stage: Stages, entries: dict[str, Any]) -> Any:
        made = stage(Dedusters(Parameters()))
        made.register(*entries.values())
        return made

    def say(self, deduster: Any, times: int = 1, device: str = "d1", **values: float) -> list[str]:
        said: list[str] = []
        for _ in range(times):
            deduster.wait(20)
            said += deduster.read(device, **values) + deduster.tick()
        return said

    @pytest.mark.parametrize("dp_pa", [300.0, 1800.0])
    def test_a_pressure_difference_that_stays_outside_its_band(self, deduster: Any, dp_pa: float) -> None:
        """A torn bag or a clogged one, after a minute; back inside clears."""
        assert self.say(deduster, 3, dp_pa=dp_pa, fan=1) == []
        assert self.say(deduster, 5, dp_pa=dp_pa, fan=1) == ["S103 raise"]
        assert self.say(deduster, dp_pa=900.0) == ["S103 clear"]

    def test_without_a_fan_there_is_no_pressure_to_speak_of(self, deduster: Any) -> None:
        """Switching off ends the alarm and starts none."""
        self.say(deduster, 8, dp_pa=300.0, fan=1)
        assert self.say(deduster, fan=0) == ["S103 clear"]
        assert self.say(deduster, 9, dp_pa=0.0, fan=0) == []

    def test_machines_that_run_without_a_fan(self, deduster: Any) -> None:
        """By the device's own word, after a minute; until either changes."""
        assert self.say(deduster, 3, fan=0, running=1) == []
        assert self.say(deduster, 2, fan=0, running=1) == ["S103 raise"]
        assert deduster.found[-1].evidence["reason"] == "fan_off"
        assert self.say(deduster, fan=0, running=0) == ["S103 clear"]

    def test_machines_of_the_same_site_count(self, deduster: Any) -> None:
        """A fan that knows of no machines goes by those beside it, not by those of another site."""
        self.say(deduster, device="a/t/m9", running=1)
        assert self.say(deduster, 9, fan=0) == []
        self.say(deduster, device="a/s/m9", running=1)
        assert self.say(deduster, 5, fan=0) == ["S103 raise"]
        assert self.say(deduster, device="a/s/m9", running=0) == ["S103 clear"]

    def test_dust_that_is_not_let_out(self, deduster: Any) -> None:
        """A discharge fault may last ten minutes."""
        deduster.say("fault", "d1", code="discharge")
        deduster.wait(599)
        assert deduster.tick() == []
        deduster.wait(1)
        assert deduster.tick() == ["S103 raise"]
        assert deduster.say("fault.clear", "d1", code="discharge") == ["S103 clear"]

    def test_a_deduster_that_leaves_raises_nothing_more(self, deduster: Any) -> None:
        """What lasted at it ends with its alarm; time alone brings neither back."""
        gone = Device(code="d1", site="s", model="M")
        deduster.register(gone)
        self.say(deduster, 5, fan=0, running=1)
        deduster.say("fault", "d1", code="discharge")
        assert deduster.withdraw(gone) == ["S103 clear"]
        deduster.wait(700)
        assert deduster.tick() == []

    def test_a_machine_that_left_does_not_run_for_ever(self, deduster: Any) -> None:
        """It was running when it was withdrawn; the fan beside it may stand still."""
        machine = Device(code="m9", site="s", model="M")
        deduster.register(machine)
        self.say(deduster, device="m9", running=1)
        deduster.withdraw(machine)
        assert self.say(deduster, 9, fan=0) == []

    def test_a_restored_deduster_knows_its_site(self, deduster: Any) -> None:
        """Which switches stand beside each other is found again from their slots."""
        self.say(deduster, device="a/s/m9", running=1)
        self.say(deduster, fan=1)
        restored = Dedusters(Parameters())
        restored.restore(deduster.detector.snapshot())
        deduster.detector = restored
        assert self.say(deduster, 5, fan=0) == ["S103 raise"]


class TestLoad:
    @pytest.fixture
    def plant(self, stage: Stages) -> Any:
        """Return a stage with an enterprise of two power meters at two sites, at local midnight before a Tuesday."""
        made = stage(Load(Parameters()))
        made.now_ms = begins_ms(quarter_of(made.now_ms) // 96 * 96)
        made.register(
            Area(code="a", name="甲"),
            Enterprise(code="e", name="厂", industry="工贸", safe_kw=100.0),
            Site(code="s", name="东", area="a", enterprise="e"),
            Site(code="t", name="西", area="a", enterprise="e"),
            model("power_kw", DeviceKind.ELECTRIC),
            model("energy_kwh", DeviceKind.ELECTRIC),
            Device(code="p1", site="s", model="M-power_kw"),
            Device(code="p2", site="t", model="M-power_kw"),
        )
        return made

    def quarter(self, plant: Any, one: float | None = None, two: float | None = None) -> list[str]:
        """Play a quarter hour in which the meters show these loads, and the tick after it."""
        for device, kw in (("a/s/p1", one), ("a/t/p2", two)):
            if kw is not None:
                plant.read(device, power_kw=kw)
        plant.wait(QUARTER)
        said: list[str] = plant.tick()
        return said

    def order(self, plant: Any, **changes: Any) -> StopOrder:
        starts = dt.datetime.fromtimestamp(plant.now_ms / 1000, LOCAL)
        made = StopOrder(code="O", enterprise="e", starts_at=starts, base_kw=10.0)
        return msgspec.structs.replace(made, **changes)

    def test_an_ordered_stop_that_is_none(self, plant: Any) -> None:
        """All meters together against what the order leaves: one alarm at the first meter, with the order in its evidence."""
        plant.register(self.order(plant))
        assert self.quarter(plant, 5.0, 4.0) == []
        assert self.quarter(plant, 6.0, 20.0) == ["P101 raise"]
        found = plant.found[-1]
        assert found.device == "a/s/p1"
        assert (found.evidence["kw"], found.evidence["base_kw"], found.evidence["order"]) == (26.0, 10.0, "O")
        assert self.quarter(plant, 6.0, 20.0) == []
        assert self.quarter(plant, 5.0, 4.0) == ["P101 clear"]

    def test_a_meter_that_is_withdrawn_leaves_its_alarm_to_another(self, plant: Any) -> None:
        """It clears at once; what the enterprise's other meters draw is told at the next quarter."""
        plant.register(self.order(plant))
        assert self.quarter(plant, 6.0, 20.0) == ["P101 raise"]
        assert plant.withdraw(Device(code="p1", site="s", model="M-power_kw")) == ["P101 clear"]
        assert self.quarter(plant, None, 20.0) == ["P101 raise"]
        assert plant.found[-1].device == "a/t/p2"

    def test_a_little_over_the_base_is_within_the_margin(self, plant: Any) -> None:
        """Ten per cent."""
        plant.register(self.order(plant))
        assert self.quarter(plant, 6.0, 5.0) == []

    def test_the_order_must_hold_through_the_quarter(self, plant: Any) -> None:
        """Not before it begins, not after it ends; its withdrawal ends the alarm."""
        order = self.order(plant)
        plant.register(msgspec.structs.replace(order, starts_at=order.starts_at + dt.timedelta(minutes=5)))
        assert self.quarter(plant, 50.0, 0.0) == []
        assert self.quarter(plant, 50.0, 0.0) == ["P101 raise"]
        plant.withdraw(order)
        assert self.quarter(plant, 50.0, 0.0) == ["P101 clear"]

    def test_more_than_its_safe_load(self, plant: Any) -> None:
        """The register's figure, again all meters together."""
        assert self.quarter(plant, 60.0, 30.0) == []
        assert self.quarter(plant, 60.0, 41.0) == ["P102 raise"]
        assert plant.found[-1].evidence["safe_kw"] == 100.0
        assert self.quarter(plant, 60.0, 38.0) == []
        assert self.quarter(plant, 60.0, 30.0) == ["P102 clear"]

    def test_unusual_for_this_weekday_and_time(self, plant: Any) -> None:
        """Three weeks of eight-to-five; then a night shift is an alarm after half an hour, and the next morning is none."""
        for i in range(3 * 672):
            assert self.quarter(plant, *self.usual(i)) == [], i
        said = [self.quarter(plant, 40.0, 5.0) for _ in range(3)]
        assert said == [[], ["P102 raise"], []]
        evidence = plant.found[-1].evidence
        assert (evidence["reason"], evidence["kw"], evidence["usual_kw"]) == ("unusual", 45.0, 3.0)
        assert self.quarter(plant, 2.0, 1.0) == ["P102 clear"]

    @staticmethod
    def usual(i: int) -> tuple[float, float]:
        """Return the loads of a works day, from midnight on a Tuesday."""
        day, hour = (i // 96 + 1) % 7, i % 96 / 4
        return (40.0 + i % 3, 5.0) if day < 5 and 8 <= hour < 17 else (2.0, 1.0)

    def test_a_meter_that_is_missing_makes_no_history(self, plant: Any) -> None:
        """Half a sum is not compared with whole ones, but more than the safe load is too much in any case."""
        assert self.quarter(plant, 101.0, None) == ["P102 raise"]
        assert plant.found[-1].evidence["meters_reporting"] == 1
        assert np.isnan(plant.detector._weeks._values).all()

    def test_energy_counters_serve_as_well(self, plant: Any) -> None:
        """What was used in a quarter hour, four times."""
        plant.register(Device(code="p1", site="s", model="M-energy_kwh"), self.order(plant))
        plant.read("a/s/p1", energy_kwh=1000.0)
        assert self.quarter(plant, None, 0.0) == []
        plant.read("a/s/p1", energy_kwh=1010.0)
        assert self.quarter(plant, None, 0.0) == ["P101 raise"]
        assert plant.found[-1].evidence["kw"] == 40.0


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=WEEKS), st.integers(0, 2_000_000))
def test_the_usual_is_the_median_of_the_weeks(values: list[float], quarter: int) -> None:
    """Of this quarter hour and its neighbours on the same weekday, whenever it is."""
    weeks = Weeks()
    weeks.grow(1)
    for age, value in enumerate(values, 1):
        for beside in (-1, 0, 1):
            weeks.put(quarter - 672 * age + beside, np.array([value]))
    usual = weeks.usual(quarter)
    single = np.array(values, np.float32).astype(float)
    assert usual.samples.tolist() == [3.0 * len(values)]
    assert usual.median[0] == np.median(np.repeat(single, 3))


def test_nothing_is_usual_before_five_days() -> None:
    """Until then there is nothing to compare with."""
    weeks = Weeks()
    weeks.grow(1)
    for day in range(1, 5):
        weeks.put(500_000 - 96 * day, np.array([1.0]))
    assert weeks.usual(500_000).samples.tolist() == [0.0]
