"""W101 and W102, when alarms come and go, and what their evidence may say."""

from typing import TYPE_CHECKING

import msgspec
import pytest

from detectors.base import Transition, World
from detectors.parameters import Parameters
from detectors.welding import certificates, permits
from detectors.welding.detector import Welding
from domain.findings import Action, Severity, to_json_lines
from domain.readings import Quality
from ledger.evidence import sentence

if TYPE_CHECKING:
    from tests.unit.detectors.welding.conftest import Workshop


def test_everything_in_order_is_no_finding(work: "Workshop") -> None:
    """A registered machine, a scanned-in welder with certificate and permit: a day's work raises nothing."""
    said = []
    for step in range(50):
        said += work.weld(amps=100.0 + step % 9, volts=24.0 + step % 5) + work.wait(1) + work.idle() + work.wait(30)
    assert said + work.say("scan.out", credential="C-1") + work.wait(5) + work.say("power.off") == []


def test_an_arc_of_an_unregistered_machine_is_w101_alone(empty: "Workshop") -> None:
    """Nobody can scan a machine that has no code, so the other rules add nothing."""
    assert empty.weld("stranger") == ["W101 raise"]
    finding = empty.found[-1]
    assert finding.severity is Severity.CRITICAL
    assert finding.evidence == {
        "reason": "not_registered",
        "path": "a/s/stranger",
        "current_a": 120.0,
        "voltage_v": 25.0,
    }


def test_power_alone_is_enough_for_w101(empty: "Workshop") -> None:
    """An unregistered machine is told from the moment it has power until it has none."""
    assert empty.say("power.on", "stranger") == ["W101 raise"]
    assert empty.weld("stranger") == []
    assert empty.wait(90) == []
    assert empty.say("power.off", "stranger") == ["W101 clear"]


def test_a_machine_that_goes_offline_has_no_known_power(empty: "Workshop") -> None:
    """W101 does not stand forever on a power.on of a chip that is gone."""
    empty.say("power.on", "stranger")
    assert empty.say("status.offline", "stranger") == ["W101 clear"]


def test_registering_the_machine_mends_w101_and_the_rest_is_judged(empty: "Workshop") -> None:
    """With the machine in the register, its arc is judged as any other: here nobody is scanned in and no permit."""
    empty.prepare()
    empty.weld()
    assert empty.machine() == ["W101 clear", "W102 raise", "W106 raise"]
    assert empty.found[-3].evidence == {"reason": "mended"}


def test_a_machine_taken_out_of_service_is_w101(work: "Workshop") -> None:
    """A machine the register calls out of service must not weld."""
    work.weld()
    assert work.machine(in_service=False) == ["W101 raise"]
    assert work.found[-1].evidence["reason"] == "out_of_service"


def test_another_kind_of_device_is_no_machine(empty: "Workshop") -> None:
    """The arc-like current of a registered gas detector, and its power.on, accuse nobody."""
    _make_gas_detector(empty)
    assert empty.say("power.on", "m1") == []
    assert empty.weld("m1") == []


def test_what_turns_out_to_be_no_machine_is_no_longer_accused(empty: "Workshop") -> None:
    """Registering the stranger as a gas detector clears its W101."""
    empty.say("power.on", "m1")
    assert _make_gas_detector(empty) == ["W101 clear"]


def _make_gas_detector(shop: "Workshop") -> list[str]:
    from registers.device import Device, DeviceKind, DeviceModel  # noqa: PLC0415  only here

    model = DeviceModel(code="gx", name="gx", kind=DeviceKind.GAS)
    return shop.register(model, Device(code="m1", site="s", model="gx"))


def test_a_scan_alone_does_not_weld(shop: "Workshop") -> None:
    """An unknown credential at a cold machine is no offence yet."""
    assert shop.say("power.on") + shop.say("scan.in", credential="C-9") + shop.idle() == []


def test_scanning_in_mends_w102(shop: "Workshop") -> None:
    """A welder in order who scans in and welds on ends the alarm with the next arcing reading."""
    shop.weld()
    assert shop.say("scan.in", credential="C-1") == []
    assert shop.weld(amps=121.0) == ["W102 clear"]


def test_welding_on_after_scanning_out_is_w102(work: "Workshop") -> None:
    """Who scans out and welds on works unseen; who scans out after the last spark has done nothing wrong."""
    work.weld()
    assert work.say("scan.out", credential="C-1") + work.wait(10) + work.idle() == []
    assert work.weld(amps=121.0) == ["W102 raise"]


def test_a_scan_after_the_last_spark_accuses_nobody(work: "Workshop") -> None:
    """Within the off-delay of one welder's arc, a stranger's scan is not yet an offence."""
    work.weld()
    work.say("scan.out", credential="C-1")
    assert work.say("scan.in", credential="C-9") + work.wait(30) + work.machine(interval_s=30) + work.wait(60) == []


def test_a_cause_that_becomes_another_changes_hands(shop: "Workshop") -> None:
    """An unknown person who scans in and welds on turns W102 into W103 in one record."""
    shop.weld()
    shop.say("scan.in", credential="C-9")
    assert shop.weld(amps=121.0) == ["W102 clear", "W103 raise"]


def test_a_reason_that_changes_is_told_once(work: "Workshop") -> None:
    """The same rule for another reason is a change; the same reason again is not."""
    work.weld()
    assert work.certificate(state="pending") == ["W104 raise"]
    assert work.certificate(state="suspended") == ["W104 change"]
    assert work.found[-1].severity is Severity.CRITICAL
    assert work.certificate(state="suspended", number="T1") == []


def test_alarms_end_with_the_arc(shop: "Workshop") -> None:
    """When the arc is over every W alarm clears, and says so."""
    shop.withdraw("permit", "DH-1")
    assert shop.weld() == ["W102 raise", "W106 raise"]
    assert shop.wait(90) == ["W102 clear", "W106 clear"]
    assert [finding.evidence for finding in shop.found[-2:]] == [{"reason": "ended"}] * 2


def test_a_late_arc_is_judged_by_who_was_there_then(work: "Workshop") -> None:
    """Telemetry that arrives after the welder left is held against the session it belongs to."""
    work.wait(1200)
    work.say("scan.out", credential="C-1")
    work.wait(60)
    assert work.weld(late_s=600) == []


def test_retained_scans_open_no_session(shop: "Workshop") -> None:
    """A scan the broker kept is nobody's presence."""
    shop.say("scan.in", credential="C-1", quality=Quality.RETAINED)
    assert shop.weld() == ["W102 raise"]


def test_a_machine_may_be_watched_without_any_finding(work: "Workshop") -> None:
    """Transitions tell the other rules when an arc begins and ends, in order or not."""
    detector = Welding(Parameters())
    transitions: list[Transition] = []
    world = World()
    for segment in work.records:
        world.view.apply(segment.changes)
    work.weld()
    work.wait(90)
    world.slots.take("a/s/m1")
    transitions += detector.observe(work.records[-2], world).transitions
    transitions += detector.tick(work.offset, work.now_ms, world).transitions
    assert [(t.state, t.on) for t in transitions] == [("arc", True), ("arc", False)]


REASONS = {"ended", "mended", "arc_ended", "gas_cleared", "not_registered", "out_of_service", "nobody_scanned_in"}
REASONS |= {"unknown_credential", "no_certificate", "not_covered", "no_permit", "unknown_permit"}
REASONS |= {reason for reason in (*certificates.RANK, *permits.RANK) if reason is not None}

PERSONAL = ["张某一", "11010519491231002X", "13812345678"]


@pytest.mark.parametrize("credential", ["C-1", "C-9", *PERSONAL, "T11010519491231002X"])
@pytest.mark.parametrize("state", ["valid", "revoked"])
def test_no_finding_holds_personal_data(work: "Workshop", credential: str, state: str) -> None:
    """Names, ID and certificate numbers and telephones stay out of evidence, whatever a chip sends as a credential."""
    work.welder(phone="13812345678")
    work.certificate(state=state)
    work.withdraw("permit", "DH-1")
    work.weld()
    work.say("scan.in", credential=credential, permit="T11010519491231002X")
    work.weld(amps=121.0)
    text = to_json_lines(work.found).decode()
    assert text
    assert not [word for word in PERSONAL if word in text]


def test_evidence_is_plain_json(work: "Workshop") -> None:
    """Every finding survives a round trip through JSON unchanged."""
    work.certificate(item="压力焊作业")
    work.permit(welders=("w9",))
    work.weld()
    assert [f.action for f in work.found] == [Action.RAISE, Action.RAISE]
    for finding in work.found:
        assert msgspec.json.decode(msgspec.json.encode(finding.evidence)) == finding.evidence


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_has_words_for_the_inspector(reason: str) -> None:
    """No English code reaches a message: each reason has its Chinese words."""
    assert reason not in sentence({"reason": reason})
