"""What an inspector reads."""

from collections.abc import Callable, Mapping

import pytest

from alerting.directory import Place
from alerting.messages import compose
from domain.findings import Action, Severity
from ledger.books import Notice, Sent
from ledger.hazard import Channel, Grade, HazardDraft
from ledger.policy import RulePolicy
from registers.device import DeviceKind
from storage.sql.ledger import SqlLedger

_PLACE = Place("weidong", "卫东街道", "某火锅店", "后厨 1 号探测器", DeviceKind.GAS)


@pytest.fixture
def newest(ledger: SqlLedger, noon: int) -> Callable[[], Notice]:

    def hand() -> Notice:
        for notice in iter(lambda: ledger.outbox.due_notices(noon), []):
            last = notice[-1]
            ledger.outbox.notices_sent([Sent(last.id, noon, [])])
        return last

    return hand


def test_alarm_says_what_how_grave_where_when_and_why(
    found: Callable[..., None], newest: Callable[[], Notice], policies: Mapping[str, RulePolicy]
) -> None:
    """Severity, rule, place, local time and the deciding reading are in one message."""
    found()
    title, text = compose(newest(), _PLACE, policies)
    assert title == "【重要】可燃气体低报"
    assert text == (
        "【重要】可燃气体低报。卫东街道 某火锅店 后厨 1 号探测器，2026-03-01 12:00:00。甲烷 27.5 %LEL，设定值 25 %LEL。"
    )


def test_late_alarm_says_so(
    found: Callable[..., None], newest: Callable[[], Notice], policies: Mapping[str, RulePolicy]
) -> None:
    """An alarm from an old reading does not claim to be current."""
    found(late=True)
    assert compose(newest(), _PLACE, policies).title == "【重要】可燃气体低报（迟报）"


def test_end_of_an_alarm_tells_how_it_ended(
    found: Callable[..., None], newest: Callable[[], Notice], policies: Mapping[str, RulePolicy]
) -> None:
    """A clear says it is over and how long it lasted, not the reading that raised it."""
    found()
    found(action=Action.CLEAR, evidence={"lasted_s": 95, "peaks": {"ch4_lel": 41.0}})
    text = compose(newest(), _PLACE, policies).text
    assert "已恢复，卫东街道" in text
    assert "持续 95 秒" in text
    assert "27.5" not in text


def test_graver_alarm_says_so(
    found: Callable[..., None], newest: Callable[[], Notice], policies: Mapping[str, RulePolicy]
) -> None:
    """A rise in severity is told as one."""
    found()
    found(severity=Severity.CRITICAL)
    title, text = compose(newest(), _PLACE, policies)
    assert title.startswith("【紧急】")
    assert "级别升高" in text


def test_unknown_rule_is_called_by_its_code(found: Callable[..., None], newest: Callable[[], Notice]) -> None:
    """A rule without a title is better told by its code than not at all."""
    found()
    assert compose(newest(), _PLACE, {}).title == "【重要】G102"


def test_hazard_step_says_number_state_and_deadline(
    ledger: SqlLedger, newest: Callable[[], Notice], policies: Mapping[str, RulePolicy], noon: int
) -> None:
    """A hazard's message names its number, what happened, its state and when it is due."""
    draft = HazardDraft(
        grade=Grade.GENERAL,
        channel=Channel.PUBLIC,
        title="疏散通道堵塞",
        description="举报",
        basis="消防法 28",
        area="weidong",
        site="hotpot",
        due_ms=noon + 86_400_000,
    )
    name = ledger.hazards.open_hazard(draft, by="user:li", at_ms=noon).id
    ledger.hazards.act_on_hazard(name, "verify", by="user:li", at_ms=noon, basis="现场核实")
    title, text = compose(newest(), _PLACE, policies)
    assert title == "【一般隐患】核实：疏散通道堵塞"
    assert f"编号 {name}" in text
    assert "状态：已核实" in text
    assert "整改期限 2026-03-02 12:00:00" in text
