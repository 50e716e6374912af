"""A finding's evidence as one Chinese sentence, for messages and reports: the deciding reading, or the facts that decided.

Only what has a word here is said; an unknown key stays in the books and out of the sentence.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.measurands import BY_NAME

_LARGE = 1000
"""From here on a number is told as it is."""
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
    "gas_rule": "燃气报警规则",
    "fire_device": "火灾探测器",
    "fire_rule": "火灾监护规则",
    "registered_at": "登记位置",
    "path": "上报位置",
    "guardian": "作业票监护人",
    "other_machine": "另一台焊机",
    "ban_reason": "禁令",
    "last_arc": "末次起弧",
    "since": "起始",
    "point": "点位",
    "good_until": "有效期至",
    "installed_on": "安装日期",
    "life_basis": "年限依据",
    "command": "指令",
    "by": "下达",
    "enterprise": "企业",
    "quarter": "时段",
    "order": "停产指令",
    "group": "并入",
    "baseline_of": "基线来自",
    "caution": "注意",
    "ban": "禁令编号",
}
_LISTS = {
    "codes": "故障",
    "points": "报警点位",
    "devices": "报警设备",
    "criteria": "异常判据",
    "gaps": "失去监护",
    "silent_machines": "失联焊机",
}
_UNITS = {
    "current_a": ("焊接电流", "A"),
    "voltage_v": ("焊接电压", "V"),
    "supply_current_a": ("供电电流", "A"),
    "lasted_s": ("持续", "秒"),
    "silent_s": ("未上报", "秒"),
    "apart_s": ("相隔", "秒"),
    "known_h": ("已学习", "小时"),
    "departed_min": ("已偏离", "分钟"),
    "reaches_in_s": ("预计到达设定值", "秒后"),
    "rising_s": ("已上升", "秒"),
    "minutes_at_this_level": ("此浓度下报警需", "分钟"),
    "gas_alarms": ("燃气报警", "个"),
    "points_missing": ("失去监护点", "个"),
    "smoke_dbm": ("烟雾减光率", "dB/m"),
    "temp_c": ("温度", "℃"),
    "rate_c_min": ("升温速度", "℃/min"),
    "rate_limit_c_min": ("升温速度限值", "℃/min"),
    "co_rise_ppm": ("一氧化碳升高", "ppm"),
    "distance_m": ("距离", "m"),
    "allowed_m": ("允许半径", "m"),
    "minutes": ("间隔", "分钟"),
    "speed_kmh": ("所需时速", "km/h"),
    "limit_kmh": ("时速上限", "km/h"),
    "test_age_min": ("检测早于作业", "分钟"),
    "bursts": ("起弧负荷", "次"),
    "rise_kw": ("负荷升高", "kW"),
    "idle_kw": ("平时负荷", "kW"),
    "limit_min": ("时限", "分钟"),
    "limit_h": ("时限", "小时"),
    "members": ("设备", "台"),
    "silent": ("失联", "台"),
    "still_silent": ("仍未恢复", "台"),
    "life_years": ("使用年限", "年"),
    "days_left": ("剩余", "天"),
    "overdue_days": ("已过期", "天"),
    "lasts_min": ("已持续", "分钟"),
    "lasts_s": ("已持续", "秒"),
    "allowed_min": ("允许", "分钟"),
    "allowed_s": ("允许", "秒"),
    "skew_s": ("时钟快（负为慢）", "秒"),
    "lost": ("缺失消息", "条"),
    "within_min": ("历时", "分钟"),
    "turns": ("两组序号交替", "次"),
    "waited_s": ("已等待", "秒"),
    "unchanged_min": ("读数未变", "分钟"),
    "readings": ("相同读数", "次"),
    "usual_readings": ("平时连续相同", "次"),
    "hours": ("持续", "小时"),
    "rise": ("十分钟内升高", "℃"),
    "kw": ("总用电", "kW"),
    "base_kw": ("许可基础负荷", "kW"),
    "safe_kw": ("安全负荷", "kW"),
    "usual_kw": ("同期常态", "kW"),
    "times_spread": ("高出平时波动", "倍"),
    "meters": ("电表", "块"),
    "meters_reporting": ("有数据", "块"),
}
_BESIDE = {
    "set_point": "设定值",
    "baseline": "平时",
    "spread": "平时波动",
    "rise_per_min": "每分钟升高",
    "noise": "近期噪声",
    "noise_of_day": "近一日噪声",
    "usual_noise": "平时噪声",
    "in_clean_air": "清洁空气中应为",
    "drift_limit": "漂移限值",
}
"""Facts in the unit of the reading, told with it."""
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
    "watch_restored": "火灾监护已恢复",
    "fire_cleared": "火警已恢复",
    "all_points_clear": "各点均已恢复",
    "point_alarmed": "已转为火警",
    "subsided": "已回落",
    "hot": "达到定温报警值",
    "rising": "升温过快",
    "device": "探测器自报预警",
    "shielded": "探测点被屏蔽",
    "shielded_smoke": "感烟被屏蔽",
    "shielded_heat": "感温被屏蔽",
    "shielded_flame": "火焰探测被屏蔽",
    "shielded_co": "一氧化碳探测被屏蔽",
    "shielded_manual": "手动报警按钮被屏蔽",
    "mains_lost": "主电丢失",
    "backup_lost": "备电丢失",
    "outside_place": "焊机在作业票地点之外",
    "scanned_elsewhere": "扫码地点在作业票地点之外",
    "moved_while_locked": "锁机后被移动",
    "too_fast": "两次扫码之间不可能到达",
    "two_at_once": "同一证书同时在两台焊机作业",
    "guardian_absent": "监护人不在场",
    "guardian_is_welder": "焊工自任监护人",
    "other_guardian": "在场监护人与作业票不符",
    "no_gas_test": "动火前未检测气体",
    "gas_test_too_old": "气体检测已失效",
    "gas_over_limit": "气体检测不合格",
    "no_result": "气体检测没有结果",
    "watch_not_confirmed": "未确认留守",
    "banned": "动火禁令",
    "works_while_locked": "锁机后仍在作业",
    "chip_removed": "芯片被拆除",
    "meter_shows_arc": "模块失联而电表显示起弧",
    "machine_heard": "焊机恢复上报",
    "meter_quiet": "电表恢复平稳",
    "no_rest": "长时间没有休息",
    "powered_too_long": "连续通电过久",
    "expires": "即将到期",
    "silent": "超过应报间隔未上报",
    "will": "网络连接中断",
    "heard": "已恢复上报",
    "withdrawn": "不再监测",
    "together": "整体失联",
    "in_group": "并入整体失联",
    "service_life": "使用年限",
    "calibration": "校准期限",
    "end_of_life": "自报寿命到期",
    "battery_low": "自报电池欠压",
    "charge": "电量低",
    "tamper": "外壳被打开或设备被拆动",
    "mute": "长时间消音",
    "shield": "长时间屏蔽",
    "clock_skew": "时钟偏差",
    "messages_lost": "消息缺失",
    "two_devices": "疑似两台设备同一身份",
    "no_answer": "指令无应答",
    "refused": "指令被拒绝",
    "lock": "锁机",
    "unlock": "解锁",
    "valve.close": "关阀",
    "user": "值班人员",
    "frozen": "读数冻结",
    "noise": "噪声远超平时",
    "span_loss": "灵敏度丧失",
    "zero_drift": "零点漂移",
    "selftest_failed": "自检不合格",
    "low_low": "低低限",
    "high_high": "高高限",
    "level1": "一级",
    "level2": "二级",
    "set_point": "超过设定值",
    "inside": "回到限内",
    "rise": "快速升温",
    "fan_off": "设备运行而风机停转",
    "discharge": "卸灰故障",
    "stop_order": "停产期间用电",
    "above_safe": "超过安全负荷",
    "unusual": "高于本单位同期常态",
    "co_dose": "一氧化碳累积",
    "one_sensor_left": "只余一个探测器",
    "commanded_closed": "已下令关阀",
    "expected_closed": "高限报警应关阀",
    "valve_not_reached": "阀门未到位",
    "last_days": "近几日",
    "hour_of_day": "同一时刻",
    "last_hours": "近几小时",
    "ambiguous_past_lel": "催化燃烧式探测器超过爆炸下限后读数不可信，可能更高",
    "unregistered": "不在名录",
    "registered_elsewhere": "登记在其他场所",
    "sensor_open": "传感器开路",
    "heater": "加热元件故障",
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
    sensors = evidence.get("sensors")
    if sensors and isinstance(sensors, list | tuple):
        yield "相互印证：" + "、".join(_sensor(sensor) for sensor in sensors if isinstance(sensor, Mapping))
    for name, label in _LISTS.items():
        words = evidence.get(name)
        if words and isinstance(words, list | tuple):
            yield f"{label}：" + "、".join(map(_word, words))
    for name, label in _LABELS.items():
        value = evidence.get(name)
        if value is not None and value != evidence.get("measurand"):  # a cause that only repeats what was measured
            yield f"{label}：{_word(value)}"
    for name, (label, unit) in _UNITS.items():
        if (value := evidence.get(name)) is not None:
            yield f"{label} {value} {unit}"


def _reading(evidence: Mapping[str, Any]) -> str:
    measurand = BY_NAME[evidence["measurand"]]
    text = f"{measurand.title} {evidence['value']} {measurand.unit}"
    for name, label in _BESIDE.items():
        if isinstance(value := evidence.get(name), int | float):
            text += f"，{label} {_rounded(value)} {measurand.unit}"
    return text


def _sensor(sensor: Mapping[str, Any]) -> str:
    """Return one of the sensors that agree: where, and what it read if it says so."""
    return " ".join([str(sensor.get("device")), *_facts(sensor)])


def _rounded(value: float) -> str:
    """Return a number with as many digits as anybody reads."""
    return str(value) if abs(value) >= _LARGE else f"{value:.3g}"


def _word(value: Any) -> str:
    return _VALUES.get(str(value), str(value))
