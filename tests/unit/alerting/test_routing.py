"""Who is told, and why."""

from collections.abc import Mapping

import pytest

from alerting.directory import Directory, Place
from alerting.routing import DUTY, Step, Told, ladder, route
from registers.device import DeviceKind
from registers.inspector import Inspector
from storage.sql.registers import SqlRegisters


def _place(area: str = "weidong", kind: DeviceKind | None = DeviceKind.GAS) -> Place:
    return Place(area, area, "hotpot", "kitchen-1", kind)


def _codes(told: list[Told]) -> list[str]:
    return [one.inspector.code for one in told]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (_place(), {"gas": "area=weidong kind=gas"}),
        (_place("xingao"), {"all": "area=xingao kind=all"}),
        (_place("xingao", DeviceKind.WELDING), {"all": "area=xingao kind=all", "weld": "area=all kind=welding"}),
        (_place("weidong", None), {"gas": "area=weidong kind=None", "weld": "area=all kind=None"}),
    ],
)
def test_area_and_kind_choose_with_a_reason(
    inspectors: Mapping[str, Inspector], place: Place, expected: dict[str, str]
) -> None:
    """Empty areas or kinds mean all; a device of unknown kind concerns everybody in the area."""
    assert {t.inspector.code: t.reason for t in route(list(inspectors.values()), place)} == expected


def test_assignee_is_told_of_his_hazard(inspectors: Mapping[str, Inspector]) -> None:
    """Whoever a hazard is assigned to hears of it wherever it is."""
    told = route(list(inspectors.values()), _place(), "weld")
    assert [(t.inspector.code, t.reason) for t in told] == [("gas", "area=weidong kind=gas"), ("weld", "assignee")]


def test_when_nobody_covers_the_place_everybody_is_told(inspectors: Mapping[str, Inspector]) -> None:
    """An area without an inspector does not mean silence."""
    told = route(list(inspectors.values()), _place("nowhere"))
    assert _codes(told) == ["gas", "all", "weld"]
    assert {t.reason for t in told} == {"nobody covers area=nowhere"}


def test_without_inspectors_the_duty_desk_is_told() -> None:
    """An empty register does not mean silence either."""
    assert _codes(route([], _place())) == ["duty"]


def test_ways_go_from_own_channels_to_others_to_the_duty_desk(inspectors: Mapping[str, Inspector]) -> None:
    """Channels that do not exist are left out; the last way is always the duty desk."""
    everybody = list(inspectors.values())
    steps = ladder(Told(inspectors["all"], ""), everybody, ["file"])
    assert steps == [Step(inspectors["all"], "file"), Step(inspectors["gas"], "file"), Step(DUTY, "file")]
    assert [(s.inspector.code, s.channel) for s in ladder(Told(inspectors["all"], ""), everybody, ["file", "sms"])] == [
        ("all", "sms"),
        ("all", "file"),
        ("gas", "file"),
        ("weld", "sms"),
        ("duty", "file"),
        ("duty", "sms"),
    ]


class TestDirectory:
    def test_names_come_from_the_registers(self, registers: SqlRegisters) -> None:
        """A registered place has names and its device's kind."""
        body = {"area": "weidong", "site": "hotpot", "device": "weidong/hotpot/kitchen-1", "rule": "D101"}
        assert Directory(registers).place(body) == Place(
            "weidong", "卫东街道", "某火锅店", "后厨 1 号探测器", DeviceKind.GAS
        )

    @pytest.mark.parametrize(("rule", "kind"), [("W101", DeviceKind.WELDING), ("D102", None), (None, None)])
    def test_unknown_things_are_called_by_their_codes(
        self, registers: SqlRegisters, rule: str | None, kind: DeviceKind | None
    ) -> None:
        """What is in no register keeps its code; its kind is guessed from the rule."""
        body = {"area": "a", "site": "s", "device": "a/s/d", "rule": rule}
        assert Directory(registers).place(body) == Place("a", "a", "s", "d", kind)

    def test_hazard_without_a_device_has_a_place(self, registers: SqlRegisters) -> None:
        """A hazard opened by hand may name no device."""
        place = Directory(registers).place({"area": "weidong", "site": "hotpot", "device": None, "rule": None})
        assert (place.site_name, place.device_name, place.kind) == ("某火锅店", "", None)

    def test_everybody_is_read_page_by_page(self, registers: SqlRegisters, monkeypatch: pytest.MonkeyPatch) -> None:
        """A register longer than a page is read to its end."""
        monkeypatch.setattr("alerting.directory._PAGE", 2)
        assert [one.code for one in Directory(registers).inspectors()] == ["all", "gas", "weld"]
