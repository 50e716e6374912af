"""A finding's evidence as one Chinese sentence, for messages and reports: the deciding reading, or the facts that decided.

Only what has a word here is said; an unknown key stays in the books and out of the sentence.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.measurands import BY_NAME

_LABELS = {
    "reason": "原因",
    "lapsed": "证书状态",
    "machine": "焊机编号",
    "welder": "焊工编号",
    "credential": "扫码凭证",
    "category": "证书类别",
    "item": "操作项目",
    "valid_until": "证书有效期至",
    "review_due": "应复审日期",
    "permit": "作业票",
    "named_permit": "所报作业票",
    "starts_at": "作业开始",
    "ends_at": "作业截止",
    "level": "作业票级别",
    "level_required": "应有级别",
    "gas_device": "燃气探测器",
}
_UNITS = {
    "current_a": ("焊接电流", "A"),
    "voltage_v": ("焊接电压", "V"),
    "supply_current_a": ("供电电流", "A"),
    "lasted_s": ("持续", "秒"),
    "silent_s": ("未上报", "秒"),
}
_VALUES = {
    "not_registered": "未登记入平台",
    "out_of_service": "已停用",
    "nobody_scanned_in": "无人扫码",
    "unknown_credential": "凭证不在册",
    "no_certificate": "无有效作业证书",
    "not_covered": "证书项目不覆盖本作业",
    "expired": "已过期",
    "review_overdue": "逾期未复审",
    "suspended": "已暂扣",
    "revoked": "已吊销",
    "not_yet": "尚未生效",
    "pending": "待核验",
    "no_permit": "无动火作业票",
    "unknown_permit": "作业票不在册",
    "level_too_low": "作业票级别不足",
    "welder_not_listed": "焊工不在作业票名单",
    "ended": "已结束",
    "not_started": "未到开始时间",
    "not_approved": "作业票未批准",
    "other_site": "作业票属于其他场所",
    "mended": "已纠正",
    "arc_ended": "焊接已停止",
    "gas_cleared": "气体已恢复",
    "hidden": "不予显示",
    "special": "特级",
    "first": "一级",
    "second": "二级",
    "smoke": "感烟",
    "heat": "感温",
    "manual": "手动报警按钮",
    "flame": "火焰",
    "co": "一氧化碳",
    "high": "高",
    "low": "低",
}


def sentence(evidence: Mapping[str, Any]) -> str:
    """Return the facts, joined by `；`; empty when there is nothing that has a word."""
    return "；".join(_facts(evidence))


def _facts(evidence: Mapping[str, Any]) -> Iterator[str]:
    if "value" in evidence and str(evidence.get("measurand")) in BY_NAME:
        yield _reading(evidence)
    points = evidence.get("points")
    if points and isinstance(points, list | tuple):
        yield "报警点位：" + "、".join(_word(point) for point in points)
    for name, label in _LABELS.items():
        if (value := evidence.get(name)) is not None:
            yield f"{label}：{_word(value)}"
    for name, (label, unit) in _UNITS.items():
        if (value := evidence.get(name)) is not None:
            yield f"{label} {value} {unit}"


def _reading(evidence: Mapping[str, Any]) -> str:
    measurand = BY_NAME[evidence["measurand"]]
    text = f"{measurand.title} {evidence['value']} {measurand.unit}"
    if (limit := evidence.get("set_point")) is not None:
        text += f"，设定值 {limit} {measurand.unit}"
    return text


def _word(value: Any) -> str:
    return _VALUES.get(str(value), str(value))
