"""The fire rules (F)."""

from detectors.rule import OURS, Parameter, Rule, read, unread
from domain.findings import Severity
from ledger.hazard import Grade

FIRE: tuple[Rule, ...] = (
    Rule(
        code="F101",
        title="火灾报警",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=read("GB 26875.1-2011 4.1.1：火警须在 10 s 内传到监控中心并优先于其他信息"),
        summary="感烟、感温、火焰、一氧化碳探测器或手动报警按钮发出火警，应立即到场核实。",
        built=True,
        shelvable=False,
    ),
    Rule(
        code="F102",
        title="火灾确认（多点报警）",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=unread("GB 50440-2007 4.2.2：向接处警中心转发经确认的火警"),
        summary="同一场所两个报警点在六十秒内先后报警，视为确认火灾。",
        built=True,
        shelvable=False,
        parameters=(Parameter("window_s", 60.0, "s", OURS, 10.0, 600.0),),
    ),
    Rule(
        code="F103",
        title="火灾多判据预警",
        severity=Severity.HIGH,
        grade=None,
        basis=read(OURS),
        summary="烟雾、温升、一氧化碳中至少两项同时出现异常，或探测器自报预警，但各点尚未报警，疑似火灾初起。",
        built=True,
        parameters=(
            Parameter("smoke_dbm", 0.05, "dB/m", "光电感烟报警 0.05–0.15 dB/m 的下限（未核实）", 0.02, 0.15),
            Parameter("temp_rate", 3.0, "℃/min", OURS, 1.0, 8.0),
            Parameter("co_ppm", 10.0, "ppm/5 min", "五分钟升高 10 ppm 支持阴燃（未核实）", 3.0, 50.0),
        ),
    ),
    Rule(
        code="F104",
        title="温度快速上升",
        severity=Severity.HIGH,
        grade=None,
        basis=unread("GB 4716 感温火灾探测器：定温与差温等级"),
        summary="温度上升速度达到差温报警程度，或温度达到定温报警值。",
        built=True,
        parameters=(
            Parameter("rate", 8.0, "℃/min", "差温等级 8–10 ℃/min（未核实）", 3.0, 30.0),
            Parameter("rise_c", 6.0, "℃", OURS, 2.0, 30.0),
            Parameter("fixed_c", 54.0, "℃", "A1 类定温动作温度 54–65 ℃（未核实）", 40.0, 150.0),
        ),
    ),
    Rule(
        code="F105",
        title="火灾探测点被屏蔽或失电",
        severity=Severity.MEDIUM,
        grade=None,
        basis=read("GB 4717-2024：屏蔽、故障须单独显示"),
        summary="探测点被屏蔽，或主电、备电丢失，该处失去火灾监护。",
        built=True,
    ),
)
