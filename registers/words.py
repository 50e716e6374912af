"""The Chinese words of the registers: titles of columns and of listed values, as people write them in spreadsheets."""

from enum import StrEnum

from registers.device import DeviceKind
from registers.machine import Process
from registers.noun import Noun
from registers.permit import PermitLevel, PermitState
from registers.person import CertificateState, Family
from registers.place import RiskClass

_COLUMNS: dict[str, str] = {
    "area": "乡镇街道",
    "areas": "负责乡镇街道",
    "base_kw": "基础负荷千瓦",
    "calibration_due": "校准到期日",
    "category": "作业类别",
    "channels": "通知渠道",
    "chip": "芯片编号",
    "code": "编码",
    "contact": "主要负责人",
    "credential": "扫码凭证",
    "ends_at": "结束时间",
    "enterprise": "企业编码",
    "family": "证书体系",
    "from_h": "每日起始时刻",
    "full_scale": "量程上限",
    "gas": "气体",
    "guardian": "监护人",
    "high": "高限",
    "high_high": "高高限",
    "id_number": "身份证号",
    "in_service": "在用",
    "industry": "行业",
    "installed_on": "安装日期",
    "interval_s": "上报间隔秒",
    "issued_on": "发证日期",
    "item": "操作项目",
    "kind": "类型",
    "kinds": "负责类型",
    "lat": "纬度",
    "lel_basis": "爆炸下限依据",
    "lel_vol": "爆炸下限",
    "level": "级别",
    "level1": "一级报警值",
    "level2": "二级报警值",
    "life_years": "使用年限",
    "lon": "经度",
    "low": "低限",
    "low_low": "低低限",
    "measurand": "监测量",
    "measures": "测量位置",
    "model": "型号编码",
    "name": "名称",
    "number": "证书编号",
    "phone": "电话",
    "process": "焊接方法",
    "radius_m": "半径米",
    "reason": "事由",
    "review_due": "复审日期",
    "risk": "风险等级",
    "safe_kw": "安全负荷千瓦",
    "set_point_basis": "报警值依据",
    "site": "场所编码",
    "starts_at": "开始时间",
    "state": "状态",
    "to_h": "每日截止时刻",
    "uscc": "统一社会信用代码",
    "valid_until": "有效期至",
    "welder": "焊工编码",
    "welders": "焊工编码",
    "work": "作业内容",
}

_PERSON_NAME = {"welder", "inspector"}

VALUES: dict[type[StrEnum], dict[str, str]] = {
    RiskClass: {"major": "重大风险", "larger": "较大风险", "general": "一般风险", "low": "低风险"},
    DeviceKind: {"gas": "燃气", "fire": "消防", "welding": "焊接", "electric": "用电", "process": "工艺"},
    Process: {"mma": "焊条电弧焊", "tig": "氩弧焊", "mag": "气保焊", "resistance": "电阻焊", "gas": "气焊气割"},
    Family: {"emergency": "应急管理", "construction": "住房城乡建设", "special_equipment": "市场监管"},
    CertificateState: {"valid": "有效", "pending": "待核验", "suspended": "暂扣", "revoked": "撤销"},
    PermitLevel: {"special": "特级", "first": "一级", "second": "二级"},
    PermitState: {"draft": "草稿", "approved": "已批准", "cancelled": "已取消", "closed": "已关闭"},
}
"""Listed type → value → Chinese word."""


def column_title(cls: type[Noun], field: str) -> str:
    """Return the Chinese title of a column."""
    return "姓名" if field == "name" and cls.noun in _PERSON_NAME else _COLUMNS[field]
