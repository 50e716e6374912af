"""Statistics of any measurand (A), electricity (P), and dust and major hazard sources (S)."""

from detectors.rule import OURS, Parameter, Rule, read, unread
from domain.findings import Severity
from ledger.hazard import Grade

STATISTICS: tuple[Rule, ...] = (
    Rule(
        code="A101",
        title="读数不同寻常",
        severity=Severity.NOTICE,
        grade=None,
        basis=read(OURS),
        summary="读数的水平或形状偏离该设备自身同一时段的历史。",
    ),
)

ELECTRICITY: tuple[Rule, ...] = (
    Rule(
        code="P101",
        title="疑似明停暗开",
        severity=Severity.HIGH,
        grade=Grade.GENERAL,
        basis=read("国务院安委会：电力大数据监测预警"),
        summary="被责令停产的单位用电超过基础负荷。",
    ),
    Rule(
        code="P102",
        title="疑似超负荷生产",
        severity=Severity.MEDIUM,
        grade=None,
        basis=read("浙江高风险企业电力监测做法：按历史用电建立安全阈值"),
        summary="用电超过许可产能对应的安全负荷，或不同于往常同一时段。",
    ),
    Rule(
        code="P103",
        title="电气火灾隐患",
        severity=Severity.HIGH,
        grade=None,
        basis=unread("GB 14287 电气火灾监控系统"),
        summary="剩余电流或电缆温度超过设定值。",
        parameters=(
            Parameter("residual_ma", 300.0, "mA", "缺省 300，范围 20–1000（未核实）", 20.0, 1000.0),
            Parameter("cable_c", 70.0, "℃", "缺省 70，范围 45–140（未核实）", 45.0, 140.0),
        ),
    ),
)

SOURCES: tuple[Rule, ...] = (
    Rule(
        code="S101",
        title="重大危险源参数超限",
        severity=Severity.HIGH,
        grade=Grade.GENERAL,
        basis=read("安全监管总局令第40号第十三条：温度、压力、液位连续监测和报警"),
        summary="储罐液位、压力、温度到达低/高限，或低低/高高限（后者为紧急）。",
    ),
    Rule(
        code="S102",
        title="除尘器灰斗超温",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=unread("粉尘企业安全生产风险监测预警模块数据接入规范（试行）"),
        summary="除尘器灰斗温度过高或十分钟内快速上升，有粉尘爆炸危险。",
        parameters=(
            Parameter("level1_c", 60.0, "℃", "两级 60/70（未核实）", 40.0, 100.0),
            Parameter("level2_c", 70.0, "℃", "两级 60/70（未核实）", 40.0, 120.0),
            Parameter("rise_c", 10.0, "℃/10 min", "未核实", 2.0, 30.0),
        ),
    ),
    Rule(
        code="S103",
        title="除尘系统异常",
        severity=Severity.HIGH,
        grade=None,
        basis=unread("粉尘企业安全生产风险监测预警模块数据接入规范（试行）"),
        summary="进出风口压差越界、卸灰故障，或设备运行而风机停转。",
    ),
)
