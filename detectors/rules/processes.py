"""Statistics of any measurand (A)."""

from detectors.rule import OURS, Rule, read
from domain.findings import Severity

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
