"""Statistics of any measurand (A)."""

from detectors.rule import OURS, Parameter, Rule, read
from domain.findings import Severity

STATISTICS: tuple[Rule, ...] = (
    Rule(
        code="A101",
        title="读数不同寻常",
        severity=Severity.NOTICE,
        grade=None,
        basis=read(OURS),
        summary="读数偏离该设备自身近几小时、近几日或同一时段的历史，或异常地长时间不变（模拟噪声下误报每台每年 0 至 40 次）。",
        built=True,
        parameters=(
            Parameter("k", 3.5, "σ", OURS, 0.1, 10.0),
            Parameter("h", 5.0, "σ·min", OURS, 1.0, 1000.0),
            Parameter("small_k", 0.75, "σ", OURS, 0.1, 10.0),
            Parameter("small_h", 15.0, "σ·min", OURS, 1.0, 10_000.0),
            Parameter("recent_h", 0.5, "h", OURS, 0.25, 48.0),
            Parameter("usual_d", 7.0, "d", OURS, 0.25, 60.0),
            Parameter("spread_h", 24.0, "h", OURS, 1.0, 336.0),
            Parameter("warmup_min", 3.0, "min", OURS, 1.0, 1440.0),
            Parameter("off_min", 10.0, "min", OURS, 0.0, 240.0),
            Parameter("relearn_d", 2.0, "d", OURS, 0.25, 60.0),
        ),
    ),
)
