"""What an inspector reads: what, how grave, where, when, and the reading or fact that decided, in Chinese."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from alerting.directory import Place
from ledger import words
from ledger.books import Notice
from ledger.evidence import sentence
from ledger.policy import RulePolicy
from registers.local_time import LOCAL

_ALARM_NEWS = {
    "alarm.raise": "",
    "alarm.change": "级别升高，",
    "alarm.clear": "已恢复，",
    "alarm.unshelve": "搁置到期仍在报警，",
    "alarm.enable": "恢复启用仍在报警，",
}


class Text(NamedTuple):
    """A headline and the whole message."""

    title: str
    text: str


def compose(notice: Notice, place: Place, policies: Mapping[str, RulePolicy]) -> Text:
    """Return the message for a notice; never fails for want of a word: then the code stands for it."""
    return _alarm(notice, place, policies) if notice.kind.startswith("alarm.") else _hazard(notice, place)


def bare(notice: Notice, place: Place) -> Text:
    """Return a message that says no more than where to look, for a notice that `compose` fails on."""
    where = " ".join(part for part in (place.area_name, place.site_name, place.device_name) if part)
    title = f"{notice.body.get('rule') or notice.body.get('id') or notice.subject}：请立即在平台查看"
    return Text(title, _joined(title, where))


def _alarm(notice: Notice, place: Place, policies: Mapping[str, RulePolicy]) -> Text:
    body, rule = notice.body, notice.body["rule"]
    policy = policies.get(rule)
    late = "（迟报）" if body.get("late") else ""
    title = f"【{words.SEVERITY[body['severity']]}】{policy.title if policy else rule}{late}"
    news = _ALARM_NEWS.get(notice.kind, "")
    return Text(title, _joined(title, news + _where_and_when(notice, place), _evidence(notice)))


def _evidence(notice: Notice) -> str:
    """Return what decided; when an alarm ends, what its end says, for the reading that raised it is history then."""
    evidence: dict[str, Any] = notice.body.get("evidence") or {}
    return sentence(evidence.get("clear", {}) if notice.kind == "alarm.clear" else evidence)


def _hazard(notice: Notice, place: Place) -> Text:
    body, event = notice.body, notice.kind.partition(".")[2]
    title = f"【{words.GRADE[body['grade']]}】{words.HAZARD_EVENT.get(event, event)}：{body['title']}"
    due = f"整改期限 {_local(body['due_ms'])}" if body.get("due_ms") else ""
    where = f"编号 {body['id']}，{_where_and_when(notice, place)}，状态：{words.HAZARD_STATE[body['state']]}"
    return Text(title, _joined(title, where, due))


def _where_and_when(notice: Notice, place: Place) -> str:
    parts = [place.area_name, place.site_name, place.device_name]
    return f"{' '.join(part for part in parts if part)}，{_local(notice.created_at_ms)}"


def _local(at_ms: int) -> str:
    return dt.datetime.fromtimestamp(at_ms / 1000, LOCAL).strftime("%Y-%m-%d %H:%M:%S")


def _joined(*parts: str) -> str:
    return "。".join(part for part in parts if part) + "。"
