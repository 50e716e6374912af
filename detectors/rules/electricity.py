"""The electricity rules (P): who produces though it must not, who draws too much, and where electrical fires begin."""

from detectors.rule import OURS, Parameter, Rule, read, unread
from domain.findings import Severity
from ledger.hazard import Grade

ELECTRICITY: tuple[Rule, ...] = (
    Rule(
        code="P101",
        title="疑似明停暗开",
        severity=Severity.HIGH,
        grade=Grade.GENERAL,
        basis=read("国务院安委会：电力大数据监测预警"),
        summary="被责令停产的单位一刻钟内的总用电超过停产指令许可的基础负荷（报警记在该单位第一块电表上）。",
        built=True,
        parameters=(Parameter("margin", 0.1, "基础负荷之比", "停产企业负荷超过基线 10–20 %（未核实）", 0.0, 1.0),),
    ),
    Rule(
        code="P102",
        title="疑似超负荷生产",
        severity=Severity.MEDIUM,
        grade=None,
        basis=read("浙江高风险企业电力监测做法：按历史用电建立安全阈值"),
        summary="单位总用电超过登记的安全负荷，或连续高于本单位近六周同一星期、同一刻钟的常态。",
        built=True,
        parameters=(
            Parameter("score", 6.0, "σ", OURS, 2.0, 50.0),
            Parameter("quarters", 2.0, "刻钟", OURS, 1.0, 96.0),
            Parameter("floor_share", 0.1, "常态之比", OURS, 0.0, 1.0),
            Parameter("floor_kw", 0.5, "kW", OURS, 0.01, 100.0),
            Parameter("deadband", 0.05, "安全负荷之比", OURS, 0.0, 0.5),
        ),
    ),
    Rule(
        code="P103",
        title="电气火灾隐患",
        severity=Severity.HIGH,
        grade=None,
        basis=unread("GB 14287 电气火灾监控系统"),
        summary="剩余电流或电缆温度超过设定值。",
        built=True,
        parameters=(
            Parameter("deadband", 0.1, "设定值之比", OURS, 0.0, 0.5),
            Parameter("residual_ma", 300.0, "mA", "缺省 300，范围 20–1000（未核实）", 20.0, 1000.0),
            Parameter("cable_c", 70.0, "℃", "缺省 70，范围 45–140（未核实）", 45.0, 140.0),
        ),
    ),
)
