"""The gas rules (G): set points after GB/T 50493-2019, and the early rules that see a leak below them."""

from detectors.rule import OURS, Parameter, Rule, read, unread
from domain.findings import Severity
from ledger.hazard import Grade

_SET_POINTS = "GB/T 50493-2019 报警值设定"
_OEL = "GB/T 50493-2019 所用 OEL，20 ℃ 换算"
_TWO_CONVENTIONS = "GB/T 50493-2019 附录 A（5.0 %VOL）；GB/T 3836 为 4.4 %VOL"


def _toxic(level: int) -> tuple[Parameter, ...]:
    """Return the toxic set points in ppm of level 1 or 2 (OEL: MAC, else PC-TWA; GB/T 50493-2019), also their bounds."""
    table = {"co_ppm": (17.2, 34.4), "h2s_ppm": (7.1, 14.1), "nh3_ppm": (28.3, 56.5), "cl2_ppm": (0.34, 0.68)}
    return tuple(Parameter(name, row[level - 1], "ppm", _OEL, 0.01, row[level - 1]) for name, row in table.items())


def _thresholds(combustible: float, level: int) -> tuple[Parameter, ...]:
    return (
        Parameter("combustible_lel", combustible, "%LEL", _SET_POINTS, 1.0, combustible),
        *_toxic(level),
        Parameter("ch4_lel_vol", 5.0, "%VOL", _TWO_CONVENTIONS, 4.0, 5.5),
        Parameter("deadband_lel", 2.0, "%LEL", OURS, 0.0, 10.0),
        Parameter("deadband_toxic", 0.1, "设定值之比", OURS, 0.0, 0.5),
    )


_G101_G102 = (
    Rule(
        code="G101",
        title="气体二级报警",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=read("GB/T 50493-2019：可燃气体二级≤50 %LEL，有毒气体二级≤200 %OEL"),
        summary="气体浓度达到二级设定值，或探测器自报高限，应立即停止作业、疏散并切断气源。",
        built=True,
        shelvable=False,
        parameters=_thresholds(50.0, 2),
    ),
    Rule(
        code="G102",
        title="气体一级报警",
        severity=Severity.HIGH,
        grade=None,
        basis=read("GB/T 50493-2019：可燃气体一级≤25 %LEL，有毒气体一级≤100 %OEL"),
        summary="气体浓度达到一级设定值，或探测器自报低限，应立即到场查找泄漏并通风。",
        built=True,
        parameters=_thresholds(25.0, 1),
    ),
)

_EARLY = (
    Rule(
        code="G104",
        title="气体快速上升",
        severity=Severity.HIGH,
        grade=None,
        basis=read(OURS),
        summary="浓度持续上升，按当前速度五分钟内将达到一级设定值。",
        built=True,
        parameters=(
            Parameter("horizon_s", 300.0, "s", OURS, 60.0, 3600.0),
            Parameter("lasting_s", 60.0, "s", OURS, 10.0, 600.0),
        ),
    ),
    Rule(
        code="G105",
        title="疑似微漏",
        severity=Severity.MEDIUM,
        grade=None,
        basis=read(OURS),
        summary="浓度长时间高于该探测器自身的正常水平，但远未到报警值，疑似缓慢泄漏（模拟平稳噪声下误报每台每年 0 至 3 次）。",
        built=True,
        parameters=(
            Parameter("k", 5.0, "σ", OURS, 0.1, 10.0),
            Parameter("h", 3.0, "σ·min", OURS, 1.0, 1000.0),
            Parameter("small_k", 0.75, "σ", OURS, 0.1, 10.0),
            Parameter("small_h", 40.0, "σ·min", OURS, 1.0, 10_000.0),
            Parameter("recent_h", 4.0, "h", OURS, 0.25, 48.0),
            Parameter("usual_d", 2.0, "d", OURS, 0.25, 60.0),
            Parameter("spread_h", 24.0, "h", OURS, 1.0, 336.0),
            Parameter("warmup_min", 10.0, "min", OURS, 1.0, 1440.0),
            Parameter("off_min", 10.0, "min", OURS, 0.0, 240.0),
            Parameter("relearn_d", 7.0, "d", OURS, 0.25, 60.0),
        ),
    ),
)

_OTHERS = (
    Rule(
        code="G106",
        title="一氧化碳累积中毒危险",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=read("EN 50291-1 家用一氧化碳探测器时间加权报警区间"),
        summary="居室一氧化碳按浓度和时间累积已达危险程度，须立即开窗、撤离。",
        built=True,
        shelvable=False,
        parameters=(Parameter("clear_ppm", 27.0, "ppm", OURS, 5.0, 30.0),),
    ),
    Rule(
        code="G107",
        title="同一场所多点气体升高",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=read(OURS),
        summary="同一场所两个以上探测器在两分钟内先后升高，相互印证，不是个别误报；"
        "两处以上的报警不止于疑似微漏（G105）的为紧急，否则按重要处理。",
        built=True,
        shelvable=False,
        parameters=(Parameter("window_s", 120.0, "s", OURS, 10.0, 3600.0),),
    ),
    Rule(
        code="G108",
        title="切断阀未按时关闭",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=read("GB 50028-2006（2020 版）10.8.4：到达设定值先报警后关阀"),
        summary="已下令或应当关闭的燃气切断阀在规定时间内没有关到位。",
        built=True,
        shelvable=False,
        parameters=(Parameter("close_s", 30.0, "s", OURS, 5.0, 600.0),),
    ),
    Rule(
        code="G109",
        title="气体超量程",
        severity=Severity.HIGH,
        grade=None,
        basis=unread("GB 15322.1-2019：量程分类"),
        summary="读数达到或超过满量程；催化燃烧式传感器在爆炸下限以上读数不可信，应按更严重情况处置。",
        built=True,
        parameters=(
            Parameter("full_scale_lel", 100.0, "%LEL", "GB 15322.1-2019：3–100 %LEL 量程", 50.0, 100.0),
            Parameter("deadband", 0.02, "满量程之比", OURS, 0.0, 0.2),
        ),
    ),
)

_OXYGEN = Rule(
    code="G103",
    title="氧气浓度异常",
    severity=Severity.CRITICAL,
    grade=Grade.GENERAL,
    basis=unread("GB/T 50493-2019 5.5.2：缺氧 19.5 %VOL，富氧 23.5 %VOL"),
    summary="氧气浓度低于 19.5 %VOL 有窒息危险，高于 23.5 %VOL 有助燃危险。",
    built=True,
    shelvable=False,
    parameters=(
        Parameter("low", 19.5, "%VOL", "GB/T 50493-2019 5.5.2（条号未核实）", 16.0, 20.8),
        Parameter("high", 23.5, "%VOL", "GB/T 50493-2019 5.5.2（条号未核实）", 21.0, 25.0),
        Parameter("deadband", 0.2, "%VOL", OURS, 0.0, 1.0),
    ),
)

GAS: tuple[Rule, ...] = (*_G101_G102, _OXYGEN, *_EARLY, *_OTHERS)
