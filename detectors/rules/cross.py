"""The rules across signals (X): two facts that are each tolerable and together are not."""

from detectors.rule import OURS, Parameter, Rule, read, unread
from domain.findings import Severity
from ledger.hazard import Grade

CROSS: tuple[Rule, ...] = (
    Rule(
        code="X101",
        title="可燃气体升高时动火",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=unread("GB 30871-2022 5.3：可燃气体不合格不得动火"),
        summary="同一场所或附近可燃气体升高时仍在焊接，有爆炸危险，应立即停焊断电；"
        "只有疑似微漏（G105）时按重要处理，有其他气体报警即升为紧急。",
        built=True,
        shelvable=False,
        parameters=(
            Parameter("near_m", 30.0, "m", "动火期间 30 m 内不得排放可燃气体（GB 30871，未核实）", 5.0, 200.0),
        ),
    ),
    Rule(
        code="X102",
        title="火灾监护失效时动火",
        severity=Severity.HIGH,
        grade=Grade.GENERAL,
        basis=read(OURS),
        summary="场所的火灾探测点被屏蔽或失联期间仍在焊接。",
        built=True,
    ),
    Rule(
        code="X103",
        title="火警与气体同时升高",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=read(OURS),
        summary="同一场所既有火警又有气体升高，有爆燃危险；只有疑似微漏（G105）时按重要处理，有其他气体报警即升为紧急。",
        built=True,
        shelvable=False,
    ),
)
