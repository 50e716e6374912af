"""The Chinese words of the ledger, one catalogue: states, steps, severities, grades, channels. Screens and messages read it."""

from domain.findings import Severity
from ledger.alarm import AlarmEvent, AlarmState
from ledger.hazard import ALARM, OPEN, Channel, Grade, HazardState, HazardStep

SEVERITY: dict[int, str] = {
    Severity.CRITICAL: "紧急",
    Severity.HIGH: "重要",
    Severity.MEDIUM: "一般",
    Severity.NOTICE: "提示",
}

ALARM_STATE: dict[str, str] = {
    AlarmState.ACTIVE_UNACKED: "报警未确认",
    AlarmState.ACTIVE_ACKED: "报警已确认",
    AlarmState.CLEARED_UNACKED: "已恢复未确认",
    AlarmState.SHELVED: "已搁置",
    AlarmState.OUT_OF_SERVICE: "停用",
    AlarmState.CLOSED: "已关闭",
}

ALARM_EVENT: dict[str, str] = {
    AlarmEvent.RAISE: "报警",
    AlarmEvent.CHANGE: "变化",
    AlarmEvent.CLEAR: "恢复",
    AlarmEvent.ACKNOWLEDGE: "确认",
    AlarmEvent.SHELVE: "搁置",
    AlarmEvent.UNSHELVE: "取消搁置",
    AlarmEvent.DISABLE: "停用",
    AlarmEvent.ENABLE: "启用",
}

HAZARD_STATE: dict[str, str] = {
    HazardState.CLUE: "线索",
    HazardState.VERIFIED: "已核实",
    HazardState.REGISTERED: "已登记定级",
    HazardState.ASSIGNED: "已交办",
    HazardState.ACCEPTED: "已签收",
    HazardState.RECTIFYING: "整改中",
    HazardState.REVIEW_REQUESTED: "待复查",
    HazardState.REVIEWED: "已复查",
    HazardState.APPROVED: "已审核",
    HazardState.CLOSED: "已销号",
    HazardState.ARCHIVED: "已归档",
}

HAZARD_EVENT: dict[str, str] = {
    OPEN: "发现",
    ALARM: "关联报警",
    HazardStep.VERIFY: "核实",
    HazardStep.REFUTE: "核实不实",
    HazardStep.REGISTER: "登记定级",
    HazardStep.ASSIGN: "交办",
    HazardStep.ACCEPT: "签收",
    HazardStep.DECLINE: "退回交办",
    HazardStep.REASSIGN: "改派",
    HazardStep.EXTEND: "延期",
    HazardStep.START: "开始整改",
    HazardStep.REQUEST_REVIEW: "申请复查",
    HazardStep.PASS_REVIEW: "复查通过",
    HazardStep.RETURN_TO_RECTIFY: "退回整改",
    HazardStep.APPROVE: "部门审核",
    HazardStep.CLOSE: "销号",
    HazardStep.REOPEN: "重开",
    HazardStep.NOTE: "备注",
}

GRADE: dict[str, str] = {
    Grade.GENERAL: "一般隐患",
    Grade.MAJOR_CANDIDATE: "疑似重大隐患",
    Grade.MAJOR: "重大隐患",
}

WHOLE = {"site": "全部场所", "device": "全部设备"}
"""How the sites of an area, and the devices of a site, are called together."""

CHANNEL: dict[str, str] = {
    Channel.MONITORING: "监测预警",
    Channel.ENTERPRISE: "企业自查",
    Channel.INSPECTION: "督导检查",
    Channel.PUBLIC: "群众举报",
}


def hazard_description(rule: str, title: str, severity: int, device: str) -> str:
    """Return the sentence a hazard opened by an alarm begins with."""
    return f"监测设备 {device} 触发规则 {rule}（{title}），报警级别：{SEVERITY[severity]}。"
