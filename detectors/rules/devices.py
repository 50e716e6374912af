"""The device rules (D): whether those who watch are themselves awake, known and sound.

Their alarms open no hazard, except D106: shutting off or damaging a safety monitor is an offence by itself.
"""

from detectors.rule import OURS, Parameter, Rule, read, unread
from domain.findings import Severity
from ledger.hazard import Grade

_LIFE = "CJJ/T 146-2011：探测器居住建筑五年、商业和工业三年"
_KEEP_WORKING = "安全生产法（2021）第三十六条：保证监控报警设备正常使用"

DEVICES: tuple[Rule, ...] = (
    Rule(
        code="D101",
        title="设备失联",
        severity=Severity.MEDIUM,
        grade=None,
        basis=unread(_KEEP_WORKING),
        summary=(
            "设备超过应报间隔没有消息，或网络断开；无监控即违规，高风险场所按重要处理；"
            "整个场所（路径“片区/场所/-”）或整个片区（“片区/-/-”）几乎同时失联时合为一条报警，不再逐台报警。"
        ),
        built=True,
        parameters=(
            Parameter("intervals", 2.5, "上报间隔数", OURS, 1.0, 20.0),
            Parameter("group_min", 5.0, "台", OURS, 2.0, 1000.0),
            Parameter("group_share", 0.8, "失联占比", OURS, 0.5, 1.0),
        ),
    ),
    Rule(
        code="D102",
        title="未登记设备上报",
        severity=Severity.MEDIUM,
        grade=None,
        basis=read(OURS),
        summary="有设备在上报，但不在任何登记簿中，或登记在别的场所。",
        built=True,
    ),
    Rule(
        code="D103",
        title="设备故障",
        severity=Severity.MEDIUM,
        grade=None,
        basis=unread(_KEEP_WORKING),
        summary="设备自报故障，其读数可能不可信，应尽快检修（电量低见 D108，寿命到期见 D105）。",
        built=True,
    ),
    Rule(
        code="D104",
        title="读数异常（冻结、噪声、漂移）",
        severity=Severity.MEDIUM,
        grade=None,
        basis=read(OURS),
        summary="气体探测器读数长时间一位不变、来回跳动远超平时、整日不回零点、灵敏度丧失，或自检不合格。",
        built=True,
        parameters=(
            Parameter("frozen_min", 120.0, "min", OURS, 1.0, 10_080.0),
            Parameter("noise_min", 10.0, "min", OURS, 0.0, 1440.0),
            Parameter("noise_ratio", 8.0, "平时之倍", OURS, 2.0, 100.0),
            Parameter("zero_h", 24.0, "h", OURS, 0.1, 168.0),
            Parameter("zero_share", 0.2, "一级设定值之比", OURS, 0.01, 1.0),
            Parameter("span_share", 0.2, "平时之比", OURS, 0.01, 0.9),
            Parameter("span_days", 7.0, "天", OURS, 0.01, 90.0),
        ),
    ),
    Rule(
        code="D105",
        title="超期服役或校准到期",
        severity=Severity.NOTICE,
        grade=None,
        basis=read("CJJ/T 146-2011：探测器居住建筑五年、商业和工业三年，切断阀十年"),
        summary="设备达到使用年限，或校准到期，或自报寿命到期；提前提示，已过期的按一般处理。",
        built=True,
        parameters=(
            Parameter("gas_years", 3.0, "年", _LIFE, 1.0, 10.0),
            Parameter("home_gas_years", 5.0, "年", _LIFE, 1.0, 10.0),
            Parameter("ahead_days", 30.0, "天", OURS, 0.0, 365.0),
        ),
    ),
    Rule(
        code="D106",
        title="设备被拆动或长期消音屏蔽",
        severity=Severity.HIGH,
        grade=Grade.GENERAL,
        basis=unread(_KEEP_WORKING),
        summary="设备外壳被打开、被拆除，或消音、屏蔽超过时限（焊机芯片见 W113）。",
        built=True,
        parameters=(
            Parameter("mute_min", 480.0, "min", "GB 20517-2025 5.11：电池故障声可消音（7±1）h", 5.0, 10_080.0),
            Parameter("shield_min", 480.0, "min", OURS, 5.0, 10_080.0),
        ),
    ),
    Rule(
        code="D107",
        title="时钟或序号异常",
        severity=Severity.MEDIUM,
        grade=None,
        basis=read(OURS),
        summary="设备时钟偏差超过十分钟，或消息序号缺失、倒退（疑似两台设备同一身份）。",
        built=True,
        parameters=(
            Parameter("skew_min", 10.0, "min", OURS, 1.0, 120.0),
            Parameter("lost", 20.0, "条", OURS, 1.0, 10_000.0),
            Parameter("turns", 3.0, "次", OURS, 2.0, 100.0),
            Parameter("window_min", 60.0, "min", OURS, 1.0, 1440.0),
        ),
    ),
    Rule(
        code="D108",
        title="电量低",
        severity=Severity.NOTICE,
        grade=None,
        basis=read("GB 20517-2025 5.11：电池电压至少每 24 h 检测一次"),
        summary="电池电量低，或设备自报电池欠压，应更换电池。",
        built=True,
        parameters=(
            Parameter("low_pct", 20.0, "%", OURS, 1.0, 90.0),
            Parameter("deadband_pct", 5.0, "%", OURS, 0.0, 50.0),
        ),
    ),
    Rule(
        code="D109",
        title="指令未应答",
        severity=Severity.HIGH,
        grade=None,
        basis=read(OURS),
        summary="下发的指令在时限内没有得到设备应答，或被设备拒绝执行。",
        built=True,
    ),
    Rule(
        code="D110",
        title="检测规则停用",
        severity=Severity.CRITICAL,
        grade=None,
        basis=read(OURS),
        summary="本系统的某些规则因程序故障停止判断，其他规则照常；需立即报告运维人员升级或重启。",
        built=True,
        shelvable=False,
    ),
    Rule(
        code="D111",
        title="本系统受阻",
        severity=Severity.HIGH,
        grade=None,
        basis=read(OURS),
        summary="本系统自身受阻：与消息代理断开超过一分钟、代理丢弃消息或重启、日志无法写入、磁盘将满、历史库中断，或过载抽稀；"
        "在此期间监测可能不完整，需报告运维人员。",
        built=True,
    ),
)
