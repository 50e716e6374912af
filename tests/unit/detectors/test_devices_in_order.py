"""D105 to D109: devices that are worn out, tampered with, mistaken for another, running down, or deaf."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.ageing import ServiceLife
from detectors.battery import Battery
from detectors.commands import Commands
from detectors.counting import Chain, Count, advance
from detectors.identity import Identity
from detectors.parameters import Parameters
from detectors.tampering import Tampering
from domain.findings import Severity
from registers.local_time import local_day

HOUR = 3600
DAY = 24 * HOUR
Stages = Callable[..., Any]


class TestServiceLife:
    @pytest.fixture
    def watch(self, stage: Stages, entries: dict[str, Any]) -> Any:
        made = stage(ServiceLife(Parameters()))
        made.register(*entries.values())
        return made

    def install(self, watch: Any, entries: dict[str, Any], days_ago: int, **changes: Any) -> list[str]:
        day = local_day(watch.now_ms) - dt.timedelta(days=days_ago)
        said: list[str] = watch.register(msgspec.structs.replace(entries["device"], installed_on=day, **changes))
        return said

    def test_a_gas_detector_serves_three_years(self, watch: Any, entries: dict[str, Any]) -> None:
        """CJJ/T 146: a notice a month ahead, an alarm the day after; the evidence says since when and by what rule."""
        assert self.install(watch, entries, 1064) == []
        watch.wait(2 * DAY)
        assert watch.tick() == ["D105 raise"]
        assert watch.found[-1].severity == Severity.NOTICE
        watch.wait(31 * DAY)
        assert watch.tick() == ["D105 change"]
        assert watch.found[-1].severity == Severity.MEDIUM
        evidence = watch.found[-1].evidence
        assert (evidence["reason"], evidence["life_years"], evidence["life_basis"]) == (
            "service_life",
            3.0,
            "CJJ/T 146-2011",
        )
        assert evidence["overdue_days"] == 1

    def test_a_life_without_end_stops_nothing(self, watch: Any, entries: dict[str, Any]) -> None:
        """A row that the registers would refuse today may stand in an old journal."""
        watch.register(msgspec.structs.replace(entries["model"], life_years=1e300))
        assert self.install(watch, entries, 1200) == []

    def test_it_is_judged_once_a_day(self, watch: Any, entries: dict[str, Any]) -> None:
        """Many ticks a day say nothing new."""
        self.install(watch, entries, 1200)
        assert [watch.tick() for _ in range(5)] == [[]] * 5

    def test_a_new_detector_ends_it(self, watch: Any, entries: dict[str, Any]) -> None:
        """The register says when the sensor was replaced."""
        assert self.install(watch, entries, 1200) == ["D105 raise"]
        assert self.install(watch, entries, 1) == ["D105 clear"]

    def test_homes_have_five_years(self, watch: Any, entries: dict[str, Any]) -> None:
        """The site's industry makes the difference."""
        self.install(watch, entries, 1200)
        assert watch.register(msgspec.structs.replace(entries["site"], industry="居民")) == ["D105 clear"]

    def test_the_model_knows_best(self, watch: Any, entries: dict[str, Any]) -> None:
        """A make that lasts ten years is believed."""
        self.install(watch, entries, 1200)
        assert watch.register(msgspec.structs.replace(entries["model"], life_years=10.0)) == ["D105 clear"]

    def test_calibration_that_has_run_out_joins(self, watch: Any, entries: dict[str, Any]) -> None:
        """One alarm a device, whatever has run out."""
        self.install(watch, entries, 1200)
        due = local_day(watch.now_ms) - dt.timedelta(days=1)
        assert self.install(watch, entries, 1200, calibration_due=due) == ["D105 change"]
        assert watch.found[-1].evidence["others"] == ["service_life"]

    def test_the_sensor_may_know_itself(self, watch: Any) -> None:
        """The fault code of a spent sensor needs no register."""
        assert watch.say("fault", code="end_of_life") == ["D105 raise"]
        assert watch.say("fault.clear", code="end_of_life") == ["D105 clear"]

    def test_a_device_taken_out_of_service_ages_no_more(self, watch: Any, entries: dict[str, Any]) -> None:
        """Its alarm ends."""
        self.install(watch, entries, 1200)
        assert watch.withdraw(entries["device"]) == ["D105 clear"]


class TestTampering:
    @pytest.fixture
    def watch(self, stage: Stages, entries: dict[str, Any]) -> Any:
        made = stage(Tampering(Parameters()))
        made.register(*entries.values())
        return made

    def test_tampering_alarms_at_once(self, watch: Any) -> None:
        """And ends when the cover is closed."""
        assert watch.say("tamper") == ["D106 raise"]
        assert watch.say("tamper") == []
        assert watch.say("tamper.clear") == ["D106 clear"]

    def test_a_machines_chip_has_its_own_rule(self, watch: Any) -> None:
        """W113 speaks of welding machines."""
        assert watch.say("tamper", "m1") == []

    @pytest.mark.parametrize(("kind", "end"), [("mute", "selftest"), ("shield", "shield.clear")])
    def test_silence_and_shield_are_lawful_for_a_shift(self, watch: Any, kind: str, end: str) -> None:
        """Past eight hours they alarm, until the device is itself again."""
        watch.say(kind)
        watch.wait(8 * HOUR)
        assert watch.tick() == []
        watch.wait(1)
        assert watch.tick() == ["D106 raise"]
        assert watch.found[-1].evidence == {"reason": kind, "lasts_min": 480, "allowed_min": 480}
        assert watch.say(end) == ["D106 clear"]

    def test_ended_in_time_they_say_nothing(self, watch: Any) -> None:
        """A mute that the next alarm lifts, a point that is back."""
        watch.say("mute")
        watch.say("shield", point="smoke")
        watch.wait(HOUR)
        watch.say("alarm.high")
        watch.say("shield.clear")
        watch.wait(DAY)
        assert watch.tick() == []

    def test_each_point_has_its_own_time(self, watch: Any) -> None:
        """One alarm of the device, held until the last point is back."""
        watch.say("shield", point="smoke")
        watch.say("shield", point="heat")
        watch.wait(9 * HOUR)
        assert watch.tick() == ["D106 raise", "D106 change"]
        assert watch.say("shield.clear", point="smoke") == []
        assert watch.say("shield.clear", point="heat") == ["D106 clear"]


class TestIdentity:
    @pytest.fixture
    def watch(self, stage: Stages) -> Any:
        return stage(Identity(Parameters()))

    def count(self, watch: Any, *numbers: int, boot: int = 1) -> list[str]:
        said: list[str] = []
        for seq in numbers:
            watch.wait(5)
            said += watch.count(seq, boot)
        return said

    def test_a_clock_is_wrong_after_three_messages(self, watch: Any) -> None:
        """More than ten minutes either way; right again after as many."""
        for skew_s in (601, -601):
            assert [watch.count(1, skew_s=skew_s) for _ in range(3)] == [[], [], ["D107 raise"]]
            assert watch.found[-1].evidence == {"reason": "clock_skew", "skew_s": skew_s, "allowed_s": 600}
            assert [watch.count(1) for _ in range(3)] == [[], [], ["D107 clear"]]

    def test_nine_minutes_are_no_alarm(self, watch: Any) -> None:
        """The limit is ten."""
        assert [watch.count(1, skew_s=599) for _ in range(9)] == [[]] * 9

    def test_lost_messages_are_counted(self, watch: Any) -> None:
        """Twenty that never came are an alarm; an hour without a loss ends it."""
        assert self.count(watch, 1, 2, 3, 13, 14) == []
        assert self.count(watch, 26) == ["D107 raise"]
        assert watch.found[-1].evidence["lost"] == 20
        watch.wait(HOUR + 1)
        assert watch.tick() == ["D107 clear"]

    def test_late_ones_are_not_lost(self, watch: Any) -> None:
        """What was overtaken on the way arrives after all."""
        self.count(watch, 1, 12, 13)
        for seq in range(2, 12):
            assert watch.count(seq, age_s=60) == []
        assert self.count(watch, 14, 26) == []

    def test_a_restart_is_no_second_device(self, watch: Any) -> None:
        """Whether it has a new boot or only counts from nought again."""
        assert self.count(watch, 1000, 1001) == []
        assert self.count(watch, 0, 1, 2, 3, 4, boot=2) == []
        assert self.count(watch, 0, 1, 2, 3, 4, boot=2) == []

    @pytest.mark.parametrize("boots", [(7, 3), (1, 1)], ids=["own boots", "same boot"])
    def test_two_devices_of_one_name_take_turns(self, watch: Any, boots: tuple[int, int]) -> None:
        """Both counts go on: the third change of turn is an alarm that shows both."""
        said = []
        for i in range(5):
            said += self.count(watch, 5000 + i, boot=boots[0]) + self.count(watch, 10 + i, boot=boots[1])
        assert said == ["D107 raise"]
        evidence = watch.found[-1].evidence
        assert evidence["reason"] == "two_devices"
        assert sorted(chain["boot"] for chain in evidence["counts"]) == sorted(boots)

    def test_a_backlog_is_no_second_device(self, watch: Any) -> None:
        """Old messages between new ones carry old times."""
        self.count(watch, *range(10))
        said = []
        for i in range(15):
            said += self.count(watch, 25 + i) + watch.count(10 + i, age_s=600 - i)
        assert said == []

    def test_what_we_missed_is_not_the_devices_loss(self, watch: Any) -> None:
        """After a start of ours any number may come next."""
        self.count(watch, 1, 2)
        watch.start()
        assert self.count(watch, 500, 501) == []

    def test_messages_without_numbers_say_nothing(self, watch: Any) -> None:
        """Many devices have none."""
        assert self.count(watch, 1, -1, 70, -1, 3) == []


@given(st.lists(st.integers(0, 60), unique=True, min_size=2, max_size=60))
def test_an_orderly_device_in_any_disorder_never_looks_like_two(arrivals: list[int]) -> None:
    """However messages of one count overtake each other, no turns are seen and only what is missing is lost."""
    count = Count(None)
    for now, seq in enumerate(arrivals, 1):
        advance(count, Chain(1, seq, seq), now)
    assert count.turns == 0
    assert count.lost <= max(arrivals) - min(arrivals) + 1 - len([seq for seq in arrivals if seq >= arrivals[0]])


class TestBattery:
    @pytest.fixture
    def watch(self, stage: Stages) -> Any:
        return stage(Battery(Parameters()))

    def test_a_low_charge_alarms_once_until_it_is_charged(self, watch: Any) -> None:
        """At 20 % and below; over at 25 %."""
        assert [watch.read(battery_pct=value) for value in (88.0, 20.0, 19.0, 24.0, 25.0)] == [
            [],
            ["D108 raise"],
            [],
            [],
            ["D108 clear"],
        ]
        assert watch.found[0].severity == Severity.NOTICE

    def test_the_device_may_say_so_itself(self, watch: Any) -> None:
        """Its word and its charge are one alarm that ends when both are well."""
        assert watch.say("fault", code="battery_low") == ["D108 raise"]
        assert watch.read(battery_pct=5.0) == ["D108 change"]
        assert watch.say("fault.clear", code="battery_low") == []
        assert watch.read(battery_pct=90.0) == ["D108 clear"]

    def test_old_news_of_a_battery_is_no_news(self, watch: Any) -> None:
        """Late and retained readings say nothing of now."""
        assert watch.read(battery_pct=5.0, late=True) == []
        assert watch.read(battery_pct=5.0, retained=True) == []


class TestCommands:
    @pytest.fixture
    def watch(self, stage: Stages) -> Any:
        return stage(Commands())

    def tell(self, watch: Any, key: str, kind: str = "lock", seconds: int = 30) -> list[str]:
        expires = watch.now_ms + seconds * 1000
        said: list[str] = watch.say("command", id=key, type=kind, by="rule:X101", expires=expires)
        return said

    def after(self, watch: Any, seconds: int) -> list[str]:
        watch.wait(seconds)
        said: list[str] = watch.tick()
        return said

    def test_an_answer_in_time_is_silence(self, watch: Any) -> None:
        """Nothing to tell."""
        self.tell(watch, "1")
        assert watch.say("reply", id="1", ok=True, state="locked") == []
        assert self.after(watch, 100) == []

    def test_no_answer_alarms_when_the_command_expires(self, watch: Any) -> None:
        """The evidence says what, by whom, and how long we waited; a late answer ends it."""
        self.tell(watch, "1")
        assert self.after(watch, 30) == []
        assert self.after(watch, 1) == ["D109 raise"]
        assert watch.found[-1].evidence == {
            "reason": "no_answer",
            "command": "lock",
            "by": "rule:X101",
            "waited_s": 31,
        }
        assert self.after(watch, 100) == []
        assert watch.say("reply", id="1", ok=True) == ["D109 clear"]

    def test_each_further_command_that_nobody_answers_is_told(self, watch: Any) -> None:
        """The alarm stands already, but a second order that comes to nothing is news."""
        self.tell(watch, "1")
        self.after(watch, 31)
        self.tell(watch, "2")
        assert self.after(watch, 31) == ["D109 change"]
        assert self.after(watch, 31) == []

    def test_a_refusal_alarms_at_once(self, watch: Any) -> None:
        """A machine that will not lock is worse than one that is slow to; obeying the next command ends it."""
        self.tell(watch, "1")
        assert watch.say("reply", id="1", ok=False, state="jammed") == ["D109 raise"]
        self.tell(watch, "2")
        assert watch.say("reply", id="2", ok=True) == ["D109 clear"]

    def test_a_newer_command_obeyed_settles_the_older(self, watch: Any) -> None:
        """What matters is that the machine is locked now."""
        self.tell(watch, "1")
        self.tell(watch, "2")
        watch.say("reply", id="2", ok=True)
        assert self.after(watch, 100) == []

    def test_answers_to_nothing_are_nothing(self, watch: Any) -> None:
        """An unknown id, and a retained reply."""
        self.tell(watch, "1")
        assert watch.say("reply", id="9", ok=True) == []
        assert watch.say("reply", id="1", ok=True, retained=True) == []
        assert self.after(watch, 31) == ["D109 raise"]
