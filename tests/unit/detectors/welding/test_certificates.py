"""W103-W105: which certificate is held against a welder, and which welds are covered."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from detectors.welding.certificates import SCOPES, covers
from domain.findings import Severity
from registers.machine import Process
from registers.person import Certificate, CertificateState, Family

if TYPE_CHECKING:
    from tests.unit.detectors.welding.conftest import Workshop

FUSION = {Process.MMA, Process.TIG, Process.MAG, Process.GAS}
WELDING = "焊接与热切割作业"


@pytest.mark.parametrize(
    ("family", "category", "item", "processes"),
    [
        (Family.EMERGENCY, WELDING, "熔化焊接与热切割作业", FUSION),
        (Family.EMERGENCY, WELDING, "熔化焊接与热切割", FUSION),
        (Family.EMERGENCY, WELDING, " 熔化焊接 与热切割作业 ", FUSION),
        (Family.EMERGENCY, WELDING, "压力焊作业", {Process.RESISTANCE}),
        (Family.EMERGENCY, WELDING, "钎焊作业", set()),
        (Family.EMERGENCY, "电工作业", "低压电工作业", set()),
        (Family.CONSTRUCTION, "建筑焊工", "建筑焊工", FUSION),
        (Family.CONSTRUCTION, "建筑施工特种作业", "建筑焊工（含焊接、切割）", FUSION),
        (Family.CONSTRUCTION, "建筑电工", "建筑电工", set()),
        (Family.SPECIAL_EQUIPMENT, "特种设备焊接作业", "金属焊接操作", FUSION),
        (Family.SPECIAL_EQUIPMENT, "特种设备焊接作业", "非金属焊接操作", set()),
        (Family.CONSTRUCTION, WELDING, "熔化焊接与热切割作业", set()),
    ],
)
def test_a_certificate_covers_what_its_item_says(
    family: Family, category: str, item: str, processes: set[Process]
) -> None:
    """Fusion items cover arc and gas, 压力焊 covers resistance, brazing and other trades cover nothing."""
    day = dt.date(2025, 1, 1)
    certificate = Certificate(
        code="c", welder="w", number="n", family=family, category=category, item=item, issued_on=day, valid_until=day
    )
    assert {process for process in Process if covers(certificate, process)} == processes


def test_every_scope_names_its_basis() -> None:
    """What a certificate covers is data with a source, marked where nobody has read it."""
    assert all(scope.basis and scope.items for scope in SCOPES)


LAPSES: list[tuple[dict[str, Any], str, Severity]] = [
    ({"valid_until": dt.date(2026, 11, 17)}, "expired", Severity.CRITICAL),
    ({"review_due": dt.date(2026, 11, 17)}, "review_overdue", Severity.CRITICAL),
    ({"state": CertificateState.SUSPENDED}, "suspended", Severity.CRITICAL),
    ({"state": CertificateState.REVOKED}, "revoked", Severity.CRITICAL),
    ({"issued_on": dt.date(2026, 11, 19)}, "not_yet", Severity.CRITICAL),
    ({"state": CertificateState.PENDING}, "pending", Severity.MEDIUM),
]


@pytest.mark.parametrize(("fields", "reason", "severity"), LAPSES)
def test_a_covering_certificate_that_does_not_hold_is_w104(
    work: "Workshop", fields: dict[str, Any], reason: str, severity: Severity
) -> None:
    """The reason is named; one that merely waits for 核验 is of medium severity."""
    work.certificate(**fields)
    assert work.weld() == ["W104 raise"]
    finding = work.found[-1]
    assert (finding.evidence["reason"], finding.severity) == (reason, severity)


def test_the_last_day_still_holds(work: "Workshop") -> None:
    """Dates are inclusive: on the day of expiry and of review the certificate holds."""
    work.certificate(valid_until=dt.date(2026, 11, 18), review_due=dt.date(2026, 11, 18))
    assert work.weld() == []


def test_a_certificate_of_the_wrong_scope_is_w105(work: "Workshop") -> None:
    """压力焊 does not cover an electrode; the evidence says what was held and what was done."""
    work.certificate(item="压力焊作业")
    assert work.weld() == ["W105 raise"]
    evidence = work.found[-1].evidence
    assert (evidence["item"], evidence["process"]) == ("压力焊作业", "mma")


def test_a_pressure_welder_may_run_a_spot_welder(work: "Workshop") -> None:
    """The same certificate is in order on a resistance machine."""
    work.machine(process=Process.RESISTANCE)
    work.certificate(item="压力焊作业")
    assert work.weld(amps=9000.0, volts=4.0) == []


def test_no_certificate_in_any_register_is_w103(work: "Workshop") -> None:
    """A registered welder without any certificate welds 无证."""
    work.withdraw("certificate", "cert1")
    assert work.weld() == ["W103 raise"]
    assert work.found[-1].evidence["reason"] == "no_certificate"


def test_an_unknown_credential_is_w103(shop: "Workshop") -> None:
    """A credential that belongs to no registered welder is 无证 too."""
    shop.say("scan.in", credential="C-9")
    assert shop.weld() == ["W103 raise"]
    assert shop.found[-1].evidence["credential"] == "C-9"


def test_one_certificate_in_order_is_enough(work: "Workshop") -> None:
    """Others that lapsed or cover other work are not held against the welder."""
    work.certificate(code="cert0", item="压力焊作业")
    work.certificate(code="cert2", valid_until=dt.date(2024, 1, 1))
    assert work.weld() == []


@pytest.mark.parametrize(
    ("second", "rule", "reason"),
    [
        ({"item": "钎焊作业"}, "W104", "expired"),
        ({"state": CertificateState.PENDING}, "W104", "pending"),
        ({"state": CertificateState.REVOKED}, "W104", "expired"),
    ],
)
def test_the_nearest_miss_is_told(work: "Workshop", second: dict[str, Any], rule: str, reason: str) -> None:
    """Of several certificates not in order, the one nearest to it decides: scope first, then the lightest lapse."""
    work.certificate(valid_until=dt.date(2026, 1, 1))
    work.certificate(code="cert2", **second)
    assert work.weld() == [f"{rule} raise"]
    assert work.found[-1].evidence["reason"] == reason


def test_a_certificate_expires_at_local_midnight_under_a_burning_arc(work: "Workshop") -> None:
    """Welding on past the day of expiry turns W115 into W104 with the first arc of the new local day."""
    work.wait_until(work.local().replace(hour=22))
    work.prepare()
    work.certificate(valid_until=dt.date(2026, 11, 18))
    work.permit(ends_at=work.local() + dt.timedelta(days=2))
    said = []
    for minute in range(2 * 60):
        said += work.weld(amps=100.0 + minute % 7) + work.wait(60)
    assert said == ["W115 clear"]
    assert work.weld() == ["W104 raise"]
    assert (work.local().day, work.local().hour) == (19, 0)
