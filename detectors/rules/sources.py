"""The rules of dust and major hazard sources (S)."""

from detectors.rule import OURS, Parameter, Rule, read, unread
from domain.findings import Severity
from ledger.hazard import Grade

_DEADBAND = "报警管理实践：死区液位、压力 2 %，温度 1 %"

SOURCES: tuple[Rule, ...] = (
    Rule(
        code="S101",
        title="重大危险源参数超限",
        severity=Severity.HIGH,
        grade=Grade.GENERAL,
        basis=read("安全监管总局令第40号第十三条：温度、压力、液位连续监测和报警"),
        summary="储罐液位、压力、温度到达登记的低/高限，或低低/高高限（后者为紧急）；未登记的一侧不监测。",
        built=True,
        parameters=(
            Parameter("delay_s", 60.0, "s", "报警管理实践：液位延时 60 s（未核实）；低低/高高限不延时", 0.0, 600.0),
            Parameter("deadband_level", 0.02, "量程之比", _DEADBAND, 0.0, 0.2),
            Parameter("deadband_pressure", 0.02, "量程之比", _DEADBAND, 0.0, 0.2),
            Parameter("deadband_temp", 0.01, "量程之比", _DEADBAND, 0.0, 0.2),
        ),
    ),
    Rule(
        code="S102",
        title="除尘器灰斗超温",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=unread("粉尘企业安全生产风险监测预警模块数据接入规范（试行）"),
        summary="除尘器灰斗温度过高或十分钟内快速上升，有粉尘爆炸危险；只到第一级的按重要处理。",
        built=True,
        parameters=(
            Parameter("level1_c", 60.0, "℃", "两级 60/70（未核实）", 40.0, 100.0),
            Parameter("level2_c", 70.0, "℃", "两级 60/70（未核实）", 40.0, 120.0),
            Parameter("rise_c", 10.0, "℃/10 min", "未核实", 2.0, 30.0),
            Parameter("deadband_c", 2.0, "℃", OURS, 0.0, 10.0),
        ),
    ),
    Rule(
        code="S103",
        title="除尘系统异常",
        severity=Severity.HIGH,
        grade=None,
        basis=unread("粉尘企业安全生产风险监测预警模块数据接入规范（试行）"),
        summary="进出风口压差越界、卸灰故障，或设备运行而风机停转。",
        built=True,
        parameters=(
            Parameter("dp_low", 500.0, "Pa", "正常 500–1500 Pa（未核实）", 0.0, 5000.0),
            Parameter("dp_high", 1500.0, "Pa", "正常 500–1500 Pa（未核实）", 100.0, 10_000.0),
            Parameter("dp_s", 60.0, "s", "报警管理实践：压力延时（未核实）", 0.0, 3600.0),
            Parameter("deadband", 0.02, "设定值之比", _DEADBAND, 0.0, 0.5),
            Parameter("discharge_min", 10.0, "min", "卸灰故障 10–30 min（未核实）", 0.0, 120.0),
            Parameter("fan_s", 60.0, "s", OURS, 0.0, 3600.0),
        ),
    ),
)
